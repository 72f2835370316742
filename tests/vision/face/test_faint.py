"""Who is asked to come closer: whoever moves now and then, and no poster all night."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import numpy as np

from agent.domain.sight.image import DetectedFace
from agent.domain.sight.track import Box
from agent.vision.face.engine import FaceEngine
from agent.vision.face.faint import Faint
from agent.vision.face.zone import Zone

PICTURE = np.full((480, 640, 3), 120, np.uint8)


class Far:
    """Sees one face that is too far away, always."""

    manifest = SimpleNamespace(detector=None)

    def detect(self, image, smallest_face_px=None):
        return [DetectedFace(Box(300, 200, 50, 50), 1.0)]

    def locate(self, image, face):
        return face


def asked(moved_s: Callable[[float], float]) -> list[float]:
    """At which of a minute's half seconds it is asked to come closer."""
    faint = Faint(cast("FaceEngine", Far()), Zone(min_face_px=80))
    times = [half / 2.0 for half in range(120)]
    return [at_s for at_s in times if faint.look(PICTURE, at_s, moved_s(at_s)).far]


def test_a_face_on_a_poster_is_not_asked_for_ever():
    told = asked(lambda at_s: at_s)
    assert told[0] == 0.0
    assert 25.0 < max(told) < 35.0


def test_whoever_moves_now_and_then_is_asked_while_they_stay():
    assert len(asked(lambda at_s: at_s % 20.0)) == 120
