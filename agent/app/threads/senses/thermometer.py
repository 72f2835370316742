"""The thread that reads the thermometer: a reading, or a fault until the next one."""

import threading
from collections.abc import Callable

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.rounds import came_round
from agent.controller.inputs import Input, TemperatureRead
from agent.domain.access.part import PartKind
from agent.domain.skin.part_health import Repeats
from agent.errors import UnavailableError
from agent.ports import Thermometer


class ThermometerReader:
    """Posts a reading each ``interval_s``."""

    def __init__(
        self, thermometer: Thermometer, interval_s: float, post: Callable[[Input], None]
    ) -> None:
        self._thermometer = thermometer
        self._interval_s = interval_s
        self._post = post
        self._fault = FaultLine(PartKind.THERMOMETER.part(), post)
        self._repeats = Repeats()
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.wait(self._interval_s):
            came_round()
            self.round()
        self._thermometer.close()

    def round(self) -> None:
        """One reading, or the fault that there is none, or for ever the same one."""
        try:
            reading = self._thermometer.read()
        except (UnavailableError, OSError) as error:
            # A driver makes words of what its bus says; what it did not foresee is a fault too.
            self._fault.failed(error)
            return
        self._repeats.add(reading)
        if self._repeats.stuck:
            self._fault.failed(f"it says {reading.temperature_c:.2f} C over and over: it hangs")
            return
        self._fault.works()
        self._post(TemperatureRead(reading))

    def told(self) -> bool:
        """Whether the last word about it was that it failed."""
        return self._fault.failing

    def stop(self) -> None:
        """End ``work`` after the reading under way."""
        self._stopping.set()
