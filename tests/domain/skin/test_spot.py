"""Distance by the face box, spots and pixels by distance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.skin.spot import (
    distance_m,
    fits_forehead,
    greatest_distance_m,
    pixel_footprint_m,
    spot_diameter_m,
)


@pytest.mark.parametrize(("fov_deg", "spot_cm"), [(5, 4.4), (10, 8.7), (35, 31.5), (90, 100.0)])
def test_spots_at_half_a_metre_are_those_of_the_datasheet(fov_deg: float, spot_cm: float) -> None:
    assert spot_diameter_m(0.5, fov_deg) * 100 == pytest.approx(spot_cm, abs=0.06)


def test_at_half_a_metre_only_five_degrees_fit_a_forehead() -> None:
    fitting = [fov for fov in (5, 10, 35, 90) if fits_forehead(spot_diameter_m(0.5, fov))]
    assert fitting == [5]


def test_ten_degrees_fit_from_a_third_of_a_metre() -> None:
    assert greatest_distance_m(10) == pytest.approx(0.343, abs=0.001)
    assert greatest_distance_m(5) == pytest.approx(0.687, abs=0.001)
    assert greatest_distance_m(55, 32) == pytest.approx(0.615, abs=0.001)
    assert greatest_distance_m(110, 32) == pytest.approx(0.224, abs=0.001)
    assert fits_forehead(0.06)
    assert fits_forehead(spot_diameter_m(0.34, 10))
    assert not fits_forehead(spot_diameter_m(0.35, 10))


def test_a_face_that_fills_the_frame_is_as_far_as_the_lens_says() -> None:
    assert distance_m(640, 640, 90.0) == pytest.approx(0.075)
    assert distance_m(100, 640, 66.0) == pytest.approx(0.739, abs=0.001)


def test_half_the_width_is_twice_as_far() -> None:
    assert distance_m(80, 640, 66.0) == pytest.approx(2 * distance_m(160, 640, 66.0))


@pytest.mark.parametrize(("fov_deg", "pixel_cm"), [(55, 1.63), (110, 4.46)])
def test_a_pixel_of_the_array_at_half_a_metre(fov_deg: float, pixel_cm: float) -> None:
    assert pixel_footprint_m(0.5, fov_deg, 32) * 100 == pytest.approx(pixel_cm, abs=0.01)


@pytest.mark.parametrize(
    ("face_px", "frame_px", "fov_deg"),
    [
        (0, 640, 66),
        (-5, 640, 66),
        (100, 0, 66),
        (100, 640, 0),
        (100, 640, 180),
        (math.nan, 640, 66),
    ],
)
def test_what_means_nothing_is_infinitely_far_and_fits_nothing(
    face_px: float, frame_px: float, fov_deg: float
) -> None:
    far = distance_m(face_px, frame_px, fov_deg)
    assert far == math.inf
    assert not fits_forehead(spot_diameter_m(far, 5))


@given(st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_no_number_raises_and_a_spot_is_positive(far_m: float, fov_deg: float) -> None:
    spot = spot_diameter_m(far_m, fov_deg)
    assert spot >= 0.0
    fits_forehead(spot)
