"""An MLX90614 to the byte: its registers, its EEPROM, its PEC, and its bad days.

Sees ``object_c`` (a surface of ``surface_emissivity``) and is itself as warm as ``ambient_c``. A
cell of its EEPROM keeps what was there and what is written together unless it was erased, and is
busy for 20 ms after each write.
"""

import math
import time
from collections.abc import Callable

import numpy as np

from agent.adapters.thermometer.mlx90614 import (
    ADDRESS,
    AMBIENT,
    EMISSIVITY,
    ERROR_BIT,
    OBJECT,
    STEP_K,
    ZERO_C,
    emissivity_word,
)
from agent.adapters.thermometer.pec import pec
from agent.adapters.thermometer.simulated_i2c import NackError

_FIRST_DATA_S = 0.25
_BUSY_S = 0.02
_WORD = 0xFFFF
_EEPROM = range(0x20, 0x40)


class SimulatedMlx90614:
    """The part; its attributes may be set between transfers.

    ``silent`` acknowledges nothing (unplugged); ``nacks`` as many of the next messages.
    ``stuck`` repeats its last words; ``failed`` sets their error bits; ``pec_flips`` holds masks
    laid over the next answers (24 bits: low, high, PEC), one each, and ``pec_wrong`` spoils the PEC
    of all. ``writes`` keeps what was written to the EEPROM.
    """

    def __init__(  # noqa: PLR0913 - a part has as many properties as it has
        self,
        object_c: float = 36.2,
        ambient_c: float = 22.0,
        *,
        address: int = ADDRESS,
        noise_c: float = 0.05,
        drift_c_per_s: float = 0.0,
        starts_after_s: float = _FIRST_DATA_S,
        now_s: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        self.object_c = object_c
        self.ambient_c = ambient_c
        self.surface_emissivity = 0.98
        self.silent = self.stuck = self.failed = self.pec_wrong = False
        self.nacks = 0
        self.pec_flips: list[int] = []
        self.writes: list[tuple[int, int]] = []
        self.eeprom = dict.fromkeys(_EEPROM, 0) | {EMISSIVITY: emissivity_word(0.98)}
        self._address = address
        self._noise_c = noise_c
        self._drift_c_per_s = drift_c_per_s
        self._starts_after_s = starts_after_s
        self._now_s = now_s
        self._random = np.random.default_rng(seed)
        self._register = 0
        self._kept: dict[int, int] = {}
        self._busy_until_s = -math.inf
        self.power_up()

    def power_up(self) -> None:
        """Lose all but the EEPROM, which counts from now on; answer after a while."""
        self._since_s = self._now_s()
        self._emissivity = self.eeprom[EMISSIVITY] / _WORD

    def write(self, data: bytes) -> None:
        """Take a register's number, or a whole word for it with its PEC."""
        self._acknowledge()
        if not data:
            return
        self._register = data[0]
        if len(data) == 1:
            return
        if len(data) != 4 or pec(bytes([self._address << 1]) + data[:3]) != data[3]:
            raise NackError
        if self._register not in self.eeprom:
            raise NackError
        value = data[1] | data[2] << 8
        self.writes.append((self._register, value))
        self.eeprom[self._register] = value and (self.eeprom[self._register] | value)
        self._busy_until_s = self._now_s() + _BUSY_S

    def read(self, count: int) -> bytes:
        """The register's word, low byte first, then the PEC of the whole transfer."""
        self._acknowledge()
        word = self._word(self._register)
        low, high = word & 0xFF, word >> 8
        heard = bytes([self._address << 1, self._register, self._address << 1 | 1, low, high])
        answer = bytes([low, high, pec(heard) ^ (0x55 if self.pec_wrong else 0)])
        flips = self.pec_flips.pop(0) if self.pec_flips else 0
        spoilt = (int.from_bytes(answer, "big") ^ flips).to_bytes(3, "big")
        return spoilt.ljust(count, b"\xff")[:count]

    def _acknowledge(self) -> None:
        now_s = self._now_s()
        waking = now_s < self._since_s + self._starts_after_s
        if self.silent or waking or now_s < self._busy_until_s:
            raise NackError
        if self.nacks:
            self.nacks -= 1
            raise NackError

    def _word(self, register: int) -> int:
        if register in self.eeprom:
            return self.eeprom[register]
        if register not in (AMBIENT, OBJECT):
            return 0
        if not (self.stuck and register in self._kept):
            celsius = self._seen_c() if register == OBJECT else self.ambient_c
            celsius += float(self._random.normal(0.0, self._noise_c))
            self._kept[register] = round((celsius - ZERO_C) / STEP_K) & 0x7FFF
        return self._kept[register] | (ERROR_BIT if self.failed else 0)

    def _seen_c(self) -> float:
        true_c = self.object_c + self._drift_c_per_s * (self._now_s() - self._since_s)
        own4, true4 = (self.ambient_c - ZERO_C) ** 4, (true_c - ZERO_C) ** 4
        # The part divides what reaches it by its own emissivity.
        share = self.surface_emissivity / self._emissivity if self._emissivity else 1.0
        return float((own4 + share * (true4 - own4)) ** 0.25) + ZERO_C
