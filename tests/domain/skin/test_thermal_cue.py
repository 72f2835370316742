"""As warm as a face, or not; and where it cannot tell, nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.skin.optics import Optics, Region, face_region, trouble, warmest_c
from agent.domain.skin.skin_temperature import SkinReading, Unreliable
from agent.domain.skin.thermal_cue import CueReason, array_cue, expected_skin_c, spot_cue

FACE = Region(6, 16, 12, 20)
ARRAY = Optics(640, 480, 66.0, 55.0, 35.0, columns=32)


def reading(celsius, ambient_c=22.0, unreliable=None):
    return SkinReading(celsius, 1.0, 1.0, 10, ambient_c=ambient_c, unreliable=unreliable)


@pytest.mark.parametrize(
    ("celsius", "ambient_c", "score", "reason"),
    [
        (36.2, 22.0, 1.0, CueReason.SKIN_LIKE),
        (39.5, 22.0, 1.0, CueReason.SKIN_LIKE),
        (22.0, 22.0, 0.0, CueReason.TOO_COLD),
        (29.0, 22.0, 0.0, CueReason.TOO_COLD),
        (45.0, 22.0, 0.0, CueReason.TOO_HOT),
        (33.4, 0.0, 1.0, CueReason.SKIN_LIKE),
        (34.3, 33.8, 0.0, CueReason.LIKE_SURROUND),
        (36.0, 34.5, None, CueReason.HOT_DAY),
        (36.0, 40.0, None, CueReason.HOT_DAY),
        (None, 22.0, None, CueReason.UNRELIABLE),
        (36.0, None, None, CueReason.UNRELIABLE),
    ],
)
def test_a_spot(celsius, ambient_c, score, reason):
    cue = spot_cue(reading(celsius, ambient_c))
    assert (cue.score, cue.reason) == (score, reason)


def test_what_is_not_to_be_relied_on_says_nothing():
    assert spot_cue(None).score is None
    assert spot_cue(reading(22.0, unreliable=Unreliable.SPOT_TOO_LARGE)).score is None


def head(ambient_c=22.0, skin_c=36.2, seed=1):
    """A head's thermal image: hair above, forehead, a colder nose, a neck below."""
    chance = np.random.default_rng(seed)
    field = np.full((24, 32), ambient_c, np.float32)
    field[4:7, 12:20] = (ambient_c + skin_c) / 2.0
    field[7:16, 12:20] = skin_c - 0.3
    field[10:13, 15:17] = skin_c - 2.5
    field[16:, 13:19] = skin_c - 0.5
    field += chance.normal(0.0, 0.1, field.shape).astype(np.float32)
    return field


def sheet(celsius, ambient_c=22.0):
    field = np.full((24, 32), ambient_c, np.float32)
    field[2:20, 8:24] = celsius
    return field


def test_a_head_is_a_face_and_a_sheet_is_none():
    assert array_cue(reading(36.2), head(), FACE).score == 1.0
    cold = array_cue(reading(22.0), sheet(22.0), FACE)
    assert cold.score == 0.0
    warm = array_cue(reading(35.0), sheet(35.0), FACE)
    assert warm.score == 0.0


def test_a_screen_as_warm_as_skin_is_too_even():
    field = np.full((24, 32), 22.0, np.float32)
    field[FACE.part] = 35.5
    cue = array_cue(reading(35.5), field, FACE)
    assert (cue.score, cue.reason) == (0.0, CueReason.UNIFORM)


def test_a_warm_wall_is_no_face():
    chance = np.random.default_rng(3)
    field = (35.0 + chance.normal(0, 1.0, (24, 32))).astype(np.float32)
    assert array_cue(reading(36.0), field, FACE).score == 0.0


def test_what_is_warm_far_beyond_a_face_is_too_large():
    field = np.full((24, 32), 22.0, np.float32)
    field[:22, 12:18] = np.linspace(34.0, 37.0, 6)
    cue = array_cue(reading(36.0), field, Region(16, 22, 12, 18))
    assert (cue.score, cue.reason) == (0.0, CueReason.WRONG_SIZE)


def test_a_face_no_warmer_than_what_is_beside_it_is_none():
    field = np.full((24, 32), 36.0, np.float32)
    field[5:17, 11:21] = 22.0  # a cold rim keeps it apart from the rest
    field[FACE.part] = np.linspace(34.0, 37.0, 8)
    cue = array_cue(reading(36.0), field, FACE)
    assert (cue.score, cue.reason) == (0.0, CueReason.LIKE_SURROUND)


