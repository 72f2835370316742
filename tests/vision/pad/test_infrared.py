"""The infrared camera beside: where it looks, and what counts as a face there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.image import DetectedFace, Frame
from agent.domain.sight.track import Box
from agent.vision.pad.infrared import LATEST_S, Aim, InfraredEye, infrared_score

FACE = Box(260, 160, 120, 150)
VISIBLE = (480, 640, 3)


def nobody(_image, _least_px):
    return []


def dark():
    return np.full((240, 320, 3), 6, np.uint8)


def with_skin(image, box):
    """Bright, with a band of eyes."""
    image[box.y : box.y + box.height, box.x : box.x + box.width] = 150
    eyes = slice(box.y + round(0.28 * box.height), box.y + round(0.46 * box.height))
    image[eyes, box.x : box.x + box.width] = 70
    return image


def half(box):
    return Box(box.x // 2, box.y // 2, box.width // 2, box.height // 2)


def looked(image, detect=nobody, *, aim=Aim(), at_s=1.0, face=FACE):  # noqa: B008 - frozen
    eye = InfraredEye(aim)
    eye.put(Frame(image, 1.0, 1))
    return eye.score(VISIBLE, face, at_s, detect)


def test_a_screen_is_dark_there():
    assert looked(dark()) == 0.0


def test_blank_paper_is_bright_and_no_face():
    assert looked(np.full((240, 320, 3), 200, np.uint8)) == 0.0


def test_skin_with_eyes_is_as_good_as_a_face():
    assert looked(with_skin(dark(), half(FACE))) == 0.6


def test_a_face_that_is_found_where_it_should_be_counts():
    def finds(image, least_px):
        height, width = image.shape[:2]
        assert least_px <= 60
        return [DetectedFace(Box(width // 4, height // 4, width // 2, height // 2), 1.0)]

    def finds_beside(_image, _least_px):
        return [DetectedFace(Box(0, 0, 20, 20), 1.0)]

    assert looked(dark(), finds) == 1.0
    assert looked(dark(), finds_beside) == 0.0


@pytest.mark.parametrize("late_s", [-1.0, LATEST_S + 0.01, float("nan")])
def test_an_old_frame_says_nothing(late_s):
    assert looked(dark(), at_s=1.0 + late_s) is None


def test_without_a_frame_it_says_nothing_and_after_its_end_neither():
    eye = InfraredEye(Aim())
    assert eye.score(VISIBLE, FACE, 1.0, nobody) is None
    eye.put(Frame(dark(), 1.0, 1))
    assert eye.score(VISIBLE, FACE, 1.0, nobody) == 0.0
    eye.close()
    assert eye.score(VISIBLE, FACE, 1.0, nobody) is None


def test_it_looks_where_the_calibration_says():
    # A camera that sees twice as much: the visible frame fills its middle half.
    aim = Aim(0.25, 0.25, 0.5)
    aside = Box(20, 20, 120, 150)
    box = Box(80 + 5, 60 + 5, 30, 37)
    image = with_skin(dark(), box)
    assert looked(image, aim=aim, face=aside) == 0.6
    assert looked(image, face=aside) == 0.0


def test_a_face_beside_its_picture_cannot_be_told():
    assert looked(dark(), aim=Aim(0.9, 0.0, 1.0)) is None


@given(st.integers(-900, 900), st.integers(-900, 900), st.integers(1, 900), st.integers(1, 900))
def test_no_place_makes_it_raise(x, y, width, height):
    score = infrared_score(dark(), Box(x, y, width, height), nobody)
    assert score in (None, 0.0)
