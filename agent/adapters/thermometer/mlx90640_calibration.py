"""What the maker measured of one MLX90640 and wrote into its EEPROM, made numbers of.

Everything is as in the Melexis datasheet (rev 12, 11.1), whose worked example (11.2.2) the tests
hold this against. Words are numbered from 0x2400. Arrays are 24 rows x 32 columns, as the part
numbers them. Small signed numbers are packed beside each other:

    0x2410        scales of the offsets, and of PTAT        0x2420   scales of the sensitivities
    0x2411-241F   offset: mean, rows, columns               0x2421-242F   sensitivity: the same
    0x2430        gain      0x2431-33  PTAT, supply         0x2434   Kv by odd and even
    0x2435        chess pattern      0x2436-38  Kta by odd and even, scales, resolution
    0x2439-3B     compensation pixels                       0x243C-3F   KsTa, TGC, KsTo, corners
    0x2440-273F   each pixel: offset (6 bits), sensitivity (6), Kta (3), outlier (1)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.errors import UnavailableError

ROWS, COLUMNS = 24, 32
PIXELS = ROWS * COLUMNS
WORDS = 64 + PIXELS
MOST_DEVIATING = 4  # more no part leaves the factory with (datasheet, 9)

Grid = NDArray[np.float64]

_FIX = "check its wires and supply, and that it is an MLX90640; else replace the part"


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """One part's numbers; temperatures in Celsius, voltages in volts or the converter's steps.

    ``deviating`` names the pixels that are broken or out of specification, as (row, column).
    ``chess`` says in which reading pattern it was calibrated. Of pairs, one belongs to a subpage.
    """

    k_vdd: int
    vdd_25: int
    kv_ptat: float
    kt_ptat: float
    v_ptat_25: int
    alpha_ptat: float
    gain: int
    tgc: float
    ks_ta: float
    ks_to: tuple[float, float, float, float]
    corners_c: tuple[int, int, int, int]
    resolution: int
    chess: bool
    il_chess: tuple[float, float, float]
    offset: Grid
    alpha: Grid
    kta: Grid
    kv: Grid
    cp_offset: tuple[float, float]
    cp_alpha: tuple[float, float]
    cp_kta: float
    cp_kv: float
    deviating: tuple[tuple[int, int], ...]


def read_calibration(words: Sequence[int]) -> Calibration:
    """The calibration in the 832 words of an EEPROM.

    Raises:
        UnavailableError: they are no part's: empty, or numbers that cannot be.
    """
    ee = np.asarray(words, dtype=np.int64)
    _refuse_empty(ee)
    scale_1, scale_2 = 8 + _bits(ee[56], 4, 4), _bits(ee[56], 0, 4)
    kv_scale = 2.0 ** _bits(ee[56], 8, 4)
    tgc = _signed(ee[60], 0, 8) / 32.0
    pixel = ee[64:].reshape(ROWS, COLUMNS)
    kta = _by_parity(*(_signed(ee[54 + i % 2], 8 - 8 * (i // 2), 8) for i in range(4)))
    kta = (kta + _signed_grid(pixel, 1, 3) * 2.0**scale_2) / 2.0**scale_1
    kv = _by_parity(*(_signed(ee[52], at, 4) for at in (12, 4, 8, 0))) / kv_scale
    alpha_scale = _bits(ee[32], 12, 4)
    cp_alpha = _signed(ee[57], 0, 10) / 2.0 ** (27 + alpha_scale)
    cp_offset = float(_signed(ee[58], 0, 10))
    calibration = Calibration(
        k_vdd=_signed(ee[51], 8, 8) * 32,
        vdd_25=(_bits(ee[51], 0, 8) - 256) * 32 - 8192,
        kv_ptat=_signed(ee[50], 10, 6) / 4096.0,
        kt_ptat=_signed(ee[50], 0, 10) / 8.0,
        v_ptat_25=_signed(ee[49], 0, 16),
        alpha_ptat=_bits(ee[16], 12, 4) / 4.0 + 8.0,
        gain=_signed(ee[48], 0, 16),
        tgc=tgc,
        ks_ta=_signed(ee[60], 8, 8) / 8192.0,
        ks_to=_ks_to(ee),
        corners_c=_corners(int(ee[63])),
        resolution=_bits(ee[56], 12, 2),
        chess=not _bits(ee[10], 11, 1),
        il_chess=(
            _signed(ee[53], 0, 6) / 16.0,
            _signed(ee[53], 6, 5) / 2.0,
            _signed(ee[53], 11, 5) / 8.0,
        ),
        offset=_spread(ee, 16, float(_signed(ee[17], 0, 16)), _signed_grid(pixel, 10, 6)),
        alpha=_spread(ee, 32, float(ee[33]), _signed_grid(pixel, 4, 6)) / 2.0 ** (30 + alpha_scale),
        kta=kta,
        kv=kv,
        cp_offset=(cp_offset, cp_offset + _signed(ee[58], 10, 6)),
        cp_alpha=(cp_alpha, cp_alpha * (1.0 + _signed(ee[57], 10, 6) / 128.0)),
        cp_kta=_signed(ee[59], 0, 8) / 2.0**scale_1,
        cp_kv=_signed(ee[59], 8, 8) / kv_scale,
        deviating=_deviating(pixel),
    )
    _refuse_impossible(calibration)
    return calibration


def _spread(ee: NDArray[np.int64], at: int, mean: float, remainders: Grid) -> Grid:
    """A mean, a share of each row and each column, and each pixel's own remainder (11.1.3, .5)."""
    by_pixel, by_column, by_row = (2.0 ** _bits(ee[at], shift, 4) for shift in (0, 4, 8))
    rows = _nibbles(ee[at + 2 : at + 8])[:, np.newaxis] * by_row
    columns = _nibbles(ee[at + 8 : at + 16])[np.newaxis, :] * by_column
    return mean + rows + columns + remainders * by_pixel


