"""An MLX90640 to the byte: its address space, its subpages in time, and its bad days.

Sees ``scene_c``, 24 rows x 32 columns of temperatures in the part's own order, and works backwards
from them to the words that a part with this EEPROM would hold: the closed form of the datasheet's
last equation, solved for the signal. What no part could know either is lost on the way: the
rounding of the converter.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.adapters.thermometer import mlx90640 as part
from agent.adapters.thermometer.mlx90640_calibration import (
    COLUMNS,
    PIXELS,
    ROWS,
    WORDS,
    Calibration,
    Grid,
    read_calibration,
)
from agent.adapters.thermometer.mlx90640_image import (
    CP_0,
    CP_1,
    GAIN,
    PTAT,
    RAM_WORDS,
    SELF_HEATING_K,
    VBE,
    VDD,
    VDD_V,
    ZERO_K,
    Conditions,
    background4,
    conditions,
    cp_offset,
    cp_signal,
    pattern_correction,
    range_gain,
    sensitivity,
    subpage_mask,
)
from agent.adapters.thermometer.simulated_eeprom import typical_eeprom
from agent.adapters.thermometer.simulated_i2c import NackError
from agent.errors import UnavailableError

_POWER_UP_CONTROL = 0x1901  # chess, 18 bits, 2 Hz, subpages on
_GAIN_DRIFT = 1.0175
_PTAT_WORD = 1711
_CP_SIGNAL = 20.0
_INT16 = (-32768, 32767)


class SimulatedMlx90640:
    """The part; its attributes may be set between transfers.

    ``silent`` acknowledges nothing; ``nacks`` as many of the next messages. ``stuck`` measures
    nothing new but says that it did; ``frozen`` never has new data; ``only_subpage`` measures that
    one alone. ``spoilt`` names RAM words (by number from 0x0400) and what stands there instead.
    """

    def __init__(
        self,
        scene_c: Grid | float = 36.2,
        ta_c: float = 30.0,
        *,
        eeprom: Sequence[int] | None = None,
        noise_c: float = 0.1,
        starts_after_s: float = 0.08,
        now_s: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        self.scene_c: Grid = np.full((ROWS, COLUMNS), 0.0) + scene_c
        self.ta_c = ta_c
        self.vdd_v = 3.31
        self.surface_emissivity = 0.98
        self.self_heating_k = SELF_HEATING_K
        self.noise_c = noise_c
        self.drift_c_per_s = 0.0
        self.silent = self.stuck = self.frozen = False
        self.nacks = 0
        self.only_subpage: int | None = None
        self.spoilt: dict[int, int] = {}
        self.eeprom = list(typical_eeprom() if eeprom is None else eeprom)
        self._starts_after_s = starts_after_s
        self._now_s = now_s
        self._random = np.random.default_rng(seed)
        self._ram = np.zeros(RAM_WORDS, dtype=np.int16)
        self._at = 0
        self.power_up()

    def power_up(self) -> None:
        """Lose all but the EEPROM; answer after a while."""
        self._up_s = self._since_s = self._now_s()
        self._measured = 0
        self._control, self._status = _POWER_UP_CONTROL, 0
        self._found: Calibration | None
        try:
            self._found = read_calibration(self.eeprom)
        except UnavailableError:  # such a part measures too, and nobody can say what
            self._found = None

    @property
    def refresh_hz(self) -> float:
        """As the control register says."""
        return 0.5 * 2.0 ** ((self._control & part.REFRESH_BITS) >> part.REFRESH_AT)

    def write(self, data: bytes) -> None:
        """Take an address, or a word for it."""
        self._acknowledge()
        if len(data) not in (2, 4):
            raise NackError
        self._at = int.from_bytes(data[:2], "big")
        if len(data) == 2:
            return
        word = int.from_bytes(data[2:], "big")
        if self._at == part.STATUS:
            self._status = word & ~part.NEW_DATA | self._status & part.SUBPAGE
        elif self._at == part.CONTROL:
            self._control = word
            self._since_s, self._measured = self._now_s(), 0
        else:
            raise NackError

    def read(self, count: int) -> bytes:
        """Words from the address on, high byte first."""
        self._acknowledge()
        words = (self._word(self._at + i) for i in range(count // 2))
        return b"".join(word.to_bytes(2, "big") for word in words)

    def _acknowledge(self) -> None:
        now_s = self._now_s()
        if self.silent or now_s < self._up_s + self._starts_after_s:
            raise NackError
        if self.nacks:
            self.nacks -= 1
            raise NackError
        due = int((now_s - self._since_s) * self.refresh_hz)
        # Only the last of each half can still be seen.
        for number in range(max(self._measured, due - 2), due):
            self._measure(number)
        self._measured = max(due, self._measured)

    def _word(self, at: int) -> int:
        if part.EEPROM <= at < part.EEPROM + WORDS:
            return self.eeprom[at - part.EEPROM]
        if part.RAM <= at < part.RAM + RAM_WORDS:
            number = at - part.RAM
            return self.spoilt.get(number, int(self._ram[number])) & 0xFFFF
        return {part.STATUS: self._status, part.CONTROL: self._control}.get(at, 0)

    def _measure(self, number: int) -> None:
        if self.frozen:
            return
        subpage = number % 2 if self.only_subpage is None else self.only_subpage
        self._status = self._status & ~part.SUBPAGE | part.NEW_DATA | subpage
        if self._found is not None and not self.stuck:
            at_s = (number + 1) / self.refresh_hz
            noise = self._random.normal(0.0, self.noise_c, (ROWS, COLUMNS))
            self._store(self._found, self.scene_c + self.drift_c_per_s * at_s + noise, subpage)

    def _store(self, found: Calibration, seen_c: Grid, subpage: int) -> None:
        ram, chess = self._ram, bool(self._control & part.CHESS)
        at = self._store_common(found)
        blind = cp_offset(found, subpage, chess=chess) * at.drift(found.cp_kta, found.cp_kv)
        ram[CP_1 if subpage else CP_0] = _word16(float(_CP_SIGNAL + blind) / at.gain)
        signal = self._signal(found, seen_c, at.ta_c, subpage) * self.surface_emissivity
        signal += found.tgc * cp_signal(ram, found, at, subpage, chess=chess)
        signal += found.offset * at.drift(found.kta, found.kv)
        signal -= pattern_correction(found, chess=chess)
        words = np.clip(np.round(signal / at.gain), *_INT16).astype(np.int16)
        mask = subpage_mask(subpage, chess=chess)
        pixels: NDArray[np.int16] = ram[:PIXELS].reshape(ROWS, COLUMNS)
        pixels[mask] = words[mask]

    def _store_common(self, found: Calibration) -> Conditions:
        """The words of supply, own temperature and gain, and what they say after their rounding."""
        ram, resolution = self._ram, self._control >> part.RESOLUTION_AT & 3
        supply = found.vdd_25 + found.k_vdd * (self.vdd_v - VDD_V)
        ram[VDD] = _word16(supply * 2.0 ** (resolution - found.resolution))
        art = found.v_ptat_25 + found.kt_ptat * (self.ta_c - 25.0)
        art *= 1.0 + found.kv_ptat * (self.vdd_v - VDD_V)
        ram[PTAT] = _PTAT_WORD
        ram[VBE] = _word16(_PTAT_WORD * (2.0**18 / art - found.alpha_ptat))
        ram[GAIN] = _word16(found.gain / _GAIN_DRIFT)
        try:
            return conditions(ram, found, resolution)
        except UnavailableError:  # a supply or temperature that no driver takes
            return Conditions(self.vdd_v, self.ta_c, _GAIN_DRIFT)

    def _signal(self, found: Calibration, seen_c: Grid, ta_c: float, subpage: int) -> Grid:
        """What a black body would give: sensitivity in its range times a difference of powers."""
        slopes, corners = np.array(found.ks_to), np.array(found.corners_c)
        ranges = np.searchsorted(corners[1:], seen_c, side="right")
        grown = range_gain(found)[ranges] * (1.0 + slopes[ranges] * (seen_c - corners[ranges]))
        reflected_c = ta_c - self.self_heating_k
        beside4 = background4(ta_c, reflected_c, self.surface_emissivity)
        alpha = sensitivity(found, ta_c, subpage)
        return np.asarray(alpha * grown * ((seen_c + ZERO_K) ** 4 - beside4))


def _word16(value: float) -> np.int16:
    return np.int16(min(max(round(value), _INT16[0]), _INT16[1]))
