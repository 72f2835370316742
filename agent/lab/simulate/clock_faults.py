"""What happens to the clock of a simulated kiosk: it is lost, slips, or somebody moves it."""

import random
from collections.abc import Callable
from typing import Protocol

_DAY_S = 86_400.0


class BusyError(Exception):
    """The same is broken already; it must wait for its turn."""


class TimedGate(Protocol):
    """What these faults need of the simulation."""

    timeless: bool
    """Nothing remembers what time it was: whoever sets the clock is believed at the next start."""

    def set_clock(self, offset_s: float, *, trusted: bool, attacked: bool = False) -> None:
        """The kiosk's time of day, so far from the truth."""

    def tell_time(self) -> None:
        """A person says that the clock is right now."""


class ClockFaults:
    """One at a time; ``ends`` undoes it after so many seconds, or at the end of the day."""

    def __init__(
        self,
        gate: TimedGate,
        chance: random.Random,
        ends: Callable[[str, float, float, Callable[[], object]], None],
    ) -> None:
        self._gate, self._chance, self._ends = gate, chance, ends
        self._busy = False

    def kinds(self) -> dict[str, Callable[[], None]]:
        """By name, as the report counts them."""
        return {
            "clock_untrusted": self._lost,
            "clock_stepped": self._steps,
            "clock_attacked": self._attacked,
        }

    def _begin(self, offset_s: float, *, trusted: bool, attacked: bool = False) -> None:
        if self._busy or self._gate.timeless:
            raise BusyError
        self._busy = True
        self._gate.set_clock(offset_s, trusted=trusted, attacked=attacked)

    def _lost(self) -> None:
        self._begin(self._chance.uniform(-20_000, 20_000), trusted=False)
        self._ends("clock", 20, 300, self._found)

    def _steps(self) -> None:
        self._begin(self._chance.uniform(-0.8, 0.8), trusted=True)
        self._ends("clock", 10, 200, self._found)

    def _attacked(self) -> None:
        """Whoever says what time it is to NTP: far ahead, or back to when a right still held."""
        ahead = self._chance.uniform(2 * _DAY_S, 500 * _DAY_S)
        back = -self._chance.uniform(7_200.0, 60 * _DAY_S)
        self._begin(self._chance.choice([ahead, back]), trusted=True, attacked=True)
        self._ends("clock", 20, 300, self._taken_back)

    def _found(self) -> None:
        self._busy = False
        self._gate.set_clock(0.0, trusted=True)

    def _taken_back(self) -> None:
        self._found()
        self._gate.tell_time()
