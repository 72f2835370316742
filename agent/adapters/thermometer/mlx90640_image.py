"""From the words of an MLX90640's RAM to temperatures (Melexis datasheet rev 12, 11.2.2).

    supply -> its own temperature -> gain -> each pixel less its offset, less what the compensation
    pixel saw of the package -> over sensitivity, to the fourth power of a temperature

A subpage is half of the pixels: alternate fields of a chess board, or alternate rows. Words are
numbered from 0x0400, the first pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.adapters.thermometer.mlx90640_calibration import COLUMNS, PIXELS, ROWS, Calibration, Grid
from agent.errors import UnavailableError

RAM_WORDS = PIXELS + 64
VBE, CP_0, GAIN, PTAT, CP_1, VDD = (at - 0x400 for at in (0x700, 0x708, 0x70A, 0x720, 0x728, 0x72A))
INVALID = 0x7FFF
ZERO_K = 273.15
VDD_V = 3.3
TA_C = 25.0
SELF_HEATING_K = 8.0
"""How much warmer than the room the part is, typically: the datasheet's Tr = Ta - 8."""

_SUPPLY_V = (2.8, 3.8)
_AMBIENT_C = (-40.0, 93.0)
_row, _column = np.indices((ROWS, COLUMNS))
_ODD_ROW = _row % 2
_CHESS = _ODD_ROW ^ (_column % 2)
_CONVERSION = np.array([0, -1, 0, 1])[_column % 4] * (1 - 2 * _ODD_ROW)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for a whole subpage: the supply, the part's own temperature, the gain."""

    vdd_v: float
    ta_c: float
    gain: float

    def drift(self, kta: Grid | float, kv: Grid | float) -> Grid:
        """By what an offset grows at this temperature and supply."""
        grown = (1.0 + kta * (self.ta_c - TA_C)) * (1.0 + kv * (self.vdd_v - VDD_V))
        return np.asarray(grown, dtype=np.float64)


def subpage_mask(subpage: int, *, chess: bool) -> NDArray[np.bool_]:
    """Which pixels a subpage measures."""
    return np.asarray((_CHESS if chess else _ODD_ROW) == subpage)


def pattern_correction(calibration: Calibration, *, chess: bool) -> Grid:
    """What is added to each pixel where the pattern is not the calibration's (11.2.2.5.3)."""
    if chess == calibration.chess:
        return np.zeros((ROWS, COLUMNS))
    _, two, three = calibration.il_chess
    return three * (2.0 * _ODD_ROW - 1.0) - two * _CONVERSION


def conditions(ram: NDArray[np.int16], calibration: Calibration, resolution: int) -> Conditions:
    """Supply, own temperature and gain of a subpage (11.2.2.1 to .4).

    Raises:
        UnavailableError: they cannot be: spoilt words, or a supply outside 3.0 to 3.6 V.
    """
    needed = ram[[VBE, CP_0, GAIN, PTAT, CP_1, VDD]]
    if np.any(needed == INVALID) or ram[GAIN] <= 0 or ram[PTAT] <= 0 or ram[VBE] <= 0:
        raise UnavailableError("the MLX90640 gives no valid measurement", _NONSENSE_FIX)
    corrected = float(ram[VDD]) * 2.0 ** (calibration.resolution - resolution)
    vdd_v = (corrected - calibration.vdd_25) / calibration.k_vdd + VDD_V
    if not _SUPPLY_V[0] <= vdd_v <= _SUPPLY_V[1]:
        fix = "it needs 3.0 to 3.6 V, from the Pi's 3.3 V pin; never from 5 V"
        raise UnavailableError(f"the MLX90640 has a supply of {vdd_v:.2f} V", fix)
    ptat = float(ram[PTAT])
    share = ptat / (ptat * calibration.alpha_ptat + float(ram[VBE])) * 2.0**18
    steady = share / (1.0 + calibration.kv_ptat * (vdd_v - VDD_V))
    ta_c = (steady - calibration.v_ptat_25) / calibration.kt_ptat + TA_C
    if not _AMBIENT_C[0] <= ta_c <= _AMBIENT_C[1]:
        message = f"the MLX90640 says that it is at {ta_c:.0f} C itself, which cannot be"
        raise UnavailableError(message, _NONSENSE_FIX)
    return Conditions(vdd_v, ta_c, calibration.gain / float(ram[GAIN]))


