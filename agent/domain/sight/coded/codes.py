"""Templates in eight bits a component, and how far a score by them may be off.

A reference r is kept as r' = scale * code with codes of -127 to 127 and a scale of its own; what is
lost is measured, not estimated: |r - r'|. With a probe p, coded alike,

    |r.p - r'.p'|  <=  |r - r'| |p|  +  |r'| |p - p'|        (Cauchy and Schwarz)

to which the roundings of float32 are added: at most n u |r'| |p'| for a sum of n products in
whatever order, u = 2^-24 (N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed.,
2002, section 3.1). So the codes say for sure who cannot be among the first; nobody else has to be
looked at in full.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from agent.domain.sight.coded.blocks import (
    CodeBlock,
    Codes,
    Pack,
    PlainBlock,
    Rows,
    Sums,
    packed,
    respliced,
)

Templates = npt.NDArray[np.float32]
"""References x components."""

UNIT_ROUNDOFF = 2.0**-24
FURTHER_ROUNDINGS = 8
"""Of the two scales, the subtraction, the halved square and a division by the length."""
_TINY = float(np.finfo(np.float32).tiny)
_DOUBLE = 2.0**-48
"""Of the squares: some ten roundings of float64, and as many again."""
_MOST = 127
_AT_ONCE = 8192
"""Rows, so that what is made on the way stays small beside the table."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Some templates as codes: what ``scales`` times them lacks of each is ``lost`` long."""

    codes: Codes
    scales: npt.NDArray[np.float32]
    lost: npt.NDArray[np.float64]


def encode(templates: Templates, most: int = _MOST) -> Coded:
    """Templates of finite components as codes up to ``most``.

    One too small for a scale is coded as nothing.
    """
    exact = templates.astype(np.float64)
    scales = (np.abs(exact).max(axis=1, initial=0.0) / most).astype(np.float32)
    scales[scales < _TINY] = 0.0
    divisors = np.where(scales > 0.0, scales, np.inf).astype(np.float64)[:, None]
    # The scale itself was rounded, and the largest component must not turn over.
    codes = np.clip(np.rint(exact / divisors), -most, most).astype(np.int8)
    exact -= codes * scales.astype(np.float64)[:, None]
    return Coded(codes, scales, np.sqrt(np.einsum("ij,ij->i", exact, exact)))


