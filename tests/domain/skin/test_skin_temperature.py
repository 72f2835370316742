"""A reading out of many samples: the median holds, and says when it is not to be relied on."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.skin.baseline import HIGHEST_C, LEAST_PEOPLE, MOST_PEOPLE, Baseline
from agent.domain.skin.skin_temperature import SkinSample, SkinSettings, Unreliable, aggregate

SETTINGS = SkinSettings()
NOW_S = 100.0


def samples(*temperatures, ambient_c=22.0, until_s=NOW_S):
    return [
        SkinSample(until_s - 0.1 * i, celsius, ambient_c) for i, celsius in enumerate(temperatures)
    ]


def read(given, settings=SETTINGS, trouble=None):
    return aggregate(given, settings, NOW_S, trouble)


def test_ten_samples_are_a_reading():
    reading = read(samples(*[36.4] * 5, *[36.6] * 5))
    assert reading.temperature_c == pytest.approx(36.5)
    assert (reading.samples, reading.rejected, reading.unreliable) == (10, 0, None)
    assert (reading.measured_s, reading.first_s) == (NOW_S, pytest.approx(99.1))
    assert reading.ambient_c == 22.0


@pytest.mark.parametrize(
    ("given_samples", "why"),
    [
        ([], Unreliable.TOO_FEW_SAMPLES),
        (samples(*[36.5] * 9), Unreliable.TOO_FEW_SAMPLES),
        (samples(*[math.nan] * 20), Unreliable.TOO_FEW_SAMPLES),
        (samples(*[36.5] * 12, until_s=97.9), Unreliable.STALE),
        (samples(*[36.5] * 12, until_s=100.1), Unreliable.STALE),
        (samples(*[36.5] * 12, ambient_c=9.9), Unreliable.AMBIENT),
        (samples(*[36.5] * 12, ambient_c=40.1), Unreliable.AMBIENT),
        (samples(*[36.5] * 12, ambient_c=None), Unreliable.AMBIENT),
        (samples(*[36.5] * 12, ambient_c=math.nan), Unreliable.AMBIENT),
        (samples(*[35.0, 37.0] * 6), Unreliable.SCATTERED),
        (samples(*[27.9] * 12), Unreliable.COLD),
        (samples(*[-20.0] * 12), Unreliable.COLD),
        (samples(*[43.1] * 12), Unreliable.NOT_SKIN),
        (samples(*[294.0] * 12), Unreliable.NOT_SKIN),
        (samples(*[36.5] * 12, *[20.0] * 7), Unreliable.SCATTERED),
        (samples(*[36.5] * 12, ambient_c=10.0), None),
        (samples(*[36.5] * 12, ambient_c=40.0), None),
        (samples(*[36.5] * 12, until_s=98.0), None),
    ],
)
def test_why_a_reading_is_not_to_be_relied_on(given_samples, why):
    assert read(given_samples).unreliable is why


def test_what_the_caller_knows_comes_first():
    reading = read(samples(*[36.5] * 12), trouble=Unreliable.SPOT_TOO_LARGE)
    assert reading.unreliable is Unreliable.SPOT_TOO_LARGE
    assert read([], trouble=Unreliable.NO_DISTANCE).temperature_c is None


def test_an_odd_sample_is_rejected_and_counted():
    reading = read(samples(*[36.5] * 10, 60.0, -20.0, math.inf))
    assert (reading.temperature_c, reading.samples, reading.rejected) == (36.5, 10, 3)


def test_a_moment_is_one_sample():
    assert read([SkinSample(99.9, 36.5, 22.0)] * 20).samples == 1


def test_a_correction_for_the_air_is_none_until_somebody_sets_it():
    cold = samples(*[36.0] * 10, ambient_c=13.0)
    assert read(cold).temperature_c == 36.0
    settings = replace(SETTINGS, ambient_offset_c_per_c=0.05, ambient_reference_c=23.0)
    assert read(cold, settings).temperature_c == pytest.approx(36.5)
    assert read(samples(*[36.0] * 10, ambient_c=33.0), settings).temperature_c == pytest.approx(
        35.5
    )


temperatures = st.floats(30.0, 42.0)
any_number = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(any_number, max_size=30), st.randoms())
def test_the_order_of_samples_makes_no_difference(values, chance):
    given_samples = samples(*values)
    mixed = list(given_samples)
    chance.shuffle(mixed)
    assert repr(read(mixed)) == repr(read(given_samples))


@given(st.lists(temperatures, min_size=10, max_size=30), st.data())
def test_fewer_than_half_wrong_move_the_median_no_further_than_the_right_ones_reach(good, data):
    wrong = data.draw(st.lists(any_number, max_size=(len(good) - 1) // 2))
    reading = read(samples(*good, *wrong))
    assert reading.temperature_c is not None
    assert min(good) - 1e-9 <= reading.temperature_c <= max(good) + 1e-9


@given(st.lists(any_number, max_size=40), st.lists(any_number, min_size=1, max_size=3))
def test_whatever_is_read_nothing_raises_and_nothing_reliable_is_no_number(values, ambients):
    one = [
        replace(sample, ambient_c=ambients[i % len(ambients)])
        for i, sample in enumerate(samples(*values))
    ]
    reading = read(one)
    assert reading.samples + reading.rejected == len(values) or reading.temperature_c is None
    if reading.unreliable is None:
        assert reading.temperature_c is not None
        assert math.isfinite(reading.temperature_c)
        assert reading.samples >= SETTINGS.samples_min


# --- the baseline --------------------------------------------------------------------------------


def crowd(*temperatures, every_s=60.0):
    found = Baseline()
    for i, celsius in enumerate(temperatures):
        found = found.add(celsius, 1000.0 + i * every_s)
    return found, 1000.0 + len(temperatures) * every_s


def test_few_people_make_no_baseline():
    found, now_s = crowd(*[36.0] * (LEAST_PEOPLE - 1))
    assert found.value_c(now_s, 4.0) is None
    assert found.add(36.0, now_s).value_c(now_s, 4.0) == 36.0


def test_only_the_last_hours_count_and_no_later_ones():
    found, now_s = crowd(*[36.0] * 30)
    assert found.value_c(now_s + 3600.0, 4.0) == 36.0
    assert found.value_c(now_s + 5 * 3600.0, 4.0) is None
    assert found.value_c(0.0, 4.0) is None


def test_a_run_of_hot_readings_moves_it_no_higher_than_the_bound_and_is_told():
    found, now_s = crowd(*[36.2] * 100, *[38.5] * 99, every_s=1.0)
    assert found.value_c(now_s, 4.0) == 36.2
    assert not found.drifting(now_s, 4.0)
    found, now_s = crowd(*[36.2] * 10, *[38.5] * 190, every_s=1.0)
    assert found.value_c(now_s, 4.0) == HIGHEST_C
    assert found.drifting(now_s, 4.0)


@given(st.lists(st.tuples(st.floats(30, 42), st.floats(0, 1e6)), max_size=300))
def test_it_stays_bounded_and_comes_back_from_the_disk_as_it_was(people):
    found = Baseline()
    for celsius, at_s in people:
        found = found.add(celsius, at_s)
    assert len(found.people) <= MOST_PEOPLE
    again = Baseline.from_json(found.as_json())
    assert again.as_json() == found.as_json()


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        "x",
        {"people": 1},
        [1, 2],
        [[1]],
        [["a", 36.0]],
        [[1.0, True]],
        [[1.0, math.nan]],
        [[math.inf, 36.0]],
        [[1.0, 99.0]],
        [[-5.0, 36.0]],
    ],
)
def test_what_the_disk_says_is_not_believed(hostile):
    assert Baseline.from_json(hostile).people == ()


def test_a_huge_file_is_cut():
    assert len(Baseline.from_json([[float(i), 36.0] for i in range(10_000)]).people) == MOST_PEOPLE
