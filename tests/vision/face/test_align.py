"""The similarity, and the crops that are made by it."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.vision.face.align import DLIB_MEAN_FACE, crop, dlib_chip, similarity

COORDINATE = st.floats(-500, 500)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=6)
TEMPLATE = np.array([[30.3, 51.7], [65.5, 51.5], [48.0, 71.7], [33.5, 92.4], [62.7, 92.2]])


def moved(points: np.ndarray, scale: float, angle: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ turn.T + shift)


@settings(deadline=None)
@given(POINTS, st.floats(0.1, 10), st.floats(-3, 3), st.tuples(COORDINATE, COORDINATE))
def test_a_similarity_is_found_again(points, scale, angle, shift) -> None:
    source = np.array(points)
    assume(np.ptp(source, axis=0).max() > 1.0)
    target = moved(source, scale, angle, shift)
    found = similarity(source, target)
    assert np.allclose(source @ found[:, :2].T + found[:, 2], target, atol=1e-6 * max(1, scale))


@settings(deadline=None)
@given(POINTS, st.floats(-3, 3), st.tuples(COORDINATE, COORDINATE), st.randoms())
def test_no_other_similarity_lies_nearer(points, angle, shift, random) -> None:
    source = np.array(points)
    assume(np.ptp(source, axis=0).max() > 1.0)
    noise = np.array([[random.uniform(-20, 20) for _ in range(2)] for _ in points])
    target = moved(source, 1.0, angle, shift) + noise

    def error(a: float, b: float, x: float, y: float) -> float:
        fitted = source @ np.array([[a, -b], [b, a]]).T + (x, y)
        return float(((fitted - target) ** 2).sum())

    found = similarity(source, target)
    best = (found[0, 0], found[1, 0], found[0, 2], found[1, 2])
    for i in range(4):
        for step in (-1e-3, 1e-3):
            other = list(best)
            other[i] += step
            assert error(*best) <= error(*other) + 1e-6


def test_points_that_are_all_one_are_refused() -> None:
    with pytest.raises(ValueError, match="all one"):
        similarity(np.ones((5, 2)), TEMPLATE)


def dotted(places: np.ndarray, size: int) -> np.ndarray:
    """A black image with a soft white dot on each place."""
    image = np.zeros((size, size, 3), dtype=np.uint8)
    for x, y in places:
        radius = max(size // 120, 2)
        cv2.circle(image, (round(x), round(y)), radius, (255, 255, 255), -1, cv2.LINE_AA)
    return image


def dots(image: np.ndarray) -> np.ndarray:
    """The middles of the dots, in the order of reading."""
    _, _, _, middles = cv2.connectedComponentsWithStats((image[:, :, 0] > 60).astype(np.uint8))
    return np.asarray(middles[1:])


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.6, 3.3, 5.0])
@pytest.mark.parametrize("angle", [-0.4, 0.0, 0.3])
def test_landmarks_come_to_lie_on_the_template(scale: float, angle: float) -> None:
    places = moved(TEMPLATE - 60, scale * 2, angle, (500, 500))
    face = crop(dotted(places, 1000), places.astype(np.float32), TEMPLATE, (96, 112))
    assert face.shape == (112, 96, 3)
    found = dots(face)
    assert len(found) == 5
    for place in TEMPLATE:
        assert np.hypot(*(found - place).T).min() < 0.8


@pytest.mark.parametrize("scale", [120.0, 300.0, 700.0])
def test_a_chip_has_its_five_points_where_dlib_has_them(scale: float) -> None:
    places = moved(DLIB_MEAN_FACE - 0.5, scale, 0.2, (500, 500))
    chip = dlib_chip(dotted(places, 1000), places.astype(np.float32), 150, 0.25)
    expected = (0.25 + DLIB_MEAN_FACE) / 1.5 * 150 - 0.5
    found = dots(chip)
    assert len(found) == 5
    for place in expected:
        assert np.hypot(*(found - place).T).min() < 1.2


def test_what_lies_outside_the_image_is_black() -> None:
    image = np.full((60, 60, 3), 200, dtype=np.uint8)
    places = moved(DLIB_MEAN_FACE, 60.0, 0.0, (0, 0)).astype(np.float32)
    chip = dlib_chip(image, places, 150, 0.25)
    assert chip[0, 0].tolist() == [0, 0, 0]
    assert chip[75, 75].tolist() == [200, 200, 200]
