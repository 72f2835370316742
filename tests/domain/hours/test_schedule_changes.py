"""The next change of a schedule: exact, over every trick that a zone's clock has played."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.hours.holidays import Holiday, parse_days
from agent.domain.hours.schedule import HOLIDAY, HORIZON, DatedSpan, Schedule, Span, shifts

# Half-hour shifts, shifts at midnight, shifts that are put back over midnight, a month of winter
# time in summer, a day left out, no shift at all.
ZONES = [
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"),
    *("Africa/Casablanca", "America/Havana", "Asia/Beirut", "America/Sao_Paulo"),
    *("Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "UTC"),
]
YEARS = [datetime(year, 1, 1, tzinfo=UTC) for year in (2006, 2011, 2026)]
SHIFTS = {
    name: [
        moment
        for year in YEARS
        for moment in shifts(ZoneInfo(name), year, year + timedelta(days=366))
    ]
    for name in ZONES
}
ANY_DAY = frozenset(range(8))
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "begin", "expected"),
    [
        ("Europe/Berlin", "2026-01-01", ["2026-03-29T01:00", "2026-10-25T01:00"]),
        ("America/New_York", "2026-01-01", ["2026-03-08T07:00", "2026-11-01T06:00"]),
        ("Australia/Lord_Howe", "2026-01-01", ["2026-04-04T15:00", "2026-10-03T15:30"]),
        ("Africa/Casablanca", "2025-01-01", ["2025-02-23T02:00", "2025-04-06T02:00"]),
        ("America/Recife", "2000-05-01", ["2000-10-08T03:00", "2000-10-15T02:00"]),
        ("America/Havana", "2026-01-01", ["2026-03-08T05:00", "2026-11-01T05:00"]),
        (
            "Pacific/Apia",
            "2011-06-01",
            ["2011-09-24T14:00", "2011-12-30T10:00", "2012-03-31T14:00"],
        ),
        ("Asia/Shanghai", "2026-01-01", []),
        ("UTC", "2026-01-01", []),
    ],
)
def test_shifts_are_found_to_the_second(zone, begin, expected) -> None:
    start = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    found = list(shifts(ZoneInfo(zone), start, start + timedelta(days=365)))
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in found] == expected
    for moment in found:
        assert list(shifts(ZoneInfo(zone), moment - MICROSECOND, moment)) == [moment]
        assert list(shifts(ZoneInfo(zone), moment, moment + MICROSECOND)) == []
        assert list(shifts(ZoneInfo(zone), moment - 2 * MICROSECOND, moment - MICROSECOND)) == []


@pytest.mark.parametrize(
    ("zone", "span", "at", "change"),
    [
        # by day and night, and exact though the question is asked in the middle of a second
        ("Asia/Shanghai", (6, 22), "2026-05-04T00:00:00.5+08:00", "2026-05-04T06:00+08:00"),
        ("Asia/Shanghai", (6, 22), "2026-05-04T06:00+08:00", "2026-05-04T22:00+08:00"),
        ("Asia/Shanghai", (22, 6), "2026-05-04T22:00+08:00", "2026-05-05T06:00+08:00"),
        # put forward at 02:00: a span that begins in the missing hour begins at the jump
        ("Europe/Berlin", (2, 4), "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00"),
        ("Europe/Berlin", (0, 2), "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00"),
        # put back at 03:00 to 02:00: one time, twice
        ("Europe/Berlin", (2, 4), "2026-10-25T02:30+02:00", "2026-10-25T04:00+01:00"),
        # half an hour
        ("Australia/Lord_Howe", (2, 4), "2026-10-04T01:00+10:30", "2026-10-04T02:30+11:00"),
        # put forward at midnight, which is then 01:00
        ("America/Havana", (0, 6), "2026-03-07T23:00-05:00", "2026-03-08T01:00-04:00"),
        ("Asia/Beirut", (0, 6), "2026-03-28T23:00+02:00", "2026-03-29T01:00+03:00"),
        # put back from midnight to 23:00 of the day before
        ("Asia/Beirut", (23, 0), "2026-10-24T22:59+03:00", "2026-10-24T23:00+03:00"),
        ("Asia/Beirut", (23, 0), "2026-10-24T23:30+03:00", "2026-10-25T00:00+02:00"),
    ],
)
def test_changes(zone, span, at, change) -> None:
    schedule = Schedule((Span(ANY_DAY, time(span[0]), time(span[1])),), ZoneInfo(zone))
    asked = datetime.fromisoformat(at).astimezone(UTC)
    assert schedule.next_change(asked) == datetime.fromisoformat(change)


def test_a_span_that_ends_in_the_repeated_hour_holds_twice() -> None:
    schedule = Schedule((Span(ANY_DAY, time(1), time(2, 30)),), ZoneInfo("Europe/Berlin"))
    moment = datetime.fromisoformat("2026-10-24T23:00+00:00")
    found = []
    for _ in range(3):
        change = schedule.next_change(moment)
        assert change is not None
        moment = change
        found.append(f"{moment:%H:%M}")
    assert found == ["00:30", "01:00", "01:30"]  # 02:30 CEST; put back to 02:00; 02:30 CET


def test_a_day_left_out_is_missing_time() -> None:
    # Samoa went from Thursday the 29th to Saturday the 31st.
    thursday, friday, saturday = (date(2011, 12, 29 + i).weekday() for i in range(3))
    zone = ZoneInfo("Pacific/Apia")
    before = datetime(2011, 12, 29, 12, tzinfo=zone).astimezone(UTC)
    midnight = datetime(2011, 12, 31, tzinfo=zone).astimezone(UTC)
    day = Schedule((Span(frozenset({friday}), time(8), time(18)),), zone)
    change = day.next_change(before)
    assert change is not None
    assert change > midnight + timedelta(days=5)
    night = Schedule((Span(frozenset({friday}), time(22), time(6)),), zone)
    assert night.next_change(before) == midnight
    night = Schedule((Span(frozenset({thursday}), time(22), time(6)),), zone)
    assert not night.holds(midnight)
    assert Schedule((Span(frozenset({saturday}), time(0), time(0)),), zone).holds(midnight)


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule((), UTC),
        Schedule((Span(ANY_DAY, time(0), time(0)),), ZoneInfo("Europe/Berlin")),
        Schedule((), UTC, exceptions=(DatedSpan(date(2028, 1, 1), open=True, start=time(1)),)),
    ],
)
def test_what_stays_as_it_is_changes_never(schedule) -> None:
    assert schedule.next_change(datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_change_is_looked_for_up_to_the_horizon() -> None:
    asked = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    for day, found in ((asked + HORIZON, True), (asked + HORIZON + timedelta(days=1), False)):
        once = DatedSpan(day.date(), open=True)
        assert (Schedule((), UTC, exceptions=(once,)).next_change(asked) is not None) is found


CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 0, 15, 30, 59]))
DAYS = st.dates(date(2005, 12, 1), date(2027, 6, 1))
SPANS = st.builds(Span, st.frozensets(st.integers(0, 7), min_size=1), CLOCKS, CLOCKS)
OFFSETS = st.timedeltas(timedelta(days=-2), timedelta(days=2))


@st.composite
def questions(draw):
    """A schedule and a moment, near a shift of its zone where there is one."""
    name = draw(st.sampled_from(ZONES))
    if SHIFTS[name] and draw(st.booleans()):
        moment = draw(st.sampled_from(SHIFTS[name]))
    else:
        moment = draw(st.sampled_from(YEARS)) + draw(st.integers(0, 360)) * timedelta(days=1)
    near = [(moment + timedelta(days=i)).date() for i in range(-2, 4)]
    holidays = tuple(
        Holiday("some", (parse_days(day.isoformat()),))
        for day in draw(st.lists(st.sampled_from(near), max_size=2))
    )
    exceptions = draw(
        st.lists(
            st.builds(DatedSpan, st.sampled_from(near), st.booleans(), CLOCKS, CLOCKS), max_size=3
        )
    )
    spans = tuple(draw(st.lists(SPANS, max_size=3)))
    schedule = Schedule(spans, ZoneInfo(name), holidays, tuple(exceptions))
    return schedule, moment + draw(OFFSETS)


@settings(max_examples=400, deadline=None)
@given(questions(), st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=40))
def test_nothing_changes_before_the_next_change(question, fractions) -> None:
    schedule, asked = question
    now, change = schedule.holds(asked), schedule.next_change(asked)
    until = change or asked + HORIZON
    assert asked < until
    if change is not None:
        assert schedule.holds(change) != now
        assert schedule.holds(change - MICROSECOND) == now
    # Near both ends most of all, where an hour too many or too few would be.
    length = until - asked
    near = [min(length, timedelta(days=2)) * f for f in fractions]
    moments = [asked + length * f for f in fractions]
    moments += [asked + offset for offset in near] + [
        until - offset - MICROSECOND for offset in near
    ]
    assert all(schedule.holds(moment) == now for moment in moments if asked <= moment < until)


@settings(deadline=None)
@given(questions())
def test_closed_is_stronger_than_open_and_a_holiday_than_its_weekday(question) -> None:
    schedule, moment = question
    day = moment.astimezone(schedule.zone).date()
    closed = DatedSpan(day, open=False)
    whole = Schedule(schedule.spans, schedule.zone, schedule.holidays, (closed,))
    assert not whole.holds(moment)
    opened = DatedSpan(day, open=True)
    assert Schedule((), schedule.zone, schedule.holidays, (opened,)).holds(moment)
    assert not Schedule((), schedule.zone, (), (opened, closed)).holds(moment)
    workdays = tuple(Span(span.days - {HOLIDAY}, time(0), time(0)) for span in schedule.spans)
    free = (Holiday("now", (parse_days(day.isoformat()),)),)
    assert not Schedule(workdays, schedule.zone, free).holds(moment)
