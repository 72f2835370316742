"""A free passage that was commanded with an end: it ends, whatever is restarted or set."""

from dataclasses import replace
from datetime import timedelta

import pytest
from door_parts import WiredDoor

from agent.controller.effects import Latch, Record
from agent.controller.inputs import Commanded
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.door.door_mode import Command, Latches
from agent.domain.hours.instant import utc_text

HOUR_S = 3600.0


class TimedDoor(WiredDoor):
    """Remembers with which latches it began."""

    kept = Latches()


def free(for_s: float | None = HOUR_S) -> Commanded:
    return Commanded(Command.FREE_PASSAGE, "north-entry", "key:office", for_s)


def kept(gate: TimedDoor) -> Latches:
    """What the next agent finds."""
    return [gate.kept, *(one.latches for one in gate.log if isinstance(one, Latch))][-1]


def restart(
    gate: TimedDoor, off_s: float, *, boot: str = "boot", trusted: bool = True
) -> TimedDoor:
    """The next agent, ``off_s`` later, on the same clock or on that of another boot."""
    made = TimedDoor.__new__(TimedDoor)
    made.__dict__.update(gate.__dict__)
    made.log, made.seen, made.kept = [], [], kept(gate)
    made.clock.advance(off_s)
    if boot != "boot":
        made.clock._now = replace(made.clock.now(), monotonic_s=20.0)
    made.clock.step_utc(0, trusted=trusted)
    made.kiosk = Kiosk(
        replace(gate.settings, boot_id=boot),
        gate.kiosk._judge.registry,
        Memory(latches=made.kept),
    )
    made.do(made.kiosk.start(made.clock.now()))
    made.wait(2)
    return made


def modes(gate: TimedDoor) -> list[tuple[str, str]]:
    drafts = [one.draft for one in gate.log if isinstance(one, Record)]
    return [(one.data["mode"], one.data["cause"]) for one in drafts if "mode" in one.data]


@pytest.fixture
def gate() -> TimedDoor:
    made = TimedDoor()
    made.tell(free())
    assert made.free
    return made


def test_it_ends_by_itself_and_says_when_it_will(gate: TimedDoor) -> None:
    said = gate.drafts()[-1].data["until"]
    assert said == utc_text(gate.clock.now().utc + timedelta(hours=1))
    gate.wait(HOUR_S - 30, step_s=30)
    assert gate.free
    gate.wait(32)
    assert not gate.free
    assert modes(gate) == [("free_passage", "command"), ("normal", "ended")]
    assert kept(gate) == Latches()


@pytest.mark.parametrize("hours", [-24, -0.5])
def test_a_clock_that_is_set_back_prolongs_nothing(gate: TimedDoor, hours: float) -> None:
    gate.clock.step_utc(hours * HOUR_S)
    gate.wait(HOUR_S + 32, step_s=30)
    assert not gate.free


def test_nor_does_one_that_nobody_trusts(gate: TimedDoor) -> None:
    gate.clock.step_utc(0, trusted=False)
    gate.wait(HOUR_S + 32, step_s=30)
    assert not gate.free


def test_a_trusted_hour_ends_it_though_the_monotonic_clock_does_not(gate: TimedDoor) -> None:
    gate.clock.step_utc(HOUR_S)
    gate.wait(2)
    assert not gate.free


def test_one_without_an_end_goes_on(gate: TimedDoor) -> None:
    gate.tell(free(None))
    gate.wait(3 * HOUR_S, step_s=30)
    assert gate.free
    assert restart(gate, 9 * HOUR_S).free


def test_a_later_end_takes_the_place_of_an_earlier_one(gate: TimedDoor) -> None:
    gate.tell(free(3 * HOUR_S))
    gate.wait(2 * HOUR_S, step_s=30)
    assert gate.free
    gate.wait(HOUR_S + 32, step_s=30)
    assert not gate.free


@pytest.mark.parametrize("command", [Command.RESUME, Command.LOCK_DOWN])
def test_another_command_ends_it_and_is_not_undone(gate: TimedDoor, command: Command) -> None:
    gate.ask(command)
    mode = gate.mode
    gate.wait(HOUR_S + 32, step_s=30)
    assert gate.mode == mode
    assert not gate.free


@pytest.mark.parametrize("trusted", [True, False])
def test_it_outlives_the_agent_and_its_end_too(gate: TimedDoor, trusted: bool) -> None:  # noqa: FBT001 - a table's column
    gate.wait(HOUR_S / 2, step_s=30)
    next_one = restart(gate, 60, trusted=trusted)
    assert next_one.free
    next_one.wait(HOUR_S / 2 + 30, step_s=30)
    assert not next_one.free


@pytest.mark.parametrize("trusted", [True, False])
def test_it_may_end_while_no_agent_runs(gate: TimedDoor, trusted: bool) -> None:  # noqa: FBT001 - a table's column
    next_one = restart(gate, HOUR_S + 1, trusted=trusted)
    assert not next_one.free
    assert kept(next_one) == Latches()


def test_after_the_machines_own_restart_a_trusted_hour_tells(gate: TimedDoor) -> None:
    next_one = restart(gate, HOUR_S / 2, boot="another")
    assert next_one.free
    # And from there on the monotonic clock, whatever becomes of the hour.
    next_one.clock.step_utc(-9 * HOUR_S, trusted=False)
    next_one.wait(HOUR_S / 2 + 30, step_s=30)
    assert not next_one.free


def test_without_one_the_door_is_an_ordinary_one_until_there_is(gate: TimedDoor) -> None:
    next_one = restart(gate, 60, boot="another", trusted=False)
    assert not next_one.free
    assert next_one.mode == "normal"
    next_one.clock.step_utc(0, trusted=True)
    next_one.wait(2)
    assert next_one.free
    assert modes(next_one) == [("free_passage", "restart")]
    next_one.wait(HOUR_S + 30, step_s=30)
    assert not next_one.free


def test_nor_is_it_free_once_the_hour_is_past(gate: TimedDoor) -> None:
    next_one = restart(gate, 2 * HOUR_S, boot="another", trusted=False)
    next_one.clock.step_utc(0, trusted=True)
    next_one.wait(2)
    assert not next_one.free
    assert next_one.free is False
    assert kept(next_one) == Latches()


def test_one_that_waits_for_the_hour_is_kept_over_a_further_restart(gate: TimedDoor) -> None:
    waiting = restart(gate, 60, boot="another", trusted=False)
    again = restart(waiting, 60, boot="another", trusted=False)
    assert not again.free
    assert restart(again, 60, boot="a third").free
