"""What no face could ever agree on is found in the config, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest
from config_parts import GOOD
from gate_parts import REGISTRY

from agent.config import load_config
from agent.controller.attempts import Attempts, Pace
from agent.controller.false_grants import FalseGrants
from agent.domain.access.agreement import Requirements
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric
from agent.domain.sight.grant_budget import GrantBudget
from agent.domain.sight.track import Box, Candidate, FaceSample
from agent.errors import ConfigError
from agent.vision.face.track import Tracker

LIN = HolderId("lin.2")
CASES = [
    (frames, span_s, fps, timeout_s)
    for frames in (3, 12, 13, 20)
    for span_s in (0.2, 0.7, 0.74, 0.8, 5.0)
    for fps in (2.0, 5.0, 15.0, 30.0)
    for timeout_s in (1.5, 5.0)
]


def findings(tmp_path: Path, frames: int, span_s: float, fps: float, timeout_s: float) -> list[str]:
    words = f"agreement_frames = {frames}\nagreement_span_s = {span_s}\n"
    words += f"attempt_timeout_s = {timeout_s}\n"
    text = GOOD.replace("[face]\n", f"[face]\n{words}")
    for kind in ("opencv", "simulated"):
        text = text.replace(f'kind = "{kind}"\nsource', f'kind = "{kind}"\nfps = {fps}\nsource')
    assert text.count("fps") == 2
    file = tmp_path / "gate.toml"
    file.write_text(text)
    try:
        load_config(file)
    except ConfigError as error:
        return [finding.partition(": ")[2] for finding in error.findings]
    return []


def agrees(frames: int, span_s: float, fps: float, timeout_s: float) -> bool:
    """Whether somebody whom every frame recognises is named, by what follows and judges a face."""
    risk = FalseGrants("north-entry", GrantBudget(0.05))
    attempts = Attempts(Pace(timeout_s), Requirements(frames, span_s), risk)
    tracker = Tracker(Metric.EUCLIDEAN, -9.0)
    template = np.zeros(4, np.float32)
    for frame in range(round(10 * fps)):
        at_s = frame / fps
        tracker.follow(Box(0, 0, 99, 99), at_s)
        sample = FaceSample(at_s, str(frame).encode(), Candidate(LIN, -0.1), None)
        attempts.observe(tracker.add(sample, template), REGISTRY, at_s)
        found = attempts.due(at_s)
        if found is not None:
            enough = found.frames >= frames and found.span_s >= span_s
            return found.holder == LIN and enough
    return False


@pytest.mark.parametrize(("frames", "span_s", "fps", "timeout_s"), CASES)
def test_a_finding_stands_just_where_no_face_ever_agrees(
    tmp_path: Path, frames: int, span_s: float, fps: float, timeout_s: float
) -> None:
    found = findings(tmp_path, frames, span_s, fps, timeout_s)
    assert bool(found) is not agrees(frames, span_s, fps, timeout_s), found


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ((13, 0.2, 15.0, 1.5), "face.agreement_frames: is 1 more than the 12 that a track keeps"),
        (
            (3, 0.8, 15.0, 1.5),
            (
                "face.agreement_span_s: is 0.067 s more than the 0.733 s which the 12 samples of a"
                " track span at the 15 fps of camera 'front'"
            ),
        ),
        (
            (12, 0.2, 2.0, 1.5),
            (
                "face.attempt_timeout_s: is over before a face can agree, which takes 5.5 s at the"
                " 2 fps of camera 'front'; set it 4 s higher"
            ),
        ),
    ],
)
def test_it_says_by_how_much(
    tmp_path: Path, case: tuple[int, float, float, float], words: str
) -> None:
    assert findings(tmp_path, *case)[0].startswith(words)
