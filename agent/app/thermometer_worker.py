"""The thread that reads the thermometer: a reading, or a fault until the next one."""

import threading
from collections.abc import Callable

from agent.controller.inputs import FaultCleared, FaultRaised, Input, TemperatureRead
from agent.errors import UnavailableError
from agent.ports import Thermometer

_PART = "thermometer"


class ThermometerReader:
    """Posts a reading each ``interval_s``."""

    def __init__(
        self, thermometer: Thermometer, interval_s: float, post: Callable[[Input], None]
    ) -> None:
        self._thermometer = thermometer
        self._interval_s = interval_s
        self._post = post
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        faulty = False
        while not self._stopping.wait(self._interval_s):
            try:
                reading = self._thermometer.read()
            except (UnavailableError, OSError) as error:
                # A driver makes words of what its bus says; what it did not foresee is a fault too.
                if not faulty:
                    self._post(FaultRaised(_PART, _words(error)))
                faulty = True
                continue
            if faulty:
                faulty = False
                self._post(FaultCleared(_PART, "agent"))
            self._post(TemperatureRead(reading))
        self._thermometer.close()

    def stop(self) -> None:
        """End ``work`` after the reading under way."""
        self._stopping.set()


def _words(error: Exception) -> str:
    """One line; an OSError may come without any."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
