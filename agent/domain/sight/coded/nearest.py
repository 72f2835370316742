"""Which rows may be a probe's first two, by their codes: one pass over the blocks of a table.

Only the best are kept on the way, so a search takes no memory of the gallery's size. What a row
must rank rises with each better one that is found. Most blocks then hold none, and that shows in
their whole sums: the largest scale of a block and its least square say how large one must be.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from agent.domain.sight.coded.blocks import Rows, Sums
from agent.domain.sight.coded.codes import Coded, CodeTable

Ranks = npt.NDArray[np.float32]
_LOWEST = -1e38
"""Below every rank of a reference."""


class Nearest:
    """The rows of a table nearest to one probe; of use to one thread."""

    def __init__(
        self,
        table: CodeTable,
        probe: Coded,
        error: float,
        rows_like: Callable[[int], slice],
        *,
        squared: bool,
        without: Rows,
    ) -> None:
        """Ranks are off by ``error`` at most; ``rows_like`` are all rows of a row's holder.

        With ``squared`` a rank is r.p - |r|^2 / 2, else r.p. The rows ``without`` do not count.
        """
        self.error = error
        self._table, self._rows_like, self._squared = table, rows_like, squared
        self._code, self._scale = probe.codes[0], float(probe.scales[0])
        self._without = without

    def leave_out(self, rows: Sequence[int]) -> None:
        """From now on these rows do not count either."""
        self._without = np.concatenate((self._without, np.array(rows, dtype=np.int64)))

    def rows(self) -> tuple[Rows, Ranks]:
        """Who may be first or second, by falling rank; among equal ones by row.

        That is who is at most twice the error behind the best row that is not the first's holder's.
        """
        rows, ranks = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        level = -np.inf
        for number, block in enumerate(self._table.blocks):
            sums = block.products(self._code)
            if not len(rows):
                # Whoever has the largest sums tells already what the others must reach.
                level = self._level(*self._from(number, sums, int(sums.max()) * 3 // 4))
            found, new = self._reaching(number, sums, self._limit(level))
            if not len(found):
                continue
            rows, ranks = np.concatenate((rows, found)), np.concatenate((ranks, new))
            if float(new.max()) > level:
                level = max(level, self._level(rows, ranks))
        if len(rows) and level == -np.inf:  # there is nobody else
            level = float(ranks.max())
        kept = ranks >= self._limit(level)
        rows, ranks = rows[kept], ranks[kept]
        order = np.argsort(-ranks, kind="stable")
        return rows[order], ranks[order]

    def _reaching(self, number: int, sums: Sums, limit: np.float32) -> tuple[Rows, Ranks]:
        """The rows of a block that reach the limit."""
        squared = self._squared
        least = self._table.least_sum(number, float(limit), self._scale, squared=squared)
        rows, ranks = self._from(number, sums, least)
        kept = (ranks >= limit).nonzero()[0]
        return rows[kept], ranks[kept]

    def _from(self, number: int, sums: Sums, least: int | None) -> tuple[Rows, Ranks]:
        """The rows of a block that have such a sum; all, where there is none to have."""
        first, squared = int(self._table.starts[number]), self._squared
        if least is None:
            rows = np.arange(first, first + len(sums))
            block = slice(first, first + len(sums))
            ranks = self._table.ranks(block, sums, self._scale, squared=squared)
        else:
            at = (sums >= least).nonzero()[0]
            rows = at + first
            ranks = self._table.ranks(rows, sums[at], self._scale, squared=squared)
        if len(self._without):
            counts = ~np.isin(rows, self._without)
            rows, ranks = rows[counts], ranks[counts]
        return rows, ranks

    def _level(self, rows: Rows, ranks: Ranks) -> float:
        """The best rank of whoever is not the first's holder."""
        if not len(rows):
            return -np.inf
        own = self._rows_like(int(rows[ranks.argmax()]))
        others = ranks[(rows < own.start) | (rows >= own.stop)]
        return float(others.max()) if len(others) else -np.inf

    def _limit(self, level: float) -> np.float32:
        # The comparison is in float32, where the limit itself rounds.
        lowest = np.float32(max(level - 2.0 * self.error, _LOWEST))
        limit: np.float32 = np.nextafter(lowest, np.float32(-np.inf))
        return limit
