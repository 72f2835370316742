"""Schedules at the gate: rules and doors by the hour of the place, and when the clock is set."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from gate_parts import DOOR, PASS, REGISTRY, Gate
from pass_parts import NOW, claims

from agent.controller.effects import Hold, Record, Release, Secure
from agent.controller.inputs import ClockTold, Tick
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.rule import Rule
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import DoorLatch, Latches, Mode
from agent.domain.hours.holidays import Holiday, parse_days
from agent.domain.hours.reckoning import ClockChange
from agent.domain.hours.schedule import HOLIDAY, DatedSpan, Schedule, Span
from agent.domain.record.events import EventType

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
EVERY_DAY = frozenset(range(8))
BY_PASS = (frozenset({PASS}),)
LONG = claims(
    valid_from=NOW - timedelta(days=900),
    valid_until=NOW + timedelta(days=900),
    issued_at=NOW - timedelta(days=900),
)
CLOSED = "NotPermittedAtThisTime"
HOUR_S = 3600.0


def daily(start: int, end: int, zone: str, **more) -> Schedule:
    return Schedule((Span(EVERY_DAY, time(start), time(end)),), ZoneInfo(zone), **more)


def rule(schedule: Schedule | None, category: str = "resident", **more) -> Rule:
    return Rule(frozenset({category}), factors=BY_PASS, schedule=schedule, **more)


def at(gate: Gate, local: str, zone: str) -> str:
    """What a pass is answered with at this time of the place."""
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    gate.clock.advance(60)
    set_clock(gate, moment)
    gate.show(LONG)
    return str(gate.outcomes()[-1])


def set_clock(gate: Gate, moment: datetime) -> None:
    """A person sets it: no clock goes back by itself, or far ahead, and is believed."""
    gate.clock.step_utc((moment - gate.clock.now().utc).total_seconds())
    gate.tell(ClockTold(moment, ClockChange.SET_BACK, "uid:0 root", "a test"))


# --- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
def test_the_hour_is_that_of_the_place(zone) -> None:
    gate = Gate(rule(daily(9, 17, zone)))
    answers = [
        at(gate, f"2026-05-04T{hour}", zone) for hour in ("08:59", "09:00", "16:59", "17:00")
    ]
    assert answers == [CLOSED, "granted", "granted", CLOSED]


@pytest.mark.parametrize("zone", ZONES)
def test_a_night_passes_midnight_and_a_holiday_has_none(zone) -> None:
    nights = Schedule(
        (Span(frozenset(range(7)), time(22), time(6)),),
        ZoneInfo(zone),
        holidays=(Holiday("feast", (parse_days("12-25"),)),),
    )
    gate = Gate(rule(nights))
    local = ["24T21:59", "24T22:00", "25T05:59", "25T23:00", "26T05:00", "26T22:00"]
    assert [at(gate, f"2026-12-{one}", zone) for one in local] == [
        *(CLOSED, "granted", "granted", CLOSED, CLOSED, "granted")
    ]


def test_an_exception_is_stronger_than_the_week() -> None:
    closed = DatedSpan(date(2026, 5, 4), open=False, start=time(12), end=time(14))
    opened = DatedSpan(date(2026, 5, 4), open=True, start=time(20), end=time(21))
    gate = Gate(rule(daily(9, 17, "Asia/Shanghai", exceptions=(closed, opened))))
    hours = ["11:59", "12:00", "14:00", "20:30", "21:00"]
    assert [at(gate, f"2026-05-04T{hour}", "Asia/Shanghai") for hour in hours] == [
        *("granted", CLOSED, "granted", "granted", CLOSED)
    ]


def test_time_passes_over_the_missing_hour() -> None:
    gate = Gate(
        rule(daily(2, 4, "Europe/Berlin")), utc=datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
    )
    gate.show(LONG)  # 01:59:30
    gate.wait(60)
    gate.show(LONG)  # 03:00:30
    gate.wait(HOUR_S)
    gate.show(LONG)  # 04:00:30
    assert gate.outcomes() == [CLOSED, "granted", CLOSED]


def test_the_repeated_hour_is_one_hour() -> None:
    gate = Gate(rule(daily(2, 3, "Europe/Berlin")), utc=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    for _ in range(3):
        gate.show(LONG)  # 02:30, 02:30 again, 03:30
        gate.wait(HOUR_S)
    assert gate.outcomes() == ["granted", "granted", CLOSED]


def test_the_clock_is_set() -> None:
    gate = Gate(rule(daily(9, 17, "UTC")), utc=datetime(2026, 5, 4, 12, tzinfo=UTC))
    for step_h in (0, 6, -6, 24, -24 * 60):
        set_clock(gate, gate.clock.now().utc + timedelta(hours=step_h))
        gate.show(LONG)
        gate.wait(60)
    assert gate.outcomes() == ["granted", CLOSED, "granted", "granted", "granted"]
    gate.clock.step_utc(0, trusted=False)
    gate.show(LONG)
    gate.wait(60)
    gate.clock.step_utc(0, trusted=True)
    gate.show(LONG)
    assert gate.outcomes()[-2:] == ["ClockUntrusted", "granted"]


def test_several_rules_of_a_category_add_up() -> None:
    zone = "Asia/Shanghai"
    sundays = Schedule((Span(frozenset({6}), time(10), time(12)),), ZoneInfo(zone))
    workdays = Schedule((Span(frozenset(range(5)), time(9), time(17)),), ZoneInfo(zone))
    here, elsewhere = frozenset({"north-entry"}), frozenset({"south-entry"})
    gate = Gate(
        rule(None, "staff"),
        rule(None, access_points=elsewhere),
        rule(workdays, access_points=here),
        rule(sundays, access_points=here),
    )
    days = ["04T12:00", "03T11:00", "03T12:00", "02T11:00"]  # Monday, Sunday twice, Saturday
    assert [at(gate, f"2026-05-{day}", zone) for day in days] == [
        *("granted", "granted", CLOSED, CLOSED)
    ]


# --- doors ---------------------------------------------------------------------------------------


class Door:
    """A gate whose door has schedules, and what became of it."""

    def __init__(self, utc: datetime, left: Mode | None = None, *, trusted=True, **schedules):
        self.gate = Gate(rule(None), utc=utc)
        self.gate.clock.step_utc(0, trusted=trusted)
        settings = replace(self.gate.settings, doors=(replace(DOOR, **schedules),))
        latches = Latches({"turnstile": DoorLatch(None, left)} if left else {})
        self.gate.kiosk = Kiosk(settings, REGISTRY, Memory(latches=latches))
        self.gate.kiosk.start(self.gate.clock.now())
        self.run(2)

    def run(self, seconds: float) -> None:
        """Tick as often as the agent does."""
        for _ in range(round(seconds)):
            self.gate.clock.advance(1)
            self.gate.tell(Tick())

    def step(self, hours: float, *, trusted: bool | None = None) -> None:
        """Set the clock; back or far ahead by a person's word."""
        self.gate.clock.step_utc(hours * HOUR_S, trusted=trusted)
        if hours < 0:
            set_clock(self.gate, self.gate.clock.now().utc)
        self.run(2)

    def state(self) -> State:
        return self.gate.kiosk._doors["turnstile"].state

    def moved(self) -> list[type]:
        """How the output was commanded, without what renews it."""
        kinds = [type(one) for one in self.gate.log if isinstance(one, Hold | Release | Secure)]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kind is not kinds[i - 1]]

    def modes(self) -> list[tuple[str, str]]:
        changed = EventType.DOOR_MODE_CHANGED
        drafts = [one.draft for one in self.gate.log if isinstance(one, Record)]
        return [(one.data["mode"], one.data["cause"]) for one in drafts if one.type == changed]


NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
DAY = daily(9, 17, "UTC")


def test_a_door_stands_free_at_its_hours() -> None:
    door = Door(NINE - timedelta(minutes=1), free_passage=DAY)
    assert door.state() is State.SECURED
    door.run(60)
    assert door.state() is State.FREE_PASSAGE
    door.step(8)
    assert door.state() is State.SECURED
    assert door.moved() == [Hold, Secure]
    assert door.modes() == [("free_passage", "schedule"), ("normal", "schedule")]


def test_a_clock_that_is_set_frees_and_secures_at_once() -> None:
    door = Door(NINE, free_passage=DAY)
    states = []
    for hours in (12, -12, -3, 3):
        states.append(door.state())
        door.step(hours)
    assert states == [State.FREE_PASSAGE, State.SECURED, State.FREE_PASSAGE, State.SECURED]


def test_a_clock_that_goes_back_by_itself_frees_no_door() -> None:
    door = Door(NINE, free_passage=DAY)
    door.run(3)
    door.step(8)
    door.gate.clock.step_utc(-8 * HOUR_S)
    door.run(5)
    assert door.state() is State.SECURED


def test_no_door_stands_free_by_a_clock_that_nobody_trusts() -> None:
    door = Door(NINE, free_passage=DAY)
    door.step(0, trusted=False)
    assert door.state() is State.SECURED
    door.step(0, trusted=True)
    assert door.state() is State.FREE_PASSAGE


