"""Inputs on gpiozero pins under a virtual clock: late readers, lost edges, bad wires, bad pins."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from lgpio_parts import FakeLgpio, fake_lgpio

from agent.adapters.clock import SystemClock
from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import open_pins
from agent.adapters.pins.inputs import GpioInputs, InputPin, Pull
from agent.adapters.pins.simulated import PinBank
from agent.domain.door.signal import InputChange
from agent.errors import UnavailableError
from agent.ports import Clock

PIN = 6
DEBOUNCE_S = 0.03
PATIENCE_S = 60.0


def button(pins: Any, *, active_high: bool, pull: Pull = "up") -> InputPin:
    return InputPin("button", pins, PIN, active_high, pull, DEBOUNCE_S)


@dataclass
class Bench:
    """Inputs under a virtual clock, and what sets their levels."""

    inputs: GpioInputs
    clock: ManualClock
    level: Callable[[int, bool], None]
    pins: Any


def bench(
    how: Literal["mock", "lost edges", "simulated"],
    folder: Path,
    *wanted: tuple[str, int],
    active_high: bool = True,
    pull: Pull = "down",
) -> Bench:
    clock = ManualClock()
    path = folder / "header.pins"
    pins: Any = open_pins("simulated", path) if how == "simulated" else open_pins("mock")
    inputs = GpioInputs(
        [InputPin(name, pins, pin, active_high, pull, DEBOUNCE_S) for name, pin in wanted], clock
    )
    if how == "simulated":
        return Bench(inputs, clock, PinBank(path).set_input, pins)
    if how == "lost edges":
        for _, pin in wanted:
            pins.pin(f"GPIO{pin}").when_changed = None

    def drive(pin: int, high: bool) -> None:  # noqa: FBT001 - a level reads as it is
        one = pins.pin(f"GPIO{pin}")
        one.drive_high() if high else one.drive_low()

    return Bench(inputs, clock, drive, pins)


def due_s(one: Bench) -> float | None:
    return one.inputs.deadline_s


HOW = pytest.mark.parametrize("how", ["mock", "lost edges", "simulated"])


@HOW
def test_a_virtual_clock_needs_no_thread_and_no_waiting(how: Any, tmp_path: Path) -> None:
    one = bench(how, tmp_path, ("button", PIN))
    assert due_s(one) == 1000.0  # what was found is waiting
    assert [change.initial for change in one.inputs.take(0.0)] == [True]
    assert due_s(one) is None
    one.clock.advance(5.0)
    one.level(PIN, True)
    assert due_s(one) == pytest.approx(1005.03)
    assert one.inputs.take(0.0) == []
    one.clock.advance(0.03)
    assert one.inputs.take(0.0) == [InputChange("button", active=True, at_s=1005.0)]
    assert due_s(one) is None


@HOW
def test_a_bounce_is_not_told(how: Any, tmp_path: Path) -> None:
    one = bench(how, tmp_path, ("button", PIN))
    one.inputs.take(0.0)
    for high in (True, False, True, False):
        one.level(PIN, high)
        assert one.inputs.take(0.0) == []
        one.clock.advance(0.02)
    one.clock.advance(1.0)
    assert one.inputs.take(0.0) == []


@HOW
def test_400_ms_are_told_with_edges_lost_and_the_reader_late(how: Any, tmp_path: Path) -> None:
    one = bench(how, tmp_path, ("button", PIN))
    one.inputs.take(0.0)
    one.clock.advance(0.01)
    one.level(PIN, True)
    one.clock.advance(0.35)  # the reader is stalled
    changes = list(one.inputs.take(0.0))
    one.clock.advance(0.05)
    one.level(PIN, False)
    one.clock.advance(0.35)  # and again
    changes += one.inputs.take(0.0)
    one.clock.advance(0.05)
    changes += one.inputs.take(0.0)
    assert [change.active for change in changes] == [True, False]


@HOW
def test_changes_of_several_come_in_their_order(how: Any, tmp_path: Path) -> None:
    one = bench(how, tmp_path, ("b", 13), ("a", PIN))
    assert [change.input for change in one.inputs.take(0.0)] == ["b", "a"]
    one.level(PIN, True)
    one.inputs.take(0.0)
    one.clock.advance(0.01)
    one.level(13, True)
    one.inputs.take(0.0)
    one.clock.advance(0.05)
    changes = one.inputs.take(0.0)
    assert [(change.input, round(change.at_s, 3)) for change in changes] == [
        ("a", 1000.0),
        ("b", 1000.01),
    ]


@pytest.mark.parametrize(("pull", "high"), [("up", True), ("down", False)])
@pytest.mark.parametrize("how", ["mock", "simulated"])
def test_a_cut_wire_reads_as_its_pull(how: Any, tmp_path: Path, pull: Pull, *, high: bool) -> None:
    one = bench(how, tmp_path, ("contact", PIN), active_high=high, pull=pull)
    (found,) = one.inputs.take(0.0)
    assert found.active
    assert one.pins.pin(f"GPIO{PIN}").pull == pull


def test_a_simulated_wire_may_be_cut(tmp_path: Path) -> None:
    one = bench("simulated", tmp_path, ("contact", PIN), pull="up")
    one.level(PIN, False)
    one.inputs.take(0.0)
    one.clock.advance(0.1)
    one.inputs.take(0.0)
    PinBank(tmp_path / "header.pins").leave_input(PIN)
    one.inputs.take(0.0)
    one.clock.advance(0.1)
    assert [change.active for change in one.inputs.take(0.0)] == [True]


# --- a bad wire, a bad pin ------------------------------------------------------------------------


def test_a_line_that_oscillates_is_polled_only_until_it_is_calm(tmp_path: Path) -> None:
    one = bench("mock", tmp_path, ("wire", PIN), ("button", 13))
    one.inputs.take(0.0)
    pin = one.pins.pin(f"GPIO{PIN}")
    for _ in range(20):
        for _ in range(500):  # 10 kHz for one second
            one.clock.advance(0.0001)
            pin.drive_high() if not pin.state else pin.drive_low()
        line = one.inputs._lines[0]
        assert len(line._edges) <= 200
        one.inputs.take(0.0)
        assert len(line.debouncer._samples) <= 64
    assert one.inputs.unsteady() == {"wire"}
    assert one.inputs.storms == {"wire": 1, "button": 0}
    assert not pin.when_changed
    # The others are heard as ever, and a press of this one that lasts is seen by the polls.
    one.level(13, True)
    pin.drive_high()
    seen = []
    for _ in range(8):
        one.clock.advance(0.05)
        seen += [change.input for change in one.inputs.take(0.0)]
    assert seen.count("button") == 1
    assert seen.count("wire") <= 1
    for _ in range(200):
        one.clock.advance(0.05)
        one.inputs.take(0.0)
    assert one.inputs.unsteady() == frozenset()
    assert pin.when_changed
    assert one.inputs.storms == {"wire": 1, "button": 0}


def test_a_storm_neither_starves_nor_grows_a_reader_in_real_time() -> None:
    pins = open_pins("mock")
    inputs = GpioInputs([button(pins, active_high=True)], SystemClock(), edge_times=True)
    inputs.take(0.0)
    pin = pins.pin(f"GPIO{PIN}")
    ended = threading.Event()

    def storm() -> None:
        while not ended.wait(0.0001):
            pin.drive_low() if pin.state else pin.drive_high()

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        end_s = time.monotonic() + PATIENCE_S
        while not inputs.unsteady() and time.monotonic() < end_s:
            inputs.take(0.05)
    finally:
        ended.set()
        thread.join(PATIENCE_S)
    assert inputs.unsteady() == {"button"}
    assert len(inputs._lines[0]._edges) <= 200
    inputs.close()


def test_a_pin_in_use_is_named_with_its_fix() -> None:
    pins = open_pins("mock")
    first = GpioInputs([button(pins, active_high=True)], SystemClock())
    twice = [InputPin("other", pins, 13, True, "up", 0.03), button(pins, active_high=True)]
    with pytest.raises(UnavailableError, match=r"GPIO 6 \(input button\) cannot be had") as failure:
        GpioInputs(twice, SystemClock())
    assert failure.value.fix is not None
    first.close()
    # The one that was taken before it was let go again.
    GpioInputs(twice, SystemClock()).close()


def test_a_pin_that_cannot_have_its_pull_is_refused() -> None:
    wanted = InputPin(
        "contact", open_pins("mock"), 2, active_high=True, pull="down", debounce_s=0.03
    )
    with pytest.raises(UnavailableError, match="GPIO 2"):
        GpioInputs([wanted], SystemClock())


def test_a_pin_that_fails_hides_no_other_and_may_recover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench("mock", tmp_path, ("bad", PIN), ("good", 13))
    one.inputs.take(0.0)
    bad = one.pins.pin(f"GPIO{PIN}")

    def gone(_pin: Any) -> bool:
        raise OSError("chip gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(bad), "_get_state", lambda pin: gone(pin) if pin is bad else pin._state)
        with pytest.raises(
            UnavailableError, match=r"GPIO 6 \(input bad\) cannot be read: chip gone"
        ):
            one.inputs.take(0.0)
        one.level(13, True)
        one.clock.advance(0.1)
        assert [change.input for change in one.inputs.take(0.0)] == ["good"]
    assert one.inputs.take(0.0) == []


def test_what_was_found_at_the_start_is_told_though_another_pin_fails_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench("mock", tmp_path, ("bad", PIN), ("fire", 13), active_high=False, pull="down")
    bad = one.pins.pin(f"GPIO{PIN}")

    def gone(_pin: Any) -> bool:
        raise OSError("chip gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(bad), "_get_state", lambda pin: gone(pin) if pin is bad else pin._state)
        found = [(change.input, change.active, change.initial) for change in one.inputs.take(0.0)]
        assert ("fire", True, True) in found
        with pytest.raises(UnavailableError):
            one.inputs.take(0.0)


def test_edge_times_count_where_they_can_be_meant() -> None:
    clock: Clock = SystemClock()
    pins = open_pins("mock")
    inputs = GpioInputs([button(pins, active_high=True)], clock, edge_times=True)
    inputs.take(0.0)
    line, now_s = inputs._lines[0], clock.now().monotonic_s
    # A callback that comes late says when the edge was; one with another clock's time does not.
    for ticks, expected_s in [(now_s - 0.5, now_s - 0.5), (1.7e9, now_s), (12, now_s)]:
        line._edges.clear()
        line.heard(ticks, 1)
        assert line._edges[0][0] == pytest.approx(expected_s, abs=0.4)
        assert (line._edges[0][0] == expected_s) is (expected_s != now_s)
    line._edges.clear()
    line.heard(now_s, 2)  # lgpio's watchdog
    assert not line._edges
    inputs.close()


# --- lgpio, by what it does to the C library ------------------------------------------------------


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    with fake_lgpio(monkeypatch) as fake:
        yield fake


@pytest.mark.parametrize(
    ("pull", "flag"), [("up", 32), ("down", 64), ("none", 128)], ids=["up", "down", "none"]
)
def test_an_lgpio_input_has_its_pull_and_hears_both_edges(
    lgpio: FakeLgpio, pull: Pull, flag: int
) -> None:
    inputs = GpioInputs([button(open_pins("lgpio"), active_high=True, pull=pull)], SystemClock())
    assert lgpio.flags[PIN] == flag
    assert lgpio.alerts == {PIN}
    assert lgpio.calls[-1] == ("alert", PIN, lgpio.BOTH_EDGES, flag)
    inputs.close()
    assert lgpio.callbacks == {}
    assert lgpio.calls[-1][:2] == ("input", PIN)


def test_an_lgpio_edge_counts_from_the_kernels_time(lgpio: FakeLgpio) -> None:
    clock = SystemClock()
    wanted = button(open_pins("lgpio"), active_high=False)
    inputs = GpioInputs([wanted], clock, edge_times=True)
    (found,) = inputs.take(0.0)
    assert not found.active  # pulled up
    time.sleep(0.2)
    now_s = clock.now().monotonic_s
    # A press of 100 ms, told when it is over.
    lgpio.drive(PIN, 0, now_s - 0.15)
    lgpio.drive(PIN, 1, now_s - 0.05)
    changes = inputs.take(0.0)
    assert [(one.active, round(one.at_s - now_s, 3)) for one in changes] == [
        (True, -0.15),
        (False, -0.05),
    ]
    lgpio.drive(PIN, 0, now_s, lost=True)
    assert [one.active for one in inputs.take(PATIENCE_S)] == [True]
    inputs.close()


def test_an_lgpio_line_that_oscillates_keeps_its_pull_while_it_is_only_polled(
    lgpio: FakeLgpio,
) -> None:
    inputs = GpioInputs([button(open_pins("lgpio"), active_high=False)], SystemClock())
    inputs.take(0.0)
    for number in range(300):
        lgpio.drive(PIN, number % 2, time.monotonic())
    inputs.take(0.0)
    assert inputs.unsteady() == {"button"}
    assert lgpio.alerts == set()
    assert lgpio.flags[PIN] == lgpio.SET_PULL_UP
    inputs.close()