def cp_offset(calibration: Calibration, subpage: int, *, chess: bool) -> float:
    """The offset of a subpage's compensation pixel in this reading pattern (11.2.2.6.2)."""
    moved = subpage == 1 and chess != calibration.chess
    return calibration.cp_offset[subpage] + (calibration.il_chess[0] if moved else 0.0)


def cp_signal(
    ram: NDArray[np.int16], calibration: Calibration, at: Conditions, subpage: int, *, chess: bool
) -> float:
    """What the compensation pixel, which is blind, saw of the package."""
    offset = cp_offset(calibration, subpage, chess=chess)
    drift = float(at.drift(calibration.cp_kta, calibration.cp_kv))
    return float(ram[CP_1 if subpage else CP_0]) * at.gain - offset * drift


def pixel_signals(
    ram: NDArray[np.int16], calibration: Calibration, at: Conditions, *, chess: bool
) -> Grid:
    """Each pixel after gain, offset, own temperature, supply and pattern (11.2.2.5)."""
    raw = ram[:PIXELS].reshape(ROWS, COLUMNS).astype(np.float64) * at.gain
    still = raw - calibration.offset * at.drift(calibration.kta, calibration.kv)
    return still + pattern_correction(calibration, chess=chess)


def sensitivity(calibration: Calibration, ta_c: float, subpage: int) -> Grid:
    """Each pixel's at the part's own temperature, less the compensation pixel's (11.2.2.8)."""
    bare = calibration.alpha - calibration.tgc * calibration.cp_alpha[subpage]
    return bare * (1.0 + calibration.ks_ta * (ta_c - TA_C))


def background4(ta_c: float, reflected_c: float, emissivity: float) -> float:
    """What shines beside the object, as a fourth power: the part itself and the surroundings."""
    own4, reflected4 = (ta_c + ZERO_K) ** 4, (reflected_c + ZERO_K) ** 4
    return reflected4 - (reflected4 - own4) / emissivity


def range_gain(calibration: Calibration) -> NDArray[np.float64]:
    """The sensitivity at the start of each of the four temperature ranges (11.2.2.9.1)."""
    one, two, three, _ = calibration.ks_to
    _, _, third, fourth = calibration.corners_c
    rising = 1.0 + two * third
    return np.array(
        [1.0 / (1.0 + one * 40.0), 1.0, rising, rising * (1.0 + three * (fourth - third))]
    )


def basic_temperature(signal: Grid, alpha: Grid, beside4: float, ks_to: float) -> Grid:
    """In Celsius, as the range from 0 C makes it; NaN where no temperature gives the signal."""
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = ks_to * np.sqrt(np.sqrt(alpha**3 * (signal + alpha * beside4)))
        inner = signal / (alpha * (1.0 - ks_to * ZERO_K) + slope) + beside4
        return np.asarray(np.sqrt(np.sqrt(inner)) - ZERO_K)


def temperatures(signal: Grid, alpha: Grid, beside4: float, calibration: Calibration) -> Grid:
    """In Celsius, each pixel by the range that it lies in (11.2.2.9)."""
    first = basic_temperature(signal, alpha, beside4, calibration.ks_to[1])
    known = np.nan_to_num(first, nan=-ZERO_K)
    ranges = np.searchsorted(np.array(calibration.corners_c[1:]), known, side="right")
    slopes, corners = np.array(calibration.ks_to), np.array(calibration.corners_c)
    grown = 1.0 + slopes[ranges] * (first - corners[ranges])
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = signal / (alpha * range_gain(calibration)[ranges] * grown) + beside4
        return np.asarray(np.sqrt(np.sqrt(inner)) - ZERO_K)


_NONSENSE_FIX = "power the part off and on; shorten its wires; if it happens again, replace it"
