"""The thread that reads the thermometer: a reading, or a fault until the next one."""

import threading
from collections.abc import Callable

from agent.controller.inputs import FaultCleared, FaultRaised, Input, TemperatureRead
from agent.domain.access.part import PartKind
from agent.errors import UnavailableError
from agent.ports import Thermometer

_PART = PartKind.THERMOMETER.part()


class ThermometerReader:
    """Posts a reading each ``interval_s``."""

    def __init__(
        self, thermometer: Thermometer, interval_s: float, post: Callable[[Input], None]
    ) -> None:
        self._thermometer = thermometer
        self._interval_s = interval_s
        self._post = post
        self._stopping = threading.Event()
        self._faulty = False

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.wait(self._interval_s):
            self.round()
        self._thermometer.close()

    def round(self) -> None:
        """One reading, or the fault that there is none."""
        try:
            reading = self._thermometer.read()
        except (UnavailableError, OSError) as error:
            # A driver makes words of what its bus says; what it did not foresee is a fault too.
            if not self._faulty:
                self._post(FaultRaised(_PART, _words(error)))
            self._faulty = True
            return
        if self._faulty:
            self._faulty = False
            self._post(FaultCleared(_PART, "agent"))
        self._post(TemperatureRead(reading))

    def stop(self) -> None:
        """End ``work`` after the reading under way."""
        self._stopping.set()


def _words(error: Exception) -> str:
    """One line; an OSError may come without any."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
