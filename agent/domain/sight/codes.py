"""Templates in eight bits a component, and how far a score by them may be off.

A reference r is kept as r' = scale * code with codes of -127 to 127 and a scale of its own; what is
lost is measured, not estimated: |r - r'|. With a probe p, coded alike,

    |r.p - r'.p'|  <=  |r - r'| |p|  +  |r'| |p - p'|        (Cauchy and Schwarz)

to which the roundings of float32 are added: at most n u |r'| |p'| for a sum of n products in
whatever order, u = 2^-24 (N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed.,
2002, section 3.1). So the codes say for sure who cannot be among the first; nobody else has to be
looked at in full.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Templates = npt.NDArray[np.float32]
"""References x components."""
Codes = npt.NDArray[np.int8]
Product = Callable[[Codes, Codes, npt.NDArray[np.float32]], None]
"""Writes the dot product of each row of codes with one code, into as many float32 numbers."""

UNIT_ROUNDOFF = 2.0**-24
FURTHER_ROUNDINGS = 8
"""Of the two scales, the subtraction, the halved square and a division by the length."""
_TINY = float(np.finfo(np.float32).tiny)
_DOUBLE = 2.0**-48
"""Of the squares: some ten roundings of float64, and as many again."""
_MOST = 127
_AT_ONCE = 8192
"""Rows, so that what is made on the way stays small beside the table."""


def plain_product(codes: Codes, probe: Codes, out: npt.NDArray[np.float32]) -> None:
    """The product by numpy alone: right everywhere, and slower than one of float32 numbers."""
    wide = probe.astype(np.float32)
    for start in range(0, len(codes), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        np.matmul(codes[part].astype(np.float32), wide, out=out[part])


@dataclass(frozen=True, slots=True)
class Coded:
    """Some templates as codes: what ``scales`` times them lacks of each is ``lost`` long."""

    codes: Codes
    scales: npt.NDArray[np.float32]
    lost: npt.NDArray[np.float64]


def encode(templates: Templates) -> Coded:
    """Templates of finite components as codes; one too small for a scale is coded as nothing."""
    exact = templates.astype(np.float64)
    scales = (np.abs(exact).max(axis=1, initial=0.0) / _MOST).astype(np.float32)
    scales[scales < _TINY] = 0.0
    divisors = np.where(scales > 0.0, scales, np.inf).astype(np.float64)[:, None]
    # The scale itself was rounded, and the largest component must not turn over.
    codes = np.clip(np.rint(exact / divisors), -_MOST, _MOST).astype(np.int8)
    exact -= codes * scales.astype(np.float64)[:, None]
    return Coded(codes, scales, np.sqrt(np.einsum("ij,ij->i", exact, exact)))


@dataclass(frozen=True, slots=True, eq=False)
class CodeTable:
    """All references as codes; ``lost`` and ``longest`` are bounds over the rows."""

    codes: Codes
    scales: npt.NDArray[np.float32]
    half_squares: npt.NDArray[np.float32]
    lost: float
    longest: float

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self.codes.nbytes + self.scales.nbytes + self.half_squares.nbytes

    def approximate(self, rows: npt.NDArray[np.int64]) -> Templates:
        """These references as their codes say."""
        return self.codes[rows] * self.scales[rows, None]

    def error(self, length: float, lost: float) -> float:
        """How far r.p - |r|^2 / 2 by codes and float32 may be off, for a probe of this length.

        With it goes what float64 rounds where the same is reckoned back from an exact score.
        """
        bound = self.lost * length + (self.longest + self.lost) * lost
        reach = (self.longest + self.lost) * (length + lost) + self.longest * self.longest
        roundings = (self.codes.shape[1] + FURTHER_ROUNDINGS) * UNIT_ROUNDOFF
        double = _DOUBLE * (length + self.longest) * (length + self.longest)
        return float(
            (bound + roundings * reach) * (1.0 + 1e-9) + double + FURTHER_ROUNDINGS * _TINY
        )

    def error_between(self) -> float:
        """How far the product of two references as ``approximate`` gives them may be off."""
        return self.error(self.longest, self.lost)


class TableInMaking:
    """A table that is filled block by block; rows that come to nothing are left out at the end."""

    def __init__(self, count: int, components: int) -> None:
        self._codes = np.zeros((count, components), dtype=np.int8)
        self._scales = np.zeros(count, dtype=np.float32)
        self._half_squares = np.zeros(count, dtype=np.float32)
        self._filled = np.zeros(count, dtype=bool)
        self._lost, self._longest = 0.0, 0.0

    @property
    def components(self) -> int:
        """The length of a template."""
        return int(self._codes.shape[1])

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Which rows are there."""
        return self._filled

    def put(self, at: npt.NDArray[np.int64], templates: Templates) -> None:
        """Code these templates into the rows ``at``."""
        for start in range(0, len(at), _AT_ONCE):
            part, rows = at[start : start + _AT_ONCE], templates[start : start + _AT_ONCE]
            coded = encode(rows)
            squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
            self._codes[part], self._scales[part] = coded.codes, coded.scales
            self._half_squares[part] = squares / 2.0
            self._lost = max(self._lost, float(coded.lost.max(initial=0.0)))
            self._longest = max(self._longest, float(np.sqrt(squares.max(initial=0.0))))
            self._filled[part] = True

    def take(
        self, at: npt.NDArray[np.int64], table: CodeTable, rows: npt.NDArray[np.int64]
    ) -> None:
        """Take the rows ``at`` from a table of before."""
        for start in range(0, len(at), _AT_ONCE):
            part, old = at[start : start + _AT_ONCE], rows[start : start + _AT_ONCE]
            self._codes[part], self._scales[part] = table.codes[old], table.scales[old]
            self._half_squares[part] = table.half_squares[old]
            self._filled[part] = True
        if len(at):
            self._lost = max(self._lost, table.lost)
            self._longest = max(self._longest, table.longest)

    def table(self) -> CodeTable:
        """What was filled, in its order; never changed any more."""
        codes, scales, half_squares = self._codes, self._scales, self._half_squares
        if not self._filled.all():
            kept = self._filled
            codes, scales, half_squares = codes[kept], scales[kept], half_squares[kept]
        for array in (codes, scales, half_squares):
            array.setflags(write=False)
        return CodeTable(codes, scales, half_squares, self._lost, self._longest)
