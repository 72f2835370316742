"""A believable EEPROM for a simulated MLX90640: our own numbers, of the size that parts have."""

import numpy as np

from agent.adapters.thermometer.mlx90640_calibration import COLUMNS, PIXELS, ROWS, WORDS


def typical_eeprom(
    seed: int = 1, *, broken: tuple[int, ...] = (), outliers: tuple[int, ...] = ()
) -> list[int]:
    """832 words of a part of its own (``seed``); pixels are numbered along the rows, from 0.

    Its pixels see best in the middle, some 1.1e-7, its offsets are some -60 steps.
    """
    random = np.random.default_rng(seed)
    ee = np.zeros(WORDS, dtype=np.int64)
    ee[16] = _nibbles(0, 1, 1, 4)  # offset scales: pixel, column, row; PTAT sensitivity 9
    ee[17] = -60 & 0xFFFF
    ee[18:24] = _packed(random.integers(-3, 4, ROWS))
    ee[24:32] = _packed(random.integers(-3, 4, COLUMNS))
    ee[32] = _nibbles(5, 9, 9, 7)  # sensitivity scales: 2^-37, rows and columns in steps of 512
    ee[33] = 14_500
    ee[34:40] = _packed(_bowl(ROWS))
    ee[40:48] = _packed(_bowl(COLUMNS))
    ee[48] = 6200
    ee[49] = 12_200
    ee[50] = 24 << 10 | 340  # 0.0059 and 42.5
    ee[51] = (-99 & 0xFF) << 8 | 104  # -3168 and -13056
    ee[52] = 0x5454
    ee[53] = 1 << 11 | 6 << 6 | 20
    ee[54], ee[55] = 0x5956, 0x5354
    ee[56] = 2 << 12 | _nibbles(1, 6, 3, 0)
    ee[57] = (-6 & 0x3F) << 10 | 70
    ee[58] = (-2 & 0x3F) << 10 | (-72 & 0x3FF)
    ee[59] = 4 << 8 | 75
    ee[60] = (-16 & 0xFF) << 8 | 4  # KsTa -0.00195, TGC 0.125
    ee[61], ee[62] = 0x9B97, 0x9799  # KsTo of four ranges, some -0.0008
    ee[63] = 2 << 12 | _nibbles(9, 8, 8, 0)  # corners at 160 and 320 C
    offset, alpha, kta = (random.integers(-few, few + 1, PIXELS) for few in (6, 12, 3))
    kta[(offset == 0) & (alpha == 0)] = 1  # a pixel of which all is 0 counts as broken
    ee[64:] = (offset & 0x3F) << 10 | (alpha & 0x3F) << 4 | (kta & 7) << 1
    for pixel in broken:
        ee[64 + pixel] = 0
    for pixel in outliers:
        ee[64 + pixel] |= 1
    return [int(word) for word in ee]


def _bowl(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Small in the middle, falling to both ends: what a lens does."""
    from_middle = np.abs(np.linspace(-1.0, 1.0, count))
    return np.round(3.0 - 6.0 * from_middle).astype(np.int64)


def _nibbles(*lowest_first: int) -> int:
    return sum(value << 4 * i for i, value in enumerate(lowest_first))


def _packed(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """Four signed nibbles a word."""
    return [
        _nibbles(*(int(value) & 0xF for value in values[i : i + 4]))
        for i in range(0, len(values), 4)
    ]
