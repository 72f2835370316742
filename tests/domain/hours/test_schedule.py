"""Spans, holidays, exceptions: ends, nights, and the two odd days of daylight saving."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.domain.hours.holidays import Holiday, parse_days
from agent.domain.hours.schedule import HOLIDAY, DatedSpan, Schedule, Span

MONDAY, SUNDAY = 0, 6
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("days", "start", "end", "local", "holds"),
    [
        ({MONDAY}, time(6), time(22), datetime(2026, 5, 4, 6, 0, tzinfo=SHANGHAI), True),
        ({MONDAY}, time(6), time(22), datetime(2026, 5, 4, 5, 59, 59, tzinfo=SHANGHAI), False),
        ({MONDAY}, time(6), time(22), datetime(2026, 5, 4, 22, 0, tzinfo=SHANGHAI), False),
        ({MONDAY}, time(6), time(22), datetime(2026, 5, 5, 12, 0, tzinfo=SHANGHAI), False),
        ({MONDAY}, time(22), time(6), datetime(2026, 5, 4, 23, 0, tzinfo=SHANGHAI), True),
        ({MONDAY}, time(22), time(6), datetime(2026, 5, 5, 5, 59, tzinfo=SHANGHAI), True),
        ({MONDAY}, time(22), time(6), datetime(2026, 5, 5, 6, 0, tzinfo=SHANGHAI), False),
        ({MONDAY}, time(22), time(6), datetime(2026, 5, 4, 5, 0, tzinfo=SHANGHAI), False),
        ({SUNDAY}, time(22), time(6), datetime(2026, 5, 4, 5, 0, tzinfo=SHANGHAI), True),
        ({MONDAY}, time(0), time(0), datetime(2026, 5, 4, 23, 59, tzinfo=SHANGHAI), True),
        ({MONDAY}, time(0), time(0), datetime(2026, 5, 5, 0, 0, tzinfo=SHANGHAI), False),
    ],
)
def test_spans(days, start, end, local, holds):
    schedule = Schedule((Span(frozenset(days), start, end),), SHANGHAI)
    assert schedule.holds(local.astimezone(UTC)) is holds


@pytest.mark.parametrize(
    ("utc", "holds"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), False),  # 01:59 CET
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), True),  # 03:00 CEST: 02:00 never was
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True),  # 02:30 CEST
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True),  # 02:30 CET, an hour later
        (datetime(2026, 10, 25, 3, 0, tzinfo=UTC), False),  # 04:00 CET
    ],
)
def test_daylight_saving_moves_with_the_wall_clock(utc, holds):
    schedule = Schedule((Span(frozenset({SUNDAY}), time(2), time(4)),), BERLIN)
    assert schedule.holds(utc) is holds


def test_no_span_never_holds():
    assert not Schedule((), UTC).holds(datetime(2026, 5, 4, tzinfo=UTC))


# --- holidays and exceptions ---------------------------------------------------------------------

WEEKDAYS = frozenset(range(5))
DAY = Span(WEEKDAYS, time(8), time(18))
NIGHT = Span(frozenset(range(7)), time(22), time(6))
SHORT = Span(frozenset({HOLIDAY}), time(10), time(12))
# Thursday the 24th of December 2026 and Friday the 25th.
FEAST = Holiday("feast", (parse_days("12-25"),))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-12-{text}").replace(tzinfo=BERLIN).astimezone(UTC)


def on(day: int, *, is_open: bool, start: int = 0, end: int = 0) -> DatedSpan:
    return DatedSpan(date(2026, 12, day), is_open, time(start), time(end))


PRECEDENCE = [
    # weekly, and the holiday in place of its weekday
    ((DAY,), (), (), "25T12:00", True),
    ((DAY,), (FEAST,), (), "25T12:00", False),
    ((DAY, SHORT), (FEAST,), (), "25T11:00", True),
    ((DAY, SHORT), (FEAST,), (), "25T12:00", False),
    ((DAY, SHORT), (FEAST,), (), "24T11:00", True),
    ((DAY, SHORT), (FEAST,), (), "24T09:00", True),
    ((DAY, SHORT), (), (), "25T09:00", True),
    # a night span belongs to the day on which it begins: its tail runs into the holiday, and the
    # holiday's own evening has none
    ((NIGHT,), (FEAST,), (), "25T05:59", True),
    ((NIGHT,), (FEAST,), (), "25T06:00", False),
    ((NIGHT,), (FEAST,), (), "25T23:00", False),
    ((NIGHT,), (FEAST,), (), "26T05:00", False),
    ((NIGHT,), (FEAST,), (), "26T23:00", True),
    ((Span(frozenset({HOLIDAY}), time(22), time(6)),), (FEAST,), (), "26T05:00", True),
    # an open exception opens over a holiday and over nothing
    ((), (FEAST,), (on(25, is_open=True, start=14, end=16),), "25T15:00", True),
    ((), (FEAST,), (on(25, is_open=True, start=14, end=16),), "25T16:00", False),
    ((DAY,), (FEAST,), (on(24, is_open=True, start=20, end=2),), "25T01:59", True),
    ((DAY,), (FEAST,), (on(24, is_open=True, start=20, end=2),), "25T02:00", False),
    # a closed one is stronger than all, for as long as it lasts
    ((DAY,), (), (on(24, is_open=False, start=12),), "24T11:59", True),
    ((DAY,), (), (on(24, is_open=False, start=12),), "24T12:00", False),
    ((DAY,), (), (on(24, is_open=False, start=12, end=14),), "24T14:00", True),
    ((DAY,), (), (on(24, is_open=False), on(24, is_open=True, start=9, end=10)), "24T09:30", False),
    ((), (), (on(24, is_open=True), on(24, is_open=False, start=9, end=10)), "24T09:30", False),
    ((), (), (on(24, is_open=True), on(24, is_open=False, start=9, end=10)), "24T10:00", True),
    # a whole day closed cuts the tail that runs into it, and its own evening has none
    ((NIGHT,), (), (on(24, is_open=False),), "23T23:59", True),
    ((NIGHT,), (), (on(24, is_open=False),), "24T00:00", False),
    ((NIGHT,), (), (on(24, is_open=False),), "24T23:00", False),
    ((NIGHT,), (), (on(24, is_open=False),), "25T05:00", False),
    ((NIGHT,), (), (on(24, is_open=False),), "25T23:00", True),
    ((), (), (on(24, is_open=False), on(24, is_open=True, start=22, end=6)), "25T05:00", False),
    # a part of it closes that part only
    ((NIGHT,), (), (on(24, is_open=False, start=20, end=0),), "24T23:00", False),
    ((NIGHT,), (), (on(24, is_open=False, start=20, end=0),), "25T05:00", True),
    ((NIGHT,), (), (on(24, is_open=False, start=20, end=3),), "25T02:59", False),
    ((NIGHT,), (), (on(24, is_open=False, start=20, end=3),), "25T03:00", True),
]


@pytest.mark.parametrize(("spans", "holidays", "exceptions", "local", "holds"), PRECEDENCE)
def test_precedence(spans, holidays, exceptions, local, holds):
    assert Schedule(spans, BERLIN, holidays, exceptions).holds(at(local)) is holds


def test_a_step_of_the_clock_is_another_question_and_nothing_more():
    schedule = Schedule((DAY,), BERLIN)
    asked = [at("24T12:00"), at("24T19:00"), at("24T12:00"), at("23T12:00")]
    assert [schedule.holds(moment) for moment in asked] == [True, False, True, True]


def test_each_place_has_its_own_day():
    moment = datetime(2026, 5, 4, 22, tzinfo=UTC)  # Monday evening in Berlin, Tuesday in Shanghai
    monday = Span(frozenset({MONDAY}), time(0), time(0))
    assert not Schedule((monday,), SHANGHAI).holds(moment)
    assert not Schedule((monday,), BERLIN).holds(moment)
    assert Schedule((monday,), BERLIN).holds(moment - timedelta(minutes=1))
    assert Schedule((monday,), ZoneInfo("America/New_York")).holds(moment)
