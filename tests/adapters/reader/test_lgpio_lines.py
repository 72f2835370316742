"""The driver over lgpio's own functions, as its documentation has them; the kernel is a double."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.reader import lgpio_lines
from agent.adapters.reader.lgpio_lines import LgpioLines
from agent.adapters.reader.simulated import hum, train
from agent.adapters.reader.wiegand import WiegandReader
from agent.domain.reader.card_format import BUILT_IN, CardNumber
from agent.domain.reader.decoder import ReaderTerms
from agent.errors import UnavailableError

FORM = BUILT_IN["h10301"]


class Cancelled:
    """A callback as lgpio gives it back."""

    def __init__(self, chip: "Chip", pin: int) -> None:
        self._chip, self._pin = chip, pin

    def cancel(self) -> None:
        """It is called no more."""
        self._chip.calls.pop(self._pin, None)


class Chip:
    """What of the module lgpio is used."""

    FALLING_EDGE, SET_PULL_UP, SET_PULL_NONE = 2, 32, 128

    def __init__(self, busy: int | None = None) -> None:
        self.calls: dict[int, Callable[[int, int, int, int], None]] = {}
        self.claimed: dict[int, tuple[int, int]] = {}
        self.busy = busy

    def gpio_claim_alert(self, _handle: int, pin: int, edges: int, flags: int) -> int:
        """Listen to a line."""
        if pin == self.busy:
            raise RuntimeError("GPIO busy")
        self.claimed[pin] = (edges, flags)
        return 0

    def callback(
        self, _handle: int, pin: int, _edges: int, call: Callable[[int, int, int, int], None]
    ) -> Any:
        """Call for each alert."""
        self.calls[pin] = call
        return Cancelled(self, pin)

    def gpio_free(self, _handle: int, pin: int) -> int:
        """Let it go."""
        del self.claimed[pin]
        return 0

    def fall(self, pin: int, at_ns: int, level: int = 0) -> None:
        """An edge, if anybody listens."""
        if pin in self.calls:
            self.calls[pin](0, pin, level, at_ns)


def test_falling_edges_alone_are_asked_for_and_put_in_order() -> None:
    chip = Chip()
    lines = LgpioLines(chip, 0, 5, 6, pull_up=True)
    assert chip.claimed == dict.fromkeys((5, 6), (chip.FALLING_EDGE, chip.SET_PULL_UP))
    reader = WiegandReader("pillar", lines, ReaderTerms((FORM,)), SystemClock())
    pulses = train(FORM.written(17, 4711), 10**15)
    for one in [*(one for one in pulses if one.bit), *(one for one in pulses if not one.bit)]:
        chip.fall(5 + one.bit, one.at_ns)
    chip.fall(5, 10**15, level=2)
    assert reader.read(1.0) == [CardNumber("h10301", 17, 4711)]
    reader.close()
    assert chip.claimed == {}
    assert chip.calls == {}


def test_a_pin_that_another_has_stops_the_start_with_its_fix_and_keeps_none() -> None:
    chip = Chip(busy=6)
    with pytest.raises(UnavailableError, match="GPIO 6") as caught:
        LgpioLines(chip, 0, 5, 6, pull_up=False)
    assert "gpioinfo" in str(caught.value)
    assert chip.claimed == {}


def test_wires_that_drown_the_process_are_let_go_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chip = Chip()
    lines = LgpioLines(chip, 0, 5, 6, pull_up=True)
    reader = WiegandReader("pillar", lines, ReaderTerms((FORM,)), SystemClock())
    for one in hum(0, 40.0, 100.0):
        chip.fall(5 + one.bit, one.at_ns)
    assert len(lines._heard) <= 1024
    with pytest.raises(UnavailableError, match="oscillate"):
        reader.read(0.0)
    assert chip.claimed == {}
    chip.fall(5, 1)
    monkeypatch.setattr(lgpio_lines, "_CALM_S", 0.0)
    lines._calm_until_s = time.monotonic()
    assert all(not isinstance(one, CardNumber) for one in reader.read(0.1))
    assert sorted(chip.claimed) == [5, 6]
    for one in train(FORM.written(1, 2), 10**12):
        chip.fall(5 + one.bit, one.at_ns)
    assert reader.read(1.0) == [CardNumber("h10301", 1, 2)]
    reader.close()
