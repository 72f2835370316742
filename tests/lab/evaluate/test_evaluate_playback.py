"""Simulated playback: what is rendered, and how its rates are counted."""

import numpy as np
import pytest

from agent.domain.sight.cues import Cues
from agent.domain.sight.track import FaceSample
from agent.lab.evaluate.playback import PlaybackMethod, columns, evaluate_playback, table_rows
from agent.lab.evaluate.playback_scenes import (
    FRAMES,
    HEIGHT_PX,
    WIDTH_PX,
    Portrait,
    Shown,
    frames,
    portrait_of,
)

THRESHOLDS = {"models": 0.5, "liveness": 0.5, "screen": 0.5}
YUNET = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]], np.float32)
DLIB = np.array([[90, 50], [75, 50], [30, 50], [45, 50], [60, 75]], np.float32)


def a_portrait():
    chance = np.random.default_rng(3)
    return Portrait(chance.integers(0, 255, (120, 110, 3), np.uint8), 60.0, 50.0, 40.0)


def test_a_portrait_is_placed_by_either_kind_of_points():
    image = np.zeros((120, 110, 3), np.uint8)
    for points, apart_px in ((YUNET, 40.0), (DLIB, 45.0)):
        found = portrait_of(image, points)
        assert (found.x, found.y, found.apart_px) == (60.0, 50.0, apart_px)


@pytest.mark.parametrize("shown", [Shown.LIVING, Shown.PHONE_VIDEO, Shown.BENT_PRINT])
def test_a_second_of_frames_moves_and_a_seed_repeats_it(shown):
    one, again = (list(frames(shown, a_portrait(), np.random.default_rng(5))) for _ in range(2))
    assert len(one) == FRAMES
    assert {image.shape for image in one} == {(HEIGHT_PX, WIDTH_PX, 3)}
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert np.abs(one[0].astype(int) - one[7].astype(int)).mean() > 4.0


def test_what_says_nothing_counts_in_no_rate():
    answers = iter([(0.9, None), (0.4, 0.2), None] * len(Shown))

    def look(timed):
        assert next(iter(timed))[0] == 0.0
        answer = next(answers)
        if answer is None:
            return ()
        screen, live = answer
        return [FaceSample(1.0, b"x", None, None, cues=Cues(live, screen, None))]

    method = PlaybackMethod((), "any", look, THRESHOLDS)
    told = []
    found = evaluate_playback(
        [a_portrait()], 3, 1, method, lambda done, total: told.append((done, total))
    )
    assert found["simulated"] is True
    assert told[-1] == (3 * len(Shown), 3 * len(Shown))
    assert set(found["by"]) == {"liveness", "screen"}
    assert found["failed_to_acquire"]["living"] == 1
    screen, liveness = found["by"]["screen"], found["by"]["liveness"]
    assert (screen["bpcer"], screen["apcer"]["print"]) == (0.5, 0.5)
    assert (liveness["bpcer"], liveness["apcer"]["print"]) == (1.0, 0.0)
    assert (liveness["cannot_tell"]["print"], screen["cannot_tell"]["print"]) == (0.5, 0.0)
    rows = table_rows(found)
    assert {row[-1] for row in rows} == {"simulated"}
    assert {len(row) for row in rows} == {len(columns(found))}
