"""A picture in figures: what is sharp, what is out of focus, and whose colours are swapped."""

import cv2
import numpy as np
import pytest
from places import SHARED

from agent.domain.sight.image import Image
from agent.domain.sight.track import Box
from agent.vision.face.zone import Zone
from agent.vision.frames.figures import figures_of

WHOLE = Zone()
RNG = np.random.default_rng(7)
_SMALL = RNG.integers(40, 220, (23, 31, 3), np.uint8)
SCENE: Image = np.asarray(cv2.resize(_SMALL, (640, 480), interpolation=cv2.INTER_NEAREST), np.uint8)
TAN, DARK_BROWN = (120, 150, 205), (40, 55, 85)
"""Skin, as blue, green and red."""


def blurred(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def noisy(image: Image, grey_levels: float = 3.0) -> Image:
    noise = RNG.normal(0.0, grey_levels, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_what_is_out_of_focus_is_told_from_what_is_sharp_noise_or_not() -> None:
    for image in (SCENE, noisy(SCENE)):
        assert figures_of(image, WHOLE).blur < 0.5
    for sigma in (6, 12):
        assert figures_of(noisy(blurred(SCENE, sigma)), WHOLE).blur > 0.6


def test_photographs_are_sharp_and_are_not_once_they_are_blurred() -> None:
    folder = SHARED / "faces" / "probe"
    if not folder.is_dir():
        pytest.skip("../shared/faces is absent")
    sharp, soft = [], []
    for path in sorted(folder.glob("*.jpg")):
        read = cv2.imread(str(path))
        assert read is not None
        image = np.asarray(read, np.uint8)
        sharp.append(figures_of(image, WHOLE).blur)
        soft.append(figures_of(blurred(image, image.shape[1] / 80), WHOLE).blur)
    assert max(sharp) < 0.6 < min(soft)


@pytest.mark.parametrize("skin", [TAN, DARK_BROWN])
def test_a_face_whose_colours_are_swapped_is_bluer_than_skin(skin: tuple[int, int, int]) -> None:
    image, face = SCENE.copy(), Box(200, 100, 160, 200)
    image[100:300, 200:360] = skin
    right = figures_of(image, WHOLE, face).blue
    swapped = figures_of(np.ascontiguousarray(image[:, :, ::-1]), WHOLE, face).blue
    assert right is not None
    assert swapped is not None
    assert right < 0.9
    assert swapped > 1.1


@pytest.mark.parametrize("face", [None, Box(-500, -500, 20, 20), Box(5, 5, 0, 0)])
def test_without_a_face_in_the_picture_nothing_is_said_of_colours(face: Box | None) -> None:
    assert figures_of(SCENE, WHOLE, face).blue is None


def test_one_bit_tells_two_frames_apart_and_the_zone_has_its_own_contours() -> None:
    other = SCENE.copy()
    other[479, 639, 0] ^= 1
    assert figures_of(SCENE, WHOLE).digest != figures_of(other, WHOLE).digest
    other[:, :320] = 128
    left, right = (figures_of(other, Zone(x=x, width=0.5)) for x in (0.0, 0.5))
    assert left.zone_contours == 0.0
    assert right.zone_contours > 0.5
