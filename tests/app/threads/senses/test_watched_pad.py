"""A model that gives no number is a fault, and its face no living one."""

import math
from typing import Any

import numpy as np
import pytest

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.senses.pad import WatchedPad
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.domain.access.part import PartKind
from agent.domain.sight.image import DetectedFace
from agent.domain.sight.pad import over_frames
from agent.domain.sight.track import Box
from agent.errors import ModelPackError

IMAGE = np.zeros((90, 90, 3), dtype=np.uint8)
FACE = DetectedFace(Box(10, 10, 50, 50), 1.0)


class Told:
    """A scorer that says or raises what it is told to."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)

    def score(self, image, face):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_it_fails_once_and_works_again():
    posted: list[Any] = []
    fault = FaultLine(PartKind.PAD.part("front"), posted.append)
    pad = WatchedPad(Told(0.9, math.nan, ValueError("a library's"), 0.8, None), fault)
    found = [pad.score(IMAGE, FACE) for _ in range(5)]
    assert found[0] == 0.9
    assert found[3:] == [0.8, None]
    assert [over_frames([0.9, score]) for score in found[1:3] if score is not None] == [0.0, 0.0]
    assert [(type(one), one.part) for one in posted] == [
        (FaultRaised, "pad:front"),
        (FaultCleared, "pad:front"),
    ]


def test_what_the_agent_itself_says_is_passed_on():
    pad = WatchedPad(
        Told(ModelPackError("gone", "fix")), FaultLine(PartKind.PAD.part("x"), lambda _: None)
    )
    with pytest.raises(ModelPackError):
        pad.score(IMAGE, FACE)
