"""What a thermometer's own readings say against it: values that no skin has, or that never change.

    faces in a row that are warmer than skin can be    >= 3                    IMPLAUSIBLE
    readings in a row that are exactly equal           >= 64, over >= 10 s     STUCK

One face is no run: somebody may hold a hot cup before it. A part that measures has noise, so a
value that stands still for seconds is a part that hangs (or a driver that reads one buffer twice).
"""

from dataclasses import dataclass

from agent.domain.skin.reading import TemperatureReading

FACES = 3
_EQUAL_READINGS = 64
_EQUAL_S = 10.0


@dataclass(slots=True)
class Repeats:
    """Follows a part's readings; ``stuck`` while they have been equal for too long."""

    _value: tuple[float, float | None] | None = None
    _since_s: float = 0.0
    _count: int = 0
    stuck: bool = False

    def add(self, reading: TemperatureReading) -> None:
        """One reading more, in the order of time."""
        value = (reading.temperature_c, reading.ambient_c)
        if value != self._value:
            self._value, self._since_s, self._count = value, reading.measured_s, 0
        self._count += 1
        lasts_s = reading.measured_s - self._since_s
        self.stuck = self._count >= _EQUAL_READINGS and lasts_s >= _EQUAL_S


@dataclass(slots=True)
class HotFaces:
    """Counts the faces in a row that were warmer than skin can be; any other one ends the run."""

    count: int = 0

    @property
    def implausible(self) -> bool:
        """Whether it is the part, and no longer the people."""
        return self.count >= FACES

    def add(self, *, hot: bool) -> bool:
        """One face more; whether there is something to say: of each in a run, and of its end."""
        before = self.implausible
        self.count = self.count + 1 if hot else 0
        return self.implausible or before
