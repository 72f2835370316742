"""The product of codes by SimSIMD holds on to nothing, and lets go of nothing that is not its."""

import sys

import numpy as np

from agent.adapters.int8_product import simd_product

MANY = 2_000


def test_searches_without_end_leave_every_count_of_references_as_it_was() -> None:
    """A count of None that falls with each search ends the process; from 3.12 on it has none."""
    codes = np.random.default_rng(1).integers(-127, 128, (50, 128)).astype(np.int8)
    probe, out = codes[0].copy(), np.empty(50, dtype=np.float32)
    held = (None, codes, probe, out)

    def counts() -> list[int]:
        return [sys.getrefcount(one) for one in held]

    before = counts()
    for _ in range(MANY):
        simd_product(codes, probe, out)
    assert all(abs(a - b) < MANY // 10 for a, b in zip(counts(), before, strict=True))
