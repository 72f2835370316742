"""The product of int8 codes by SimSIMD: one pass over the gallery at the speed of the memory.

Its kernels widen to 32 bits before they add, on each processor, so the sums are exact; as float32
they stay so up to 1040 components (127 * 127 * 1040 < 2^24). It lets go of the interpreter's lock
meanwhile. Which libraries it was measured against stands in
docs/decisions/2026-11-27-int8-first-exact-after.md.

Its argument ``out`` is not used: simsimd 6.5.16 then returns None without a reference of its own,
and a CPython before 3.12 dies after as many searches as None has references.
"""

import numpy as np
import numpy.typing as npt
import simsimd

from agent.domain.sight.codes import Codes


def simd_product(codes: Codes, probe: Codes, out: npt.NDArray[np.float32]) -> None:
    """Implements ``domain.sight.codes.Product``; all arrays are contiguous."""
    if len(codes):
        out[:] = simsimd.dot(probe, codes, out_dtype="float32")