@dataclass(frozen=True, eq=False)
class CodeTable:
    """All references as codes; ``lost`` and ``longest`` are bounds over the rows."""

    blocks: tuple[CodeBlock, ...]
    scales: npt.NDArray[np.float32]
    half_squares: npt.NDArray[np.float32]
    lost: float
    longest: float
    components: int
    pack: Pack

    def __len__(self) -> int:
        """How many references there are."""
        return len(self.scales)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        codes = sum(block.nbytes for block in self.blocks)
        return codes + self.scales.nbytes + self.half_squares.nbytes

    @cached_property
    def starts(self) -> Rows:
        """The first row of each block, and behind the last one all."""
        return np.cumsum([0, *map(len, self.blocks)])

    @property
    def codes(self) -> Codes:
        """All codes, unpacked."""
        codes = self.codes_of(np.arange(len(self)))
        codes.setflags(write=False)
        return codes

    def codes_of(self, rows: Rows) -> Codes:
        """The codes of these rows."""
        codes = np.empty((len(rows), self.components), dtype=np.int8)
        of = np.searchsorted(self.starts, rows, side="right") - 1
        for number in np.unique(of).tolist():
            here = of == number
            codes[here] = self.blocks[number].rows(rows[here] - self.starts[number])
        return codes

    def ranks(
        self, rows: Rows | slice, sums: Sums, scale: float, *, squared: bool
    ) -> npt.NDArray[np.float32]:
        """What their products make these rows: r'.p', or with ``squared`` r'.p' - |r|^2 / 2."""
        found = sums.astype(np.float32)
        found *= self.scales[rows]
        found *= np.float32(scale)
        if squared:
            found -= self.half_squares[rows]
        return found

    def least_sum(self, block: int, limit: float, scale: float, *, squared: bool) -> int | None:
        """No row of a block with a smaller product ranks ``limit``; None where any may."""
        largest, least = self._bounds[block]
        if not squared:
            least = 0.0
        need = limit + least - 1e-6 * (abs(limit) + least) - FURTHER_ROUNDINGS * _TINY
        if not need > 0.0:
            return None
        most = largest * scale * (1.0 + 1e-6)
        # At the end of 32 bits: where the scales are nothing, no product is enough.
        return int(min(need / most, 2.0**31)) if most > 0.0 else 2**31

    @cached_property
    def _bounds(self) -> list[tuple[float, float]]:
        edges = self.starts[:-1]
        largest = np.maximum.reduceat(self.scales, edges) if len(edges) else self.scales
        least = np.minimum.reduceat(self.half_squares, edges) if len(edges) else self.scales
        return list(zip(largest.tolist(), least.tolist(), strict=True))

    def spliced(self, new: "CodeTable", source: Rows) -> "CodeTable":
        """The rows ``source``, of this table or, behind all of its own, of ``new``."""
        comes = np.flatnonzero(source >= len(self))
        rows = np.minimum(source, max(len(self) - 1, 0))
        fresh = source[comes] - len(self)

        def taken(
            old: npt.NDArray[np.float32], other: npt.NDArray[np.float32]
        ) -> npt.NDArray[np.float32]:
            made = old[rows] if len(old) else np.zeros(len(rows), dtype=np.float32)
            made[comes] = other[fresh]
            made.setflags(write=False)
            return made

        scales = taken(self.scales, new.scales)
        half_squares = taken(self.half_squares, new.half_squares)
        blocks = respliced(self.blocks, source, new.codes, self.pack)
        lost, longest = max(self.lost, new.lost), max(self.longest, new.longest)
        return CodeTable(blocks, scales, half_squares, lost, longest, self.components, self.pack)

    def approximate(self, rows: Rows) -> Templates:
        """These references as their codes say."""
        return self.codes_of(rows) * self.scales[rows, None]

    def error(self, length: float, lost: float) -> float:
        """How far r.p - |r|^2 / 2 by codes and float32 may be off, for a probe of this length.

        With it goes what float64 rounds where the same is reckoned back from an exact score.
        """
        bound = self.lost * length + (self.longest + self.lost) * lost
        reach = (self.longest + self.lost) * (length + lost) + self.longest * self.longest
        roundings = (self.components + FURTHER_ROUNDINGS) * UNIT_ROUNDOFF
        double = _DOUBLE * (length + self.longest) * (length + self.longest)
        return float(
            (bound + roundings * reach) * (1.0 + 1e-9) + double + FURTHER_ROUNDINGS * _TINY
        )

    def error_between(self) -> float:
        """How far the product of two references as ``approximate`` gives them may be off."""
        return self.error(self.longest, self.lost)


class TableInMaking:
    """A table that is filled block by block; rows that come to nothing are left out at the end."""

    def __init__(self, count: int, components: int, pack: Pack = PlainBlock) -> None:
        self._pack = pack
        self._codes = np.zeros((count, components), dtype=np.int8)
        self._scales = np.zeros(count, dtype=np.float32)
        self._half_squares = np.zeros(count, dtype=np.float32)
        self._filled = np.zeros(count, dtype=bool)
        self._lost, self._longest = 0.0, 0.0
        self._before: CodeTable | None = None
        self._source = np.full(count, -1)

    @property
    def components(self) -> int:
        """The length of a template."""
        return int(self._codes.shape[1])

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Which rows are there."""
        return self._filled

    def put(self, at: Rows, templates: Templates) -> None:
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

    def take(self, at: Rows, table: CodeTable, rows: Rows) -> None:
        """Take the rows ``at`` from a table of before; from one only."""
        if not len(at):
            return
        self._before = table
        self._source[at] = rows
        self._filled[at] = True

    def table(self) -> CodeTable:
        """What was filled, in its order; never changed any more."""
        kept, fresh = self._filled, self._filled & (self._source < 0)
        codes, scales, half_squares = self._codes, self._scales, self._half_squares
        if not fresh.all():
            codes, scales, half_squares = codes[fresh], scales[fresh], half_squares[fresh]
        before = self._before
        for array in (codes, scales, half_squares):
            array.setflags(write=False)
        pack = self._pack if before is None else PlainBlock
        blocks = packed(codes, pack)
        bounds = (self._lost, self._longest)
        new = CodeTable(blocks, scales, half_squares, *bounds, self.components, self._pack)
        if before is None:
            return new
        source = self._source.copy()
        source[fresh] = len(before) + np.arange(len(codes))
        return before.spliced(new, source[kept])