def _nibbles(words: NDArray[np.int64]) -> Grid:
    """Four signed numbers a word, the lowest bits first."""
    return _signed_grid(words[:, np.newaxis] >> np.arange(0, 16, 4), 0, 4).ravel()


def _by_parity(even_even: float, even_odd: float, odd_even: float, odd_odd: float) -> Grid:
    """One number for each parity of row and column, counted from 0 (11.1.6, 11.1.4)."""
    return np.tile(
        np.array([[even_even, even_odd], [odd_even, odd_odd]]), (ROWS // 2, COLUMNS // 2)
    )


def _ks_to(ee: NDArray[np.int64]) -> tuple[float, float, float, float]:
    scale = 2.0 ** (8 + _bits(ee[63], 0, 4))
    one, two, three, four = (_signed(ee[61 + i // 2], 8 * (i % 2), 8) / scale for i in range(4))
    return one, two, three, four


def _corners(word: int) -> tuple[int, int, int, int]:
    step = 10 * _bits(word, 12, 2)
    third = step * _bits(word, 4, 4)
    return -40, 0, third, third + step * _bits(word, 8, 4)


def _deviating(pixel: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    found = np.argwhere((pixel == 0) | (pixel & 1 == 1))
    return tuple((int(row), int(column)) for row, column in found)


def _refuse_empty(ee: NDArray[np.int64]) -> None:
    if ee.shape != (WORDS,):
        raise UnavailableError(f"the MLX90640 gave {ee.size} of {WORDS} EEPROM words", _FIX)
    if np.all(ee[16:] == ee[16]):
        message = f"the MLX90640's EEPROM is empty: every word is 0x{ee[16]:04X}"
        raise UnavailableError(message, _FIX)


def _refuse_impossible(found: Calibration) -> None:
    numbers = (found.gain, found.k_vdd, found.kt_ptat, found.v_ptat_25, found.corners_c[2])
    good = np.ones((ROWS, COLUMNS), dtype=bool)
    for row, column in found.deviating:
        good[row, column] = False
    if found.gain <= 0 or not all(numbers) or not good.any() or np.any(found.alpha[good] <= 0):
        raise UnavailableError("the MLX90640's EEPROM holds no calibration", _FIX)
    if len(found.deviating) > MOST_DEVIATING:
        message = (
            f"the MLX90640 has {len(found.deviating)} bad pixels; {MOST_DEVIATING} are allowed"
        )
        raise UnavailableError(message, "replace the part")


def _bits(word: int | np.int64, at: int, width: int) -> int:
    return int(word) >> at & (1 << width) - 1


def _signed(word: int | np.int64, at: int, width: int) -> int:
    value = _bits(word, at, width)
    return value - (1 << width) if value >> (width - 1) else value


def _signed_grid(words: NDArray[np.int64], at: int, width: int) -> Grid:
    value = words >> at & (1 << width) - 1
    return np.where(value >> (width - 1), value - (1 << width), value).astype(np.float64)
