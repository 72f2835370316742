"""A thermometer that behaves like the part: noise, drift, a stuck value, no answer."""

import time
from collections.abc import Callable

import numpy as np

from agent.domain.evidence import TemperatureReading
from agent.errors import UnavailableError


class SimulatedThermometer:
    """Sees ``temperature_c``; faults are switched on by attribute, from any thread."""

    def __init__(
        self,
        temperature_c: float = 36.2,
        *,
        noise_c: float = 0.05,
        drift_c_per_s: float = 0.0,
        seed: int = 1,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.temperature_c = temperature_c
        self.stuck = False
        self.silent = False
        self.reads = 0
        self._noise_c = noise_c
        self._drift_c_per_s = drift_c_per_s
        self._random = np.random.default_rng(seed)
        self._now_s = now_s
        self._start_s = now_s()
        self._last_c = temperature_c

    def read(self) -> TemperatureReading:
        """A reading taken now.

        Raises:
            UnavailableError: the simulated part is silent.
        """
        self.reads += 1
        if self.silent:
            raise UnavailableError("the thermometer does not answer", "check its wiring")
        now_s = self._now_s()
        if not self.stuck:
            drift_c = self._drift_c_per_s * (now_s - self._start_s)
            noise_c = float(self._random.normal(0.0, self._noise_c))
            # The MLX90614 counts in steps of 0.02 K.
            self._last_c = round((self.temperature_c + drift_c + noise_c) / 0.02) * 0.02
        return TemperatureReading(now_s, self._last_c, ambient_c=22.0)

    def close(self) -> None:
        """There is nothing to let go."""
