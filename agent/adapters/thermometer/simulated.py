"""A thermometer that behaves like the part: noise, steps, drift, a stuck value, no answer."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from agent.domain.skin.reading import TemperatureReading
from agent.errors import UnavailableError

_STEP_C = 0.02  # the MLX90614 counts in steps of 0.02 K
_AMBIENT_C = 22.0
_FIX = "check its wiring, its supply and the bus: i2cdetect -y 1"


class SimulatedThermometer:
    """Sees ``temperature_c``; its attributes may be set from any thread.

    ``script`` holds pairs of seconds since the start and the temperature from then on. ``stuck``
    repeats the last value; ``silent`` answers nothing (a NACK on the bus); ``garbled`` answers
    with what cannot be a reading (a wrong check byte). ``reads`` counts what was asked.
    """

    def __init__(
        self,
        temperature_c: float = 36.2,
        *,
        noise_c: float = 0.05,
        drift_c_per_s: float = 0.0,
        script: Sequence[tuple[float, float]] = (),
        seed: int = 1,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.temperature_c = temperature_c
        self.stuck = False
        self.silent = False
        self.garbled = False
        self.reads = 0
        self._noise_c = noise_c
        self._drift_c_per_s = drift_c_per_s
        self._script = sorted(script)
        self._random = np.random.default_rng(seed)
        self._now_s = now_s
        self._start_s = now_s()
        self._last_c = temperature_c
        self._closed = False

    def read(self) -> TemperatureReading:
        """A reading taken now.

        Raises:
            UnavailableError: the simulated part is silent, garbled or closed.
        """
        self.reads += 1
        if self.silent or self._closed:
            raise UnavailableError("the thermometer does not answer", _FIX)
        if self.garbled:
            raise UnavailableError("the thermometer's answer fails its check", _FIX)
        now_s = self._now_s()
        if not self.stuck:
            self._last_c = self._seen_c(now_s - self._start_s)
        return TemperatureReading(now_s, self._last_c, ambient_c=_AMBIENT_C)

    def close(self) -> None:
        """Answer nothing any more."""
        self._closed = True

    def _seen_c(self, at_s: float) -> float:
        while self._script and self._script[0][0] <= at_s:
            self.temperature_c = self._script.pop(0)[1]
        noise_c = float(self._random.normal(0.0, self._noise_c))
        seen_c = self.temperature_c + self._drift_c_per_s * at_s + noise_c
        return round(round(seen_c / _STEP_C) * _STEP_C, 2)
