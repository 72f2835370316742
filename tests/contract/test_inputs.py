"""One suite for every ``ports.Inputs``: pins driven from outside, in this process and another.

On a Raspberry Pi with GPIO 5 and 6 wired to each other, GATE_AGENT_TEST_LOOP=5-6 runs it over
lgpio: 5 drives, 6 listens.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

from agent.adapters.clock import SystemClock
from agent.adapters.pins.door import open_pins
from agent.adapters.pins.inputs import GpioInputs, InputPin, Pull
from agent.config.base import PinFactory
from agent.domain.door.signal import InputChange
from agent.errors import UnavailableError
from agent.ports import Inputs

PIN, DRIVER = 6, 5
DEBOUNCE_S = 0.03
PATIENCE_S = 60.0


# Another process at the header: "1" and "0" on stdin are levels of the pin.
HAND = """
import sys
from pathlib import Path
from agent.adapters.pins.simulated import PinBank
bank = PinBank(Path(sys.argv[1]))
for line in sys.stdin:
    bank.set_input(int(sys.argv[2]), line.strip() == "1")
    print("set", flush=True)
"""


@dataclass
class Subject:
    """Inputs with one button, and the hand on it."""

    inputs: Inputs
    press: Callable[[bool], None]
    pins: Any

    def until(self, count: int) -> list[InputChange]:
        """That many changes; what comes later than the patience fails."""
        changes: list[InputChange] = []
        end_s = time.monotonic() + PATIENCE_S
        while len(changes) < count and time.monotonic() < end_s:
            changes += self.inputs.take(0.2)
        return changes


def button(pins: Any, *, active_high: bool, pull: Pull = "up") -> InputPin:
    return InputPin("button", pins, PIN, active_high, pull, DEBOUNCE_S)


@pytest.fixture(params=["mock", "simulated", pytest.param("lgpio", marks=pytest.mark.hardware)])
def kind(request: pytest.FixtureRequest) -> PinFactory:
    chosen: PinFactory = request.param
    if chosen == "lgpio" and os.environ.get("GATE_AGENT_TEST_LOOP") != f"{DRIVER}-{PIN}":
        pytest.skip(f"needs GPIO {DRIVER} wired to {PIN}: GATE_AGENT_TEST_LOOP={DRIVER}-{PIN}")
    return chosen


@pytest.fixture(params=[True, False], ids=["active_high", "active_low"])
def active_high(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def subject(kind: PinFactory, tmp_path: Path, *, active_high: bool) -> Iterator[Subject]:
    """The button is let go when it is opened."""
    path = tmp_path / "header.pins"
    pins: Any = open_pins(kind, path if kind == "simulated" else None)
    with hand(kind, pins, path) as level:
        level(not active_high)
        wanted = button(pins, active_high=active_high, pull="none")
        opened = GpioInputs([wanted], SystemClock(), edge_times=True)
        yield Subject(opened, lambda pressed: level(pressed is active_high), pins)
        opened.close()


class hand:  # noqa: N801 - used as a function is
    """What is wired to the pin: this process, another one, or another pin of the header."""

    def __init__(self, kind: PinFactory, pins: Any, path: Path) -> None:
        self.kind, self.pins, self.path = kind, pins, path
        self.process: subprocess.Popen[str] | None = None
        self.driver: Any = None

    def __enter__(self) -> Callable[[bool], None]:
        if self.kind == "simulated":
            self.process = subprocess.Popen(
                [sys.executable, "-c", HAND, str(self.path), str(PIN)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
        elif self.kind == "lgpio":
            self.driver = self.pins.pin(f"GPIO{DRIVER}")
            self.driver.function = "output"
        return self.set

    def set(self, level: bool) -> None:  # noqa: FBT001 - a level reads as it is
        if self.process is not None:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(f"{int(level)}\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "set\n"
        elif self.driver is not None:
            self.driver.state = level
        else:
            pin = self.pins.pin(f"GPIO{PIN}")
            pin.drive_high() if level else pin.drive_low()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.close()
            self.process.wait(PATIENCE_S)
            self.process.stdout.close()


def test_the_first_take_tells_what_was_found(subject: Subject) -> None:
    (found,) = subject.inputs.take(0.0)
    assert (found.input, found.active, found.initial) == ("button", False, True)
    assert subject.inputs.take(0.0) == []


def test_a_press_and_its_end_are_told_once_each_with_their_time(subject: Subject) -> None:
    subject.inputs.take(0.0)
    before_s = time.monotonic()
    subject.press(True)
    (pressed,) = subject.until(1)
    subject.press(False)
    (let_go,) = subject.until(1)
    assert [(one.active, one.initial) for one in (pressed, let_go)] == [
        (True, False),
        (False, False),
    ]
    assert before_s <= pressed.at_s < let_go.at_s <= time.monotonic()
    assert subject.inputs.take(0.2) == []


def test_400_ms_are_not_missed_by_a_reader_that_was_away(subject: Subject) -> None:
    """It is away for 350 ms from the press on, looks once, and comes back when all is over."""
    subject.inputs.take(0.0)
    subject.press(True)
    pressed_s = time.monotonic()
    time.sleep(0.35)
    changes = list(subject.inputs.take(0.0))
    time.sleep(max(pressed_s + 0.4 - time.monotonic(), 0.0))
    subject.press(False)
    time.sleep(0.35)
    changes += subject.until(2 - len(changes))
    assert [change.active for change in changes] == [True, False]


def test_take_waits_no_longer_than_it_may(subject: Subject) -> None:
    subject.inputs.take(0.0)
    assert subject.inputs.take(0.12) == []
    assert subject.inputs.unsteady() == frozenset()


def test_close_lets_the_pin_go_and_may_be_called_twice(subject: Subject) -> None:
    subject.inputs.close()
    subject.inputs.close()
    with pytest.raises(UnavailableError, match="closed"):
        subject.inputs.take(0.0)
    again = GpioInputs([button(subject.pins, active_high=True)], SystemClock())
    again.close()
