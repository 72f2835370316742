"""Lights and a buzzer at an access point, through gpiozero.

    outcome   red   green   buzzer
    (nobody)  dark  dark    silent
    waiting   lit   lit     silent         amber, until the outcome, or its window closes
    granted   dark  lit     one beep       for three seconds
    denied    lit   dark    two beeps      for three seconds

It is the same for every reason: a bystander learns nothing of why somebody was refused. Not yet run
on hardware.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpiozero import OutputDevice

from agent.domain.indication import Indication, Outcome, Standing
from agent.errors import UnavailableError
from agent.ports import Clock

_SHOWN_S = 3.0
_LONGEST_WAIT_S = 120.0
_BEEP_S = 0.08
_BEEPS = {Outcome.GRANTED: 1, Outcome.DENIED: 2}


@dataclass(frozen=True, slots=True)
class IndicatorPins:
    """BCM numbers; None where there is no such light or buzzer."""

    red: int | None = None
    green: int | None = None
    buzzer: int | None = None
    active_high: bool = True


class GpioIndicator:
    """Implements ``ports.Indicator``; safe from any thread, since timers end what it shows."""

    def __init__(self, pins: Any, wanted: IndicatorPins, clock: Clock) -> None:
        """Take the pins, dark and silent.

        Raises:
            UnavailableError: another process or output has one of them.
        """
        self._clock = clock
        self._lock = threading.RLock()
        self._cancels: list[Callable[[], None]] = []
        self._devices: dict[str, OutputDevice] = {}
        self._closed = False
        numbers = {"red": wanted.red, "green": wanted.green, "buzzer": wanted.buzzer}
        for name, pin in numbers.items():
            if pin is not None:
                self._devices[name] = self._take(pins, pin, wanted)

    def show(self, indication: Indication) -> None:
        """Say it now, in the place of what was said before.

        Raises:
            UnavailableError: a pin does not obey.
        """
        outcome = indication.outcome
        with self._lock:
            if self._closed:
                return
            self._forget()
            self._set("red", on=outcome in (Outcome.WAITING, Outcome.DENIED))
            self._set("green", on=outcome in (Outcome.WAITING, Outcome.GRANTED))
            self._set("buzzer", on=False)
            for number in range(_BEEPS.get(outcome, 0)):
                start_s = 2 * number * _BEEP_S
                self._later(start_s, lambda: self._set("buzzer", on=True))
                self._later(start_s + _BEEP_S, lambda: self._set("buzzer", on=False))
            shown_s = _LONGEST_WAIT_S if outcome is Outcome.WAITING else _SHOWN_S
            self._later(shown_s, self._dark)

    def stand(self, standing: Standing) -> None:
        """How the access point stands meanwhile."""

    def close(self) -> None:
        """Dark and silent; the pins are let go."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._forget()
            for device in self._devices.values():
                device.off()
                device.close()

    def _take(self, pins: Any, pin: int, wanted: IndicatorPins) -> OutputDevice:
        try:
            return OutputDevice(
                pin, active_high=wanted.active_high, initial_value=False, pin_factory=pins
            )
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            for device in self._devices.values():
                device.close()
            fix = "stop what else uses the pin (gpioinfo names it), or configure another one"
            raise UnavailableError(f"GPIO {pin} cannot be had: {error}", fix) from error

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        def guarded() -> None:
            with self._lock:
                if not self._closed:
                    call()

        self._cancels.append(self._clock.after(delay_s, guarded))

    def _forget(self) -> None:
        for cancel in self._cancels:
            cancel()
        self._cancels.clear()

    def _dark(self) -> None:
        for name in self._devices:
            self._set(name, on=False)

    def _set(self, name: str, *, on: bool) -> None:
        device = self._devices.get(name)
        if device is None:
            return
        try:
            device.on() if on else device.off()
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            raise UnavailableError(f"the indicator's {name} does not obey: {error}") from error
