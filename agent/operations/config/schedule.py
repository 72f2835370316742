"""What a schedule says: at one moment, and day by day in the kiosk's own time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from agent.domain.credential.near import did_you_mean
from agent.domain.hours.schedule import Schedule, shifts
from agent.errors import RefusedError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day: when it is open (UTC), and what makes it another than its weekday.

    ``ends`` is the moment at which the next day begins; ``clock_change_s`` how far the clock is put
    forward on this day, less than nothing for back.
    """

    day: date
    open: tuple[Period, ...]
    ends: datetime
    holidays: tuple[str, ...]
    exception: bool
    clock_change_s: int


def chosen(known: Mapping[str, Schedule], name: str | None) -> Mapping[str, Schedule]:
    """The schedule of that name, or all of them.

    Raises:
        RefusedError: ``no_such_schedule``.
    """
    if name is None:
        return known
    if name not in known:
        near = did_you_mean(name, known) or (f"; there is {', '.join(known)}" if known else "")
        fix = "gate-agent config schedule" if known else "add a [[schedule]] to the config"
        said = f"there is no [[schedule]] {name!r}{near}\nFix: {fix}"
        raise RefusedError("no_such_schedule", said)
    return {name: known[name]}


def day_plans(schedule: Schedule, first: date, days: int) -> list[DayPlan]:
    """So many days from ``first`` on."""
    dates = [first + timedelta(days=i) for i in range(days + 1)]
    starts = [datetime.combine(day, time(), schedule.zone).astimezone(UTC) for day in dates]
    periods = _periods(schedule, starts[0], starts[-1])
    return [
        DayPlan(
            day=day,
            open=_within(periods, start, end),
            ends=end,
            holidays=tuple(one.id for one in schedule.holidays_on(day)),
            exception=any(one.day == day for one in schedule.exceptions),
            clock_change_s=_clock_change_s(schedule.zone, start, end),
        )
        for day, start, end in zip(dates, starts, starts[1:], strict=False)
    ]


def described(name: str, schedule: Schedule, at: datetime, days: int) -> dict[str, Any]:
    """The schedule at a moment and on the days from it on, as JSON values."""
    zone = schedule.zone
    change = schedule.next_change(at)
    return {
        "schedule": name,
        "timezone": str(zone),
        "at": _local(at, zone),
        "open": schedule.holds(at),
        "next_change": None if change is None else _local(change, zone),
        "days": [
            {
                "date": plan.day.isoformat(),
                "weekday": WEEKDAYS[plan.day.weekday()],
                "holidays": list(plan.holidays),
                "exception": plan.exception,
                "clock_change_s": plan.clock_change_s,
                "open": [
                    {"from": _local(start, zone), "until": _local(end, zone)}
                    for start, end in plan.open
                ],
            }
            for plan in day_plans(schedule, at.astimezone(zone).date(), days)
        ],
    }


def summary(schedule: Schedule, at: datetime) -> str:
    """Whether it is open at a moment, and until when, for people."""
    state = "open" if schedule.holds(at) else "closed"
    change = schedule.next_change(at)
    if change is None:
        return f"{state}, and stays so"
    return f"{state} until {change.astimezone(schedule.zone):%a %Y-%m-%d %H:%M:%S %Z}"


def rows(
    schedule: Schedule, first: date, days: int, day: str = "%a %Y-%m-%d"
) -> list[tuple[str, str, str]]:
    """Day, written as ``day`` says, hours and remarks of each day, for people."""
    return [
        (plan.day.strftime(day), _hours(plan, schedule.zone), ", ".join(_remarks(plan)))
        for plan in day_plans(schedule, first, days)
    ]


def _hours(plan: DayPlan, zone: tzinfo) -> str:
    said = ", ".join(
        f"{start.astimezone(zone):%H:%M}-"
        + ("24:00" if end == plan.ends else f"{end.astimezone(zone):%H:%M}")
        for start, end in plan.open
    )
    return said or "closed"


def _remarks(plan: DayPlan) -> list[str]:
    said = [f"holiday {name}" for name in plan.holidays]
    if plan.exception:
        said.append("exception")
    if plan.clock_change_s:
        way = "forward" if plan.clock_change_s > 0 else "back"
        said.append(f"clock put {way} {abs(plan.clock_change_s) // 60} min")
    return said


def _periods(schedule: Schedule, begin: datetime, end: datetime) -> list[Period]:
    """When it is open between two moments."""
    found: list[Period] = []
    moment = begin
    while moment < end:
        change = min(schedule.next_change(moment) or end, end)
        if schedule.holds(moment):
            found.append((moment, change))
        moment = change
    return found


def _within(periods: Sequence[Period], begin: datetime, end: datetime) -> tuple[Period, ...]:
    cut = [(max(start, begin), min(stop, end)) for start, stop in periods]
    return tuple((start, stop) for start, stop in cut if start < stop)


def _clock_change_s(zone: tzinfo, begin: datetime, end: datetime) -> int:
    """How far the clock is put forward; at midnight it is so on the day that begins then."""
    moved = timedelta()
    for moment in shifts(zone, begin - _SECOND, end - _SECOND):
        after = moment.astimezone(zone).replace(tzinfo=None)
        moved += after - (moment - _SECOND).astimezone(zone).replace(tzinfo=None) - _SECOND
    return round(moved.total_seconds())


def _local(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")
