"""What a model sees: the face and what is about it, at the image's edge too."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.image import DetectedFace
from agent.domain.sight.track import Box
from agent.errors import InternalError
from agent.vision.packs.pad_manifest import PadCrop
from agent.vision.pad.crop import crop
from agent.vision.pad.face_box import pad_box

WIDE = PadCrop(shape="box", scale=2.0, border="clamp", resize="linear")
SQUARE = PadCrop(shape="square", scale=1.5, border="reflect", resize="area")


class Located:
    """How a pack finds the points."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def ramp(width: int, height: int) -> np.ndarray:
    """A different value in every pixel of a row (blue) and of a column (green)."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0] = np.arange(width)[None]
    image[..., 1] = np.arange(height)[:, None]
    return image


def spans(seen: np.ndarray) -> tuple[int, int, int, int]:
    return (
        int(seen[0, 0, 0]),
        int(seen[0, -1, 0]),
        int(seen[0, 0, 1]),
        int(seen[-1, 0, 1]),
    )


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        # left, right, top, bottom: enlarged about the centre
        ((40.0, 30.0, 20.0, 30.0), (30, 70, 15, 75)),
        # moved where it would reach beyond the image
        ((0.0, 0.0, 20.0, 30.0), (0, 40, 0, 60)),
        ((80.0, 70.0, 20.0, 30.0), (59, 99, 39, 99)),
        # and smaller where the image is, in both directions alike
        ((10.0, 10.0, 80.0, 80.0), (0, 99, 0, 99)),
    ],
)
def test_a_clamped_crop_lies_within_the_image(box, expected):
    left, right, top, bottom = expected
    size = right - left + 1, bottom - top + 1
    assert spans(crop(ramp(100, 100), box, WIDE, *size)) == expected


def test_a_reflected_crop_mirrors_the_image_at_its_border():
    image = ramp(60, 60)
    seen = crop(image, (0.0, 10.0, 20.0, 40.0), SQUARE, 60, 60)
    wide = cv2.copyMakeBorder(image, 40, 40, 40, 40, cv2.BORDER_REFLECT_101)
    assert (seen == wide[40:100, 20:80]).all()


@given(
    st.tuples(*[st.floats(-200.0, 300.0)] * 2, *[st.floats(0.0, 300.0)] * 2),
    st.sampled_from([WIDE, SQUARE]),
    st.integers(16, 120),
    st.integers(16, 120),
)
def test_any_box_in_any_image_gives_a_crop(box, how, width, height):
    assert crop(ramp(width, height), box, how, 32, 24).shape == (24, 32, 3)


def test_a_box_that_comes_with_its_points_is_taken_as_it_is():
    face = DetectedFace(Box(3, 4, 50, 60), 1.0)
    assert pad_box(face, Located("detector")) == (3.0, 4.0, 50.0, 60.0)


def test_a_cascades_square_is_laid_anew_about_the_points():
    # Eyes from 40 to 60, the base of the nose below their middle by half as much.
    points = np.array([[35, 50], [45, 50], [65, 50], [55, 50], [50, 60]], dtype=np.float32)
    for box in (Box(20, 20, 60, 60), Box(0, 0, 100, 100)):
        left, top, width, height = pad_box(DetectedFace(box, 1.0, points), Located("dlib5"))
        assert (left + width / 2, top + height / 2) == pytest.approx((50.0, 55.0))
        assert (width, height) == pytest.approx((34.0, 46.6))
    with pytest.raises(InternalError):
        pad_box(DetectedFace(Box(0, 0, 9, 9), 1.0), Located("dlib5"))