def test_a_lockdown_lasts_until_a_trusted_clock_ends_it() -> None:
    door = Door(NINE, lockdown=DAY)
    assert door.state() is State.LOCKED_DOWN
    door.gate.show(LONG)
    door.step(12, trusted=False)
    assert door.state() is State.LOCKED_DOWN
    door.step(0, trusted=True)
    assert door.state() is State.SECURED
    door.run(30)
    door.gate.show(LONG)
    assert door.gate.outcomes() == ["LockedDown", "granted"]
    assert any(isinstance(one, Release) for one in door.gate.log)


def test_a_clock_that_nobody_trusts_begins_no_lockdown() -> None:
    door = Door(NINE - timedelta(hours=3), lockdown=DAY)
    door.step(6, trusted=False)
    assert door.state() is State.SECURED


def test_lockdown_is_stronger_than_free_passage() -> None:
    door = Door(NINE, free_passage=DAY, lockdown=daily(12, 13, "UTC"))
    door.step(3)
    assert door.state() is State.LOCKED_DOWN
    door.step(1)
    assert door.state() is State.FREE_PASSAGE


def test_doors_follow_holidays_and_the_zone() -> None:
    feast = Holiday("feast", (parse_days("2026-05-04"),))
    spans = (
        Span(frozenset(range(7)), time(17), time(19)),
        Span(frozenset({HOLIDAY}), time(18), time(19)),
    )
    free = Schedule(spans, ZoneInfo("Asia/Shanghai"), (feast,))
    door = Door(NINE, free_passage=free)  # 17:00 there
    assert door.state() is State.SECURED
    door.step(1)
    assert door.state() is State.FREE_PASSAGE
    door.step(23)
    assert door.state() is State.FREE_PASSAGE


@pytest.mark.parametrize("left", [Mode.LOCKED_DOWN, Mode.FREE_PASSAGE])
def test_after_a_restart_the_hour_says_it_again(left) -> None:
    schedules = {"free_passage": daily(6, 7, "UTC"), "lockdown": daily(20, 21, "UTC")}
    assert Door(NINE, left, **schedules).state() is State.SECURED
    unknown = Door(NINE, left, trusted=False, **schedules)
    locked = left is Mode.LOCKED_DOWN
    assert unknown.state() is (State.LOCKED_DOWN if locked else State.SECURED)
    assert unknown.moved() == []
    unknown.step(0, trusted=True)
    assert unknown.state() is State.SECURED
