"""What is a picture, and what is only an array."""

import numpy as np
import pytest

from agent.vision.frames.readable import LEAST_SIDE_PX, unreadable


@pytest.mark.parametrize("shape", [(480, 640, 3), (16, 16, 3), (481, 641, 3), (1920, 1080, 3)])
def test_a_colour_picture_of_any_size_is_one(shape):
    assert unreadable(np.zeros(shape, np.uint8)) is None


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (None, "no array"),
        (b"\0" * 300, "no array"),
        (np.zeros((480, 640), np.uint8), "2 dimensions"),
        (np.zeros((480, 640, 1), np.uint8), "1 channels"),
        (np.zeros((480, 640, 4), np.uint8), "4 channels"),
        (np.zeros((480, 640, 3), np.float32), "float32"),
        (np.zeros((480, 640, 3), np.uint16), "uint16"),
        (np.zeros((1, 1, 3), np.uint8), "1x1 pixels"),
        (np.zeros((480, LEAST_SIDE_PX - 1, 3), np.uint8), "15x480 pixels"),
        (np.zeros((0, 640, 3), np.uint8), "640x0 pixels"),
    ],
)
def test_what_is_none_says_why(image, says):
    problem = unreadable(image)
    assert problem is not None
    assert says in problem
