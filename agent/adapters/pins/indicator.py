"""Lights and a buzzer at an access point, through gpiozero.

    outcome       red     green   blue   buzzer
    waiting       lit     lit     dark   silent       amber, until the outcome, or its window closes
    granted       dark    lit     dark   one beep     for three seconds
    denied        lit     dark    dark   two beeps    for three seconds

    standing      red     green   blue   buzzer
    (none yet)    dark    dark    dark   silent
    ready         dark    dark    lit    silent       one sees that the kiosk lives
    free_passage  dark    lit     dark   silent
    locked_down   lit     dark    dark   silent
    out_of_order  slow    slow    dark   silent       amber, a second lit, a second dark
    alarm         fast    dark    dark   fast         a quarter of a second each

An outcome takes the place of the standing for its seconds; then the standing returns as it is by
then. It is the same for every reason: a bystander learns nothing of why somebody was refused. The
buzzer of an alarm can be left out by config. Not yet run on hardware.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpiozero import OutputDevice

from agent.domain.access.indication import Indication, Outcome, Standing
from agent.errors import UnavailableError
from agent.ports import Clock

_SHOWN_S = 3.0
_LONGEST_WAIT_S = 120.0
_BEEP_S = 0.08
_BEEPS = {Outcome.GRANTED: 1, Outcome.DENIED: 2}
_LIGHTS = {
    Outcome.WAITING: frozenset({"red", "green"}),
    Outcome.GRANTED: frozenset({"green"}),
    Outcome.DENIED: frozenset({"red"}),
}
_SLOW_S, _FAST_S = 1.0, 0.25
_DARK: frozenset[str] = frozenset()
_STANDINGS: dict[Standing, tuple[tuple[frozenset[str], float], ...]] = {
    Standing.READY: ((frozenset({"blue"}), 0.0),),
    Standing.FREE_PASSAGE: ((frozenset({"green"}), 0.0),),
    Standing.LOCKED_DOWN: ((frozenset({"red"}), 0.0),),
    Standing.OUT_OF_ORDER: ((frozenset({"red", "green"}), _SLOW_S), (_DARK, _SLOW_S)),
    Standing.ALARM: ((frozenset({"red", "buzzer"}), _FAST_S), (_DARK, _FAST_S)),
}
"""What is lit and sounds, and for how many seconds, over and over; a single one stays."""


@dataclass(frozen=True, slots=True)
class IndicatorPins:
    """BCM numbers; None where there is no such light or buzzer.

    ``alarm_buzzer`` False keeps the buzzer silent while the alarm stands.
    """

    red: int | None = None
    green: int | None = None
    buzzer: int | None = None
    active_high: bool = True
    blue: int | None = None
    alarm_buzzer: bool = True


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
        self._shown = 0
        self._closed = False
        self._standing: Standing | None = None
        self._telling = False
        self._silent_alarm = not wanted.alarm_buzzer
        numbers = {
            "red": wanted.red,
            "green": wanted.green,
            "blue": wanted.blue,
            "buzzer": wanted.buzzer,
        }
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
            self._telling = True
            shown_s = _LONGEST_WAIT_S if outcome is Outcome.WAITING else _SHOWN_S
            self._later(shown_s, self._rest)
            self._light(_LIGHTS[outcome])
            for number in range(_BEEPS.get(outcome, 0)):
                start_s = 2 * number * _BEEP_S
                self._later(start_s, lambda: self._set("buzzer", on=True))
                self._later(start_s + _BEEP_S, lambda: self._set("buzzer", on=False))

    def stand(self, standing: Standing) -> None:
        """How the access point stands from now on; seen once nobody is being told anything.

        Raises:
            UnavailableError: a pin does not obey.
        """
        with self._lock:
            if self._closed or standing is self._standing:
                return
            self._standing = standing
            if not self._telling:
                self._rest()

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
        shown = self._shown

        def guarded() -> None:
            with self._lock:
                # It may have been on its way when it was forgotten.
                if not self._closed and shown == self._shown:
                    call()

        self._cancels.append(self._clock.after(delay_s, guarded))

    def _forget(self) -> None:
        for cancel in self._cancels:
            cancel()
        self._cancels.clear()
        self._shown += 1

    def _rest(self) -> None:
        """Show how the access point stands."""
        self._forget()
        self._telling = False
        steps = ((_DARK, 0.0),) if self._standing is None else _STANDINGS[self._standing]
        self._step(steps, 0)

    def _step(self, steps: tuple[tuple[frozenset[str], float], ...], number: int) -> None:
        lit, lasts_s = steps[number]
        self._light(lit - {"buzzer"} if self._silent_alarm else lit)
        if len(steps) > 1:
            self._cancels.clear()  # the timer that led here was the only one
            self._later(lasts_s, lambda: self._step(steps, (number + 1) % len(steps)))

    def _light(self, lit: frozenset[str]) -> None:
        for name in self._devices:
            self._set(name, on=name in lit)

    def _set(self, name: str, *, on: bool) -> None:
        device = self._devices.get(name)
        if device is None:
            return
        try:
            device.on() if on else device.off()
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            raise UnavailableError(f"the indicator's {name} does not obey: {error}") from error
