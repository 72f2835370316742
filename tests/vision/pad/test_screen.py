"""A device's border and the beat of its grid, drawn."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.sight.track import Box
from agent.vision.pad.screen import BEAT, BORDER, ScreenSigns, beat, border, screen_signs

FACE = Box(260, 170, 120, 150)


def place(seed=1):
    """Soft light, and noise."""
    chance = np.random.default_rng(seed)
    soft = cv2.resize(chance.uniform(70, 180, (5, 6, 3)), (640, 480), interpolation=cv2.INTER_CUBIC)
    return soft + chance.normal(0.0, 2.0, soft.shape)


def picture(image):
    return np.clip(image, 0, 255).astype(np.uint8)


def framed(image, tilt=0.0, grey=15.0):
    """A device about the face."""
    corners = np.array([[-110, -140], [110, -140], [110, 150], [-110, 150]], np.float64)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    places = np.rint(corners @ turn.T + [320, 245]).astype(np.int32)
    cv2.polylines(image, [places], isClosed=True, color=(grey,) * 3, thickness=10)
    return image


@pytest.mark.parametrize("tilt", [0.0, 0.1, -0.15])
@pytest.mark.parametrize("grey", [15.0, 240.0])
def test_a_border_about_the_face_shows(tilt, grey):
    found = border(picture(framed(place(), tilt, grey)), FACE)
    assert found is not None
    assert found >= BORDER


def test_a_hand_may_cover_a_side():
    image = framed(place())
    image[380:420, 180:460] = 150.0
    found = border(picture(image), FACE)
    assert found is not None
    assert found >= BORDER


def test_two_uprights_are_no_border():
    image = place()
    image[:, 200:206] = image[:, 430:436] = 10.0
    found = border(picture(image), FACE)
    assert found is not None
    assert found < BORDER


def test_a_fine_grating_over_the_face_beats():
    x, y = np.meshgrid(np.arange(640), np.arange(480))
    image = place()
    plain = beat(picture(image), FACE)
    striped = beat(picture(image + 8.0 * np.sin(1.3 * x + 0.9 * y)[..., None]), FACE)
    assert plain is not None
    assert striped is not None
    assert plain < BEAT <= striped


@pytest.mark.parametrize(
    ("signs", "least", "most"),
    [
        (ScreenSigns(BORDER, None), 0.5, 0.5),
        (ScreenSigns(None, BEAT), 0.5, 0.5),
        (ScreenSigns(0.0, 0.0), 1.0, 1.0),
        (ScreenSigns(0.0, 2.0 * BEAT), 0.0, 0.1),
        (ScreenSigns(1.0, 0.0), 0.0, 0.5),
    ],
)
def test_the_surer_sign_counts(signs, least, most):
    assert signs.score is not None
    assert least <= signs.score <= most


def test_where_nothing_can_be_told():
    small = np.zeros((40, 40, 3), np.uint8)
    assert screen_signs(small, Box(10, 10, 20, 20)).score is None
    assert screen_signs(small, Box(200, 200, 20, 20)).score is None


@settings(max_examples=40)
@given(st.integers(-300, 900), st.integers(-300, 900), st.integers(1, 700), st.integers(1, 700))
def test_no_box_makes_it_raise(x, y, width, height):
    score = screen_signs(picture(place()), Box(x, y, width, height)).score
    assert score is None or 0.0 <= score <= 1.0
