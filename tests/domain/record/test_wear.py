"""The day's wear of a memory card: what counts, and when another day begins."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from agent.domain.hours.instant import Instant
from agent.domain.record.wear import Day, Meter, Wear, counted, day_of

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
FULL = Day(date(2026, 11, 28), 40, 2, 90, {"journal": 40}, began_s=5.0)


def at(hours: float, *, trusted: bool = True) -> Instant:
    return Instant(5.0 + hours * 3600, NOON + timedelta(hours=hours), utc_trusted=trusted)


def test_another_date_is_another_day() -> None:
    assert day_of(FULL, at(11.9)) == FULL
    assert day_of(FULL, at(12.1)) == Day(date(2026, 11, 29), began_s=at(12.1).monotonic_s)


def test_a_clock_that_nobody_vouches_for_forgives_nothing_for_a_day() -> None:
    in_1970 = replace(at(0.1, trusted=False), utc=datetime(1970, 1, 1, tzinfo=UTC))
    assert day_of(FULL, in_1970) == FULL
    assert day_of(FULL, at(23.9, trusted=False)) == FULL
    assert day_of(FULL, at(24.0, trusted=False)) == Day(began_s=at(24.0).monotonic_s)


def test_a_day_of_no_date_gets_one_and_keeps_its_count() -> None:
    assert day_of(replace(FULL, on=None), at(1)) == FULL


def test_what_the_meter_ran_on_is_counted_and_what_ran_back_is_not() -> None:
    before = Meter(100, 10, 1000, {"journal": 90, "state": 10})
    now = Meter(160, 15, 1500, {"journal": 150, "ledger": 3})
    day = counted(FULL, before, now)
    assert (day.written, day.logged, day.device) == (100, 7, 590)
    assert day.by_thread == {"journal": 100, "ledger": 3}
    assert day.total == 107
    assert counted(FULL, now, Meter(0, 0, 0)) == FULL


def test_a_system_that_does_not_tell_leaves_the_log_to_be_counted() -> None:
    day = counted(FULL, Meter(None, 1, None), Meter(None, 4, None))
    assert (day.written, day.logged, day.device) == (40, 5, 90)


def test_the_budget_is_over_when_more_was_written() -> None:
    assert not Wear(FULL, 42, measured=True).over
    assert Wear(FULL, 41, measured=True).over
    assert Wear(Day(), 1, measured=True).as_json()["date"] is None
    told = Wear(Day(by_thread={"a": 1, "b": 7}), 1, measured=True).told()
    assert list(told["by"]) == ["b", "a"]
