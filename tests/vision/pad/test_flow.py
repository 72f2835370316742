"""Points of a face followed through drawn frames."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.sight.cues import UNSEEN
from agent.domain.sight.image import DetectedFace
from agent.domain.sight.track import Box
from agent.vision.pad.beside import Beside
from agent.vision.pad.flow import FaceFlow

BOX = Box(100, 45, 120, 150)


def texture(seed=2):
    chance = np.random.default_rng(seed)
    fine = chance.uniform(30, 220, (48, 64, 3)).astype(np.float32)
    return cv2.resize(fine, (320, 240), interpolation=cv2.INTER_CUBIC)


def film(depth, *, sway_px=8.0, size=1):
    """A second of frames: a bump of so many pixels before a plane, turned and swayed."""
    still = cv2.resize(texture(), (320 * size, 240 * size))
    columns, rows = np.meshgrid(np.arange(320 * size), np.arange(240 * size))
    x, y = columns / size - 160.0, rows / size - 120.0
    bump = depth * np.exp(-(x**2 + y**2) / 45.0**2)
    for i in range(15):
        move = size * (bump * np.sin(i / 2.0) + sway_px * np.sin(i / 3.0))
        seen = cv2.remap(
            still, (columns - move).astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR
        )
        noise = np.random.default_rng(i).normal(0.0, 1.5, seen.shape)
        yield i / 15, np.clip(seen + noise, 0, 255).astype(np.uint8)


def followed(frames, box=BOX, tracks=(7,) * 15):
    flow = FaceFlow()
    for (at_s, image), track in zip(frames, tracks, strict=True):
        flow.see(track, image, box, at_s)
    return flow.liveness()


def test_a_picture_that_sways_is_flat_and_a_head_that_turns_is_not():
    flat, deep = followed(film(0.0)), followed(film(4.0))
    assert flat is not None
    assert deep is not None
    assert flat < 0.5 < deep


def test_a_larger_picture_says_the_same():
    box = Box(2 * BOX.x, 2 * BOX.y, 2 * BOX.width, 2 * BOX.height)
    deep = followed(film(4.0, size=2), box)
    assert deep is not None
    assert deep > 0.5


def test_a_picture_that_hangs_on_a_stand_is_fixed():
    assert followed(film(0.0, sway_px=0.0)) == 0.0


def test_each_presentation_begins_anew():
    assert followed(film(4.0), tracks=(*(7,) * 13, 8, 8)) is None
    assert followed([*film(4.0)][:3] + [*film(4.0)][10:], tracks=(7,) * 8) is None


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(-100, 700),
            st.integers(-100, 500),
            st.integers(1, 500),
            st.sampled_from([(48, 64), (120, 160)]),
            st.floats(-1.0, 1.0),
        ),
        max_size=8,
    )
)
def test_nothing_that_happens_makes_it_raise(steps):
    flow, at_s = FaceFlow(), 0.0
    for track, x, y, width, shape, step_s in steps:
        at_s += step_s
        image = np.random.default_rng(track).integers(0, 255, (*shape, 3), np.uint8)
        flow.see(track or None, image, Box(x, y, width, width), at_s)
        score = flow.liveness()
        assert score is None or 0.0 <= score <= 1.0


def test_what_is_off_costs_and_says_nothing():
    image = np.zeros((48, 64, 3), np.uint8)
    beside = Beside()
    beside.follow(1, image, BOX, 0.0)
    found = beside.cues(image, DetectedFace(BOX, 1.0), 0.0, lambda _image, _px: [])
    assert found == UNSEEN