def test_a_small_warm_thing_is_not_warm_all_over():
    field = np.full((24, 32), 22.0, np.float32)
    field[9:12, 14:18] = 36.0
    cue = array_cue(reading(36.0), field, FACE)
    assert (cue.score, cue.reason) == (0.0, CueReason.NOT_WARM_ALL_OVER)


@pytest.mark.parametrize("region", [None, Region(0, 2, 0, 2)])
def test_a_face_that_is_not_in_the_image_says_nothing(region):
    assert array_cue(reading(36.2), head(), region).score is None


def test_a_hot_day_says_nothing_of_an_image_either():
    assert array_cue(reading(36.2, 36.0), head(36.0), FACE).reason is CueReason.HOT_DAY


@given(
    st.one_of(st.none(), st.floats()),
    st.one_of(st.none(), st.floats()),
    st.floats(allow_nan=True, width=32),
)
def test_whatever_comes_a_score_is_between_0_and_1_or_none(celsius, ambient_c, pixel):
    field = head()
    field[8:10, 13:18] = pixel
    for cue in (
        spot_cue(reading(celsius, ambient_c)),
        array_cue(reading(celsius, ambient_c), field, FACE),
    ):
        assert cue.score is None or 0.0 <= cue.score <= 1.0


def test_a_colder_day_makes_colder_foreheads():
    assert expected_skin_c(30.0) == expected_skin_c(14.0) == 36.2
    assert expected_skin_c(-10.0) == pytest.approx(31.4)


# --- where the face is ---------------------------------------------------------------------------


def test_a_face_in_the_middle_is_in_the_middle_of_the_image():
    region = face_region(Region.spanning(240, 160, 160, 160), ARRAY, head())
    assert region is not None
    assert (region.left + region.right, region.top + region.bottom) == (32, 24)
    # 160 of 640 pixels over 66 degrees are 18 degrees, a third of 55.
    assert 9 <= region.right - region.left <= 11


def test_the_aim_moves_it():
    straight = face_region(Region.spanning(240, 160, 160, 160), ARRAY, head())
    aimed = Optics(640, 480, 66.0, 55.0, 35.0, columns=32, aim_x_deg=5.0, aim_y_deg=-5.0)
    moved = face_region(Region.spanning(240, 160, 160, 160), aimed, head())
    assert straight is not None
    assert moved is not None
    assert moved.left < straight.left
    assert moved.top > straight.top


@pytest.mark.parametrize("box", [(0, 0, 99, 99), (600, 200, 40, 40), (-500, 0, 90, 90)])
def test_a_face_beside_the_image_is_nowhere(box):
    assert face_region(Region.spanning(*box), ARRAY, head()) is None


@given(*[st.integers(-2000, 2000) for _ in range(2)], *[st.integers(0, 2000) for _ in range(2)])
def test_a_region_lies_in_the_image(x, y, width, height):
    region = face_region(Region.spanning(x, y, width, height), ARRAY, head())
    if region is not None:
        assert 0 <= region.top < region.bottom <= 24
        assert 0 <= region.left < region.right <= 32


def test_the_warm_tenth_of_a_face():
    assert warmest_c(head(), FACE) == pytest.approx(36.0, abs=0.3)
    assert math.isnan(warmest_c(np.full((24, 32), np.nan, np.float32), FACE))


@pytest.mark.parametrize(
    ("width_px", "optics", "why"),
    [
        (120, Optics(640, 480, 66.0, 5.0), None),  # 62 cm
        (100, Optics(640, 480, 66.0, 5.0), Unreliable.SPOT_TOO_LARGE),  # 74 cm
        (120, Optics(640, 480, 66.0, 35.0), Unreliable.SPOT_TOO_LARGE),
        (130, ARRAY, None),
        (100, ARRAY, Unreliable.SPOT_TOO_LARGE),
        (120, Optics(640, 480, None, 5.0), Unreliable.NO_DISTANCE),
        (0, Optics(640, 480, 66.0, 5.0), Unreliable.NO_DISTANCE),
    ],
)
def test_how_near_a_face_must_be(width_px, optics, why):
    assert trouble(width_px, optics) is why
