"""Lights and a buzzer at an access point, through gpiozero.

    outcome       red     green   blue   buzzer
    waiting       lit     lit     dark   silent       amber, until the outcome, or its window closes
    granted       dark    lit     dark   one beep     for three seconds
    denied        lit     dark    dark   two beeps    for three seconds

    standing      red     green   blue   buzzer
    (none yet)    dark    dark    dark   silent
    ready         dark    dark    lit    silent       one sees that the kiosk lives
    walk_test     slow    dark    turns  silent       red a second, then blue a second
    free_passage  dark    lit     dark   silent
    locked_down   lit     dark    dark   silent
    out_of_order  slow    slow    dark   silent       amber, a second lit, a second dark
    alarm         fast    dark    dark   fast         a quarter of a second each

An outcome takes the place of the standing for its seconds; then the standing returns as it is by
then. It is the same for every reason: a bystander learns nothing of why somebody was refused.
Before an outcome stand the signs of ``domain.access.signs``, each until another; one without lights
gives way to the standing. The buzzer of an alarm, and that of the signs, can be left out by config.
Not yet run on hardware.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gpiozero import OutputDevice

from agent.domain.access.indication import SHOWN_S, Indication, Outcome, Standing
from agent.domain.access.signs import AMBER, DARK, GAP_S, SIGNS, Guidance, Sign, Step
from agent.errors import UnavailableError
from agent.ports import Clock

_LONGEST_WAIT_S = 120.0
_BEEP_S = 0.08
_BEEPS = {Outcome.GRANTED: 1, Outcome.DENIED: 2}
_LIGHTS = {
    Outcome.WAITING: AMBER,
    Outcome.GRANTED: frozenset({"green"}),
    Outcome.DENIED: frozenset({"red"}),
}
_SLOW_S, _FAST_S = 1.0, 0.25
_STANDINGS: dict[Standing, tuple[Step, ...]] = {
    Standing.READY: (Step(frozenset({"blue"}), 0.0),),
    Standing.WALK_TEST: (Step(frozenset({"red"}), _SLOW_S), Step(frozenset({"blue"}), _SLOW_S)),
    Standing.FREE_PASSAGE: (Step(frozenset({"green"}), 0.0),),
    Standing.LOCKED_DOWN: (Step(frozenset({"red"}), 0.0),),
    Standing.OUT_OF_ORDER: (Step(AMBER, _SLOW_S), Step(DARK, _SLOW_S)),
    Standing.ALARM: (Step(frozenset({"red", "buzzer"}), _FAST_S), Step(DARK, _FAST_S)),
}
"""What is lit and sounds, and for how many seconds, over and over; a single one stays."""


@dataclass(frozen=True, slots=True)
class IndicatorPins:
    """BCM numbers; None where there is no such light or buzzer.

    ``alarm_buzzer`` False keeps the buzzer silent while the alarm stands, ``sign_buzzer`` False
    before a decision.
    """

    red: int | None = None
    green: int | None = None
    buzzer: int | None = None
    active_high: bool = True
    blue: int | None = None
    alarm_buzzer: bool = True
    sign_buzzer: bool = True


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
        self._next: Callable[[], None] = _nothing
        """Ends the way to the next step of lights that go round and round."""
        self._devices: dict[str, OutputDevice] = {}
        self._shown = 0
        self._closed = False
        self._standing: Standing | None = None
        self._telling = False
        self._silent_alarm = not wanted.alarm_buzzer
        self._silent_signs = not wanted.sign_buzzer
        self._sign: Sign | None = None
        numbers = {
            "red": wanted.red,
            "green": wanted.green,
            "blue": wanted.blue,
            "buzzer": wanted.buzzer,
        }
        for name, pin in numbers.items():
            if pin is not None:
                self._devices[name] = self._take(pins, pin, wanted)

    def show(self, told: Indication | Guidance) -> None:
        """Say it now, in the place of what was said before.

        Raises:
            UnavailableError: a pin does not obey.
        """
        with self._lock:
            if self._closed:
                return
            if isinstance(told, Guidance):
                self._guide(SIGNS[told.state], aloud=told.aloud)
                return
            outcome = told.outcome
            self._forget()
            self._telling = True
            shown_s = _LONGEST_WAIT_S if outcome is Outcome.WAITING else SHOWN_S
            self._later(shown_s, self._rest)
            self._light(_LIGHTS[outcome])
            self._sound((_BEEP_S,) * _BEEPS.get(outcome, 0), _BEEP_S)

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

    def _guide(self, sign: Sign, *, aloud: bool) -> None:
        """A sign until another; heard again, its lights go on as they were."""
        if not sign.lights:
            self._rest()
            return
        if sign is not self._sign:
            self._forget()
            self._set("buzzer", on=False)
            self._sign, self._telling = sign, True
            self._step(sign.lights, 0)
        if aloud and not self._silent_signs:
            self._cancels.clear()  # of tones that are over: seconds lie between two times
            self._sound(sign.tones, GAP_S)

    def _sound(self, tones: Sequence[float], gap_s: float) -> None:
        """Tones of so many seconds each, and as long between them."""
        start_s = 0.0
        for lasts_s in tones:
            self._later(start_s, lambda: self._set("buzzer", on=True))
            self._later(start_s + lasts_s, lambda: self._set("buzzer", on=False))
            start_s += lasts_s + gap_s

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._cancels.append(self._after(delay_s, call))

    def _after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        shown = self._shown

        def guarded() -> None:
            with self._lock:
                # It may have been on its way when it was forgotten.
                if not self._closed and shown == self._shown:
                    call()

        return self._clock.after(delay_s, guarded)

    def _forget(self) -> None:
        for cancel in (self._next, *self._cancels):
            cancel()
        self._next = _nothing
        self._cancels.clear()
        self._shown += 1
        self._sign = None

    def _rest(self) -> None:
        """Show how the access point stands."""
        self._forget()
        self._telling = False
        steps = (Step(DARK, 0.0),) if self._standing is None else _STANDINGS[self._standing]
        self._step(steps, 0)

    def _step(self, steps: Sequence[Step], number: int) -> None:
        step = steps[number]
        self._light(step.lit - {"buzzer"} if self._silent_alarm else step.lit)
        if len(steps) > 1:
            following = (number + 1) % len(steps)
            self._next = self._after(step.lasts_s, lambda: self._step(steps, following))

    def _light(self, lit: frozenset[str]) -> None:
        for name in self._devices:
            # Before a decision the buzzer has a rhythm of its own.
            if name != "buzzer" or self._sign is None:
                self._set(name, on=name in lit)

    def _set(self, name: str, *, on: bool) -> None:
        device = self._devices.get(name)
        if device is None:
            return
        try:
            device.on() if on else device.off()
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            raise UnavailableError(f"the indicator's {name} does not obey: {error}") from error


def _nothing() -> None:
    """There is no timer to be cancelled."""
