"""Weekly spans: ends, nights, and the two odd days of daylight saving."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from agent.domain.schedule import Schedule, Span

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
