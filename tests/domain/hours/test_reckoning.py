"""One rule for all dates: what clocks may do to the time, and what they may not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Bounds, Certainty, Reckoning

THEN = datetime(2026, 5, 6, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0


def at(seconds: float, monotonic_s: float = 0.0, *, trusted=True, confirmed=False) -> Instant:
    return Instant(monotonic_s, THEN + timedelta(seconds=seconds), trusted, confirmed)


def known(latest_s: float = 0.0) -> Reckoning:
    return Reckoning.since(THEN + timedelta(seconds=latest_s)).heard(at(latest_s, 0.0))


def bounds(reckoning: Reckoning, now: Instant) -> tuple[float, float]:
    found = reckoning.heard(now).bounds(now)
    assert found is not None
    return (found.earliest - THEN).total_seconds(), (found.latest - THEN).total_seconds()


@pytest.mark.parametrize(
    ("now", "certainty", "wanted"),
    [
        (at(HOUR, HOUR), Certainty.SETTLED, (HOUR, HOUR)),
        (at(HOUR + 200, HOUR), Certainty.SETTLED, (HOUR + 200, HOUR + 200)),
        (at(HOUR - 200, HOUR), Certainty.SETTLED, (HOUR - 200, HOUR - 200)),
        (at(23 * HOUR, 10.0), Certainty.SETTLED, (23 * HOUR, 23 * HOUR)),
        (at(400 * DAY, 10.0), Certainty.AHEAD, (10.0, 400 * DAY)),
        (at(400 * DAY, 10.0, confirmed=True), Certainty.SETTLED, (400 * DAY, 400 * DAY)),
        (at(400 * DAY, 10.0, trusted=False), Certainty.UNKNOWN, (10.0, 10.0)),
        (at(-HOUR, 10.0), Certainty.BEHIND, (10.0, 10.0)),
        (at(-HOUR, 10.0, confirmed=True), Certainty.BEHIND, (10.0, 10.0)),
        (at(400 * DAY, 400 * DAY), Certainty.SETTLED, (400 * DAY, 400 * DAY)),
    ],
)
def test_the_table(now: Instant, certainty: Certainty, wanted: tuple[float, float]) -> None:
    assert known().heard(now).certainty is certainty
    assert bounds(known(), now) == wanted


def test_the_first_time_ever_is_believed() -> None:
    first = Reckoning().heard(at(0.0))
    assert (first.certainty, first.confirmed(5.0)) == (Certainty.SETTLED, THEN + timedelta(0, 5))


def test_nobody_ever_vouched_for_a_clock() -> None:
    assert Reckoning().heard(at(0.0, trusted=False)).bounds(at(0.0)) is None


def test_weeks_without_power_then_one_source_begins_nothing() -> None:
    late = at(20 * DAY, 3.0)
    started = Reckoning.since(THEN)
    assert started.heard(late).certainty is Certainty.AHEAD
    assert bounds(started, late) == (0.0, 20 * DAY)
    signed = at(20 * DAY, 4.0, confirmed=True)
    assert started.heard(late).heard(signed).certainty is Certainty.SETTLED


def test_hops_of_less_than_a_day_do_not_walk_away() -> None:
    reckoning = known()
    for hop in range(1, 60):
        reckoning = reckoning.heard(at(hop * 20 * HOUR, hop * 5.0))
    assert reckoning.certainty is Certainty.AHEAD
    latest = reckoning.confirmed(300.0)
    assert latest is not None
    assert latest <= THEN + timedelta(days=1, minutes=5)


def test_what_one_source_claimed_is_settled_by_a_signed_one() -> None:
    ahead = known().heard(at(400 * DAY, 10.0))
    signed = at(20.0, 20.0, confirmed=True)
    assert ahead.heard(at(15.0, 15.0)).certainty is Certainty.AHEAD
    assert bounds(ahead, signed) == (20.0, 20.0)


def test_a_person_takes_a_wrong_time_back() -> None:
    wrong = known().heard(at(20 * HOUR, 5.0))
    right = at(10.0, 10.0)
    assert wrong.heard(right).certainty is Certainty.BEHIND
    told = wrong.heard(right).told(right.utc, right)
    assert told.certainty is Certainty.SETTLED
    assert told.bounds(right) == Bounds(right.utc, right.utc)


def test_a_person_confirms_what_one_source_claims() -> None:
    late = at(20 * DAY, 3.0)
    told = Reckoning.since(THEN).heard(late).told(late.utc, late)
    assert told.heard(at(20 * DAY + 60, 63.0)).certainty is Certainty.SETTLED


STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 3 * DAY),  # what passes
        st.one_of(st.just(0.0), st.floats(-600, 600), st.floats(-900 * DAY, 900 * DAY)),
        st.booleans(),  # whether somebody vouches for the clock
    ),
    max_size=30,
)


@given(STEPS, st.one_of(st.none(), st.floats(-10 * DAY, 10 * DAY)))
def test_no_steps_make_valid_again_what_has_ended(steps, written: float | None) -> None:
    latest = None if written is None else THEN + timedelta(seconds=written)
    reckoning, now_s, ended = Reckoning.since(latest), 0.0, None
    for passed_s, off_s, trusted in steps:
        now_s += passed_s
        now = at(now_s + off_s, now_s, trusted=trusted)
        reckoning = reckoning.heard(now)
        found = reckoning.bounds(now)
        if found is not None:
            assert ended is None or found.latest >= ended
            assert found.earliest <= found.latest
            ended = found.latest


@given(steps=STEPS, signed=st.booleans())
def test_not_even_signed_times_go_below_what_was_confirmed(steps, *, signed: bool) -> None:
    reckoning, now_s, confirmed = known(), 0.0, THEN
    for number, (passed_s, off_s, trusted) in enumerate(steps):
        now_s += passed_s
        sure = signed and number % 2 == 0
        now = at(now_s + off_s, now_s, trusted=trusted, confirmed=sure)
        reckoning = reckoning.heard(now)
        found, latest = reckoning.bounds(now), reckoning.confirmed(now_s)
        assert found is not None
        assert latest is not None
        assert latest >= confirmed
        assert found.latest >= confirmed - reckoning.tolerance - timedelta(minutes=1)
        confirmed = latest


@given(STEPS)
def test_one_source_begins_nothing_a_day_before_its_time(steps) -> None:
    reckoning, now_s = known(), 0.0
    for passed_s, off_s, trusted in steps:
        now_s += passed_s
        now = at(now_s + off_s, now_s, trusted=trusted)
        reckoning = reckoning.heard(now)
        found = reckoning.bounds(now)
        assert found is not None
        assert found.earliest <= THEN + timedelta(seconds=now_s + DAY + 1)


@given(STEPS)
def test_hearing_the_same_instant_again_changes_nothing(steps) -> None:
    reckoning, now_s = known(), 0.0
    for passed_s, off_s, trusted in steps:
        now_s += passed_s
        now = at(now_s + off_s, now_s, trusted=trusted)
        reckoning = reckoning.heard(now)
        again = reckoning.heard(now)
        assert again.bounds(now) == reckoning.bounds(now)
        assert again.certainty is reckoning.certainty
