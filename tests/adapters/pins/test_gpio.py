"""Pin factories by name, pins that refuse, and the first moment of an output."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero.exc import PinUnknownPi
from gpiozero.pins.local import LocalPiFactory
from gpiozero.pins.mock import MockFactory, MockPin
from lgpio_parts import FakeLgpio, fake_lgpio, forget_lgpio
from structlog.testing import capture_logs

from agent.adapters.clock import SystemClock
from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import GpioDoor, open_pins
from agent.adapters.pins.simulated import PinBank
from agent.errors import UnavailableError

PATIENCE_S = 60.0


class BrokenPin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """A pin whose chip may refuse."""

    refuses = False

    def _set_state(self, value: Any) -> None:
        if self.refuses:
            raise OSError("chip gone")
        super()._set_state(value)


@pytest.fixture
def broken() -> Any:
    return MockFactory(pin_class=BrokenPin)


def door_on(pins: Any, clock: Any, *, pin: int = 17, active_high: bool = True) -> GpioDoor:
    return GpioDoor(pins, pin, active_high=active_high, max_pulse_s=4.0, clock=clock)


def test_without_lgpio_the_message_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_lgpio()
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(UnavailableError, match="no GPIO here") as failure:
        open_pins("lgpio")
    assert failure.value.fix is not None
    assert "python3-lgpio" in failure.value.fix
    assert "pin_factory = 'mock'" in failure.value.fix


def test_nothing_but_the_named_factory_is_tried(
    monkeypatch: pytest.MonkeyPatch, lgpio: FakeLgpio
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    lgpio.chip_error = "can not open gpiochip"
    with pytest.raises(UnavailableError, match="can not open gpiochip"):
        open_pins("lgpio")


def test_a_board_without_a_known_revision_is_no_matter_of_groups(
    monkeypatch: pytest.MonkeyPatch, lgpio: FakeLgpio
) -> None:
    def unknown(_: object) -> int:
        raise PinUnknownPi("unable to locate Pi revision")

    monkeypatch.setattr(LocalPiFactory, "_get_revision", unknown)
    with pytest.raises(UnavailableError, match="unable to locate Pi revision") as failure:
        open_pins("lgpio")
    assert failure.value.fix is not None
    assert "group" not in failure.value.fix
    assert "/proc/device-tree/model" in failure.value.fix


def test_simulated_pins_need_their_file() -> None:
    with pytest.raises(UnavailableError, match="pins_file"):
        open_pins("simulated")


def test_two_doors_never_share_a_pin() -> None:
    pins = open_pins("mock")
    first = door_on(pins, ManualClock())
    with pytest.raises(UnavailableError, match="GPIO 17 cannot be had"):
        door_on(pins, ManualClock())
    first.close()
    door_on(pins, ManualClock()).close()


def test_the_mock_records_what_was_done_to_it() -> None:
    pins = open_pins("mock")
    clock = SystemClock()
    door = door_on(pins, clock)
    door.release(3.0)
    time.sleep(0.02)
    door.secure()
    rest, high, low = pins.pin("GPIO17").states
    assert [rest.state, high.state, low.state] == [False, True, False]
    assert low.timestamp >= 0.019


def test_a_pin_that_refuses_to_energise_is_reported_and_its_maximum_stays_armed(
    broken: Any,
) -> None:
    clock = ManualClock()
    door = door_on(broken, clock)
    broken.pin("GPIO17").refuses = True
    with pytest.raises(UnavailableError, match="does not obey: chip gone"):
        door.release(1.0)
    assert clock.waiting == 1


def test_a_pin_that_refuses_to_rest_is_tried_until_it_does(broken: Any) -> None:
    clock = ManualClock()
    door = door_on(broken, clock)
    door.release(1.0)
    pin = broken.pin("GPIO17")
    pin.refuses = True
    with pytest.raises(UnavailableError, match="does not obey"):
        door.secure()
    with capture_logs() as logs:
        clock.advance(2.0)
    assert pin.state
    assert {(entry["log_level"], entry["event"]) for entry in logs} == {
        ("critical", "output_stays_energised")
    }
    pin.refuses = False
    clock.advance(0.5)
    assert not pin.state
    assert clock.waiting == 0


def test_a_door_that_cannot_rest_is_not_let_go(broken: Any) -> None:
    door = door_on(broken, ManualClock())
    door.release(1.0)
    broken.pin("GPIO17").refuses = True
    with pytest.raises(UnavailableError):
        door.close()
    broken.pin("GPIO17").refuses = False
    door.close()
    assert not broken.pin("GPIO17").state


class LateTimer(ManualClock):
    """A clock whose cancel comes too late: the call is already on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def after(self, delay_s: float, call: Any) -> Any:
        self.calls.append(call)
        return lambda: None


def test_a_timer_that_comes_too_late_does_not_cut_the_next_pulse() -> None:
    pins, clock = open_pins("mock"), LateTimer()
    door = door_on(pins, clock)
    door.release(1.0)
    door.secure()
    door.release(1.0)
    clock.calls[0]()
    assert pins.pin("GPIO17").state
    clock.calls[1]()
    assert not pins.pin("GPIO17").state


def test_many_threads_may_drive_one_door() -> None:
    pins = open_pins("mock")
    door = door_on(pins, SystemClock())
    failures: list[BaseException] = []

    def drive() -> None:
        try:
            for _ in range(100):
                door.release(0.001)
                door.secure()
        except BaseException as error:  # noqa: BLE001 - the test's thread says it below
            failures.append(error)

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert failures == []
    assert not pins.pin("GPIO17").state


def test_a_hung_controller_does_not_keep_the_door_open() -> None:
    pins = open_pins("mock")
    door = GpioDoor(pins, 17, active_high=True, max_pulse_s=0.05, clock=SystemClock())
    door.release(60.0)
    end_s = time.monotonic() + PATIENCE_S
    while pins.pin("GPIO17").state and time.monotonic() < end_s:
        time.sleep(0.005)
    assert not pins.pin("GPIO17").state


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    with fake_lgpio(monkeypatch) as fake:
        yield fake


@pytest.mark.parametrize("active_high", [True, False])
def test_an_lgpio_output_is_at_rest_from_its_first_moment(
    lgpio: FakeLgpio, *, active_high: bool
) -> None:
    rest = int(not active_high)
    door = door_on(open_pins("lgpio"), ManualClock(), active_high=active_high)
    assert lgpio.calls == [("input", 17), ("output", 17, rest)]
    door.release(1.0)
    door.secure()
    assert lgpio.calls[2:] == [("write", 17, 1 - rest), ("write", 17, rest)]
    door.close()
    assert lgpio.calls[4:] == [("write", 17, rest), ("input", 17)]


@pytest.mark.parametrize("level", [True, False])
def test_a_simulated_output_does_not_blink_at_its_start(tmp_path: Path, *, level: bool) -> None:
    path = tmp_path / "header.pins"
    before = PinBank(path)
    before.drive(17, level=level)
    changes = before.changes(17)
    door = door_on(open_pins("simulated", path), ManualClock(), active_high=not level)
    assert before.level(17) is level
    assert before.changes(17) == changes
    door.close()
    assert before.changes(17) == changes
