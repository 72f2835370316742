"""The C library's side of lgpio, for the pins that gpiozero makes of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from gpiozero.pins.local import LocalPiFactory

Callback = Callable[[int, int, int, int], None]


class FakeLgpio(ModuleType):
    """The C library's side of lgpio 0.2.2: what is claimed, at which level, in which order."""

    SET_PULL_NONE = SET_BIAS_DISABLE = 128
    SET_PULL_UP = SET_BIAS_PULL_UP = 32
    SET_PULL_DOWN = SET_BIAS_PULL_DOWN = 64
    BOTH_EDGES, RISING_EDGE, FALLING_EDGE = 3, 1, 2

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.calls: list[tuple[Any, ...]] = []
        self.outputs: set[int] = set()
        self.flags: dict[int, int] = {}
        self.driven: dict[int, int] = {}
        self.alerts: set[int] = set()
        self.callbacks: dict[int, Callback] = {}
        self.chip_error = ""
        self.error = RuntimeError

    def gpiochip_open(self, chip: int) -> int:
        if self.chip_error:
            raise RuntimeError(self.chip_error)
        return 7

    def gpiochip_close(self, handle: int) -> int:
        return 0

    def gpio_free(self, handle: int, gpio: int) -> int:
        self.flags.pop(gpio, None)
        return 0

    def gpio_claim_input(self, handle: int, gpio: int, lFlags: int = 0) -> int:  # noqa: N803 - lgpio's name
        self.outputs.discard(gpio)
        self.alerts.discard(gpio)
        self.flags[gpio] = lFlags
        self.calls.append(("input", gpio))
        return 0

    def gpio_claim_alert(self, handle: int, gpio: int, eFlags: int, lFlags: int = 0) -> int:  # noqa: N803 - lgpio's names
        self.alerts.add(gpio)
        self.flags[gpio] = lFlags
        self.calls.append(("alert", gpio, eFlags, lFlags))
        return 0

    def callback(self, handle: int, gpio: int, edge: int, func: Callback) -> "Cancellable":
        self.callbacks[gpio] = func
        return Cancellable(lambda: self.callbacks.pop(gpio, None))

    def gpio_claim_output(self, handle: int, gpio: int, level: int = 0, lFlags: int = 0) -> int:  # noqa: N803 - lgpio's name
        self.outputs.add(gpio)
        self.calls.append(("output", gpio, level))
        return 0

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        return (2 if gpio in self.outputs else 0) | self.flags.get(gpio, 0)

    def gpio_write(self, handle: int, gpio: int, level: int) -> int:
        self.calls.append(("write", gpio, int(level)))
        return 0

    def gpio_read(self, handle: int, gpio: int) -> int:
        pulled = self.flags.get(gpio, 0) & self.SET_PULL_UP
        return self.driven.get(gpio, int(bool(pulled)))

    def drive(self, gpio: int, level: int, at_s: float, *, lost: bool = False) -> None:
        """Put a level on a line from outside, as the kernel tells of it: in nanoseconds."""
        self.driven[gpio] = level
        if gpio in self.alerts and not lost:
            self.callbacks[gpio](0, gpio, level, int(at_s * 1e9))


class Cancellable:
    """What lgpio's callback returns."""

    def __init__(self, cancel: Callable[[], object]) -> None:
        self.cancel = cancel


def forget_lgpio() -> None:
    """Have gpiozero's real classes imported anew, over whatever lgpio is there then."""
    for name in ("gpiozero.pins.lgpio", "agent.adapters.pins.lgpio"):
        if sys.modules.pop(name, None) is not None:
            package, _, attribute = name.rpartition(".")
            delattr(sys.modules[package], attribute)


@contextmanager
def fake_lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    """Have gpiozero find this library in the place of the real one, on a Pi 3."""
    fake = FakeLgpio()
    forget_lgpio()
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda _: 0xA02082)
    yield fake
    LocalPiFactory.pins.clear()
    LocalPiFactory._reservations.clear()
    forget_lgpio()
