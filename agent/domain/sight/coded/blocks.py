"""The codes of a gallery in blocks, so that each may lie in memory as its product is fastest.

A library that multiplies bytes wants them in an order of its own, which takes a while to make. So
a block is made once, and every later snapshot of the gallery that has its rows shares it. A change
of a few lies over it, as the rows that came and an order of all; with more, the block is made anew.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int8]
"""References x components, -127 to 127."""
Sums = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]

PROBE_MOST = 63
"""Of a probe's code: seven bits, for a processor without a product of bytes adds two in 16 bits."""
BLOCK_ROWS = 65_536
_MOST_CHANGED = 256
"""Rows that came to a block or went from it, before it is made anew."""
_AT_ONCE = 4096
"""Rows, so that what is made on the way stays in the processor's cache."""


class CodeBlock(Protocol):
    """Codes of some rows, never changed; any number of threads may ask at once."""

    def __len__(self) -> int:
        """How many rows."""

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""

    def products(self, probe: Codes) -> Sums:
        """The dot product of each row with a probe's code, of at most ``PROBE_MOST``."""

    def rows(self, which: Rows) -> Codes:
        """The codes of these rows; they may have to be unpacked, all of the block for one."""


Pack = Callable[[Codes], CodeBlock]
"""Makes a block of codes."""


class PlainBlock:
    """Codes as they are, multiplied by numpy alone: right everywhere, and slow for many."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self._codes.nbytes

    def products(self, probe: Codes) -> Sums:
        """As float32 numbers, which hold each whole sum as it is (127 * 63 * 2096 < 2^24)."""
        wide = probe.astype(np.float32)
        found = np.empty(len(self), dtype=np.int32)
        for start in range(0, len(self), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            found[part] = self._codes[part].astype(np.float32) @ wide
        return found

    def rows(self, which: Rows) -> Codes:
        """The codes of these rows."""
        return self._codes[which]


class _Changed:
    """A block, some rows that came, and which of all these are there, in their order."""

    def __init__(self, block: CodeBlock, came: Codes, order: npt.NDArray[np.int32]) -> None:
        self.block, self.came, self.order = block, came, order

    def __len__(self) -> int:
        return len(self.order)

    @property
    def nbytes(self) -> int:
        return self.block.nbytes + self.came.nbytes + self.order.nbytes

    def products(self, probe: Codes) -> Sums:
        sums = (self.block.products(probe), PlainBlock(self.came).products(probe))
        return np.concatenate(sums)[self.order]

    def rows(self, which: Rows) -> Codes:
        places = self.order[which].astype(np.int64)
        old = places < len(self.block)
        codes = np.empty((len(places), self.came.shape[1]), dtype=np.int8)
        codes[old] = self.block.rows(places[old])
        codes[~old] = self.came[places[~old] - len(self.block)]
        return codes


def packed(codes: Codes, pack: Pack) -> tuple[CodeBlock, ...]:
    """Blocks of nearly one size for these rows."""
    count = -(-len(codes) // BLOCK_ROWS)
    edges = np.linspace(0, len(codes), count + 1).astype(int).tolist() if count else [0]
    return tuple(pack(codes[a:b]) for a, b in pairwise(edges))


def respliced(
    blocks: Sequence[CodeBlock], source: Rows, came: Codes, pack: Pack
) -> tuple[CodeBlock, ...]:
    """Blocks of other rows: what of the old ones stays is taken as it is.

    ``source`` is for each row the one of ``blocks`` that it is, or behind all of those the one of
    ``came``.
    """
    edges = np.cumsum([0, *map(len, blocks)])
    total = int(edges[-1])
    old = source < total
    if (np.diff(source[old]) <= 0).any() or not old.any():
        return packed(_gathered(blocks, edges, source, came), pack)
    # Whoever came in belongs to the block of the row before.
    places = np.maximum.accumulate(np.where(old, source, 0))
    of = np.searchsorted(edges, places, side="right") - 1
    made: list[CodeBlock] = []
    for number in np.unique(of).tolist():
        block, here = blocks[number], np.flatnonzero(of == number)
        rows, known = source[here], old[here]
        if known.all() and len(rows) == len(block):
            made.append(block)
            continue
        new = came[rows[~known] - total]
        order = rows - edges[number]
        order[~known] = len(block) + np.arange(len(new))
        made += _changed(block, new, order, pack)
    return tuple(made)


def _changed(block: CodeBlock, new: Codes, order: Rows, pack: Pack) -> tuple[CodeBlock, ...]:
    if isinstance(block, _Changed):
        # One layer, not one on the other.
        behind = len(block.block) + len(block.came)
        order = np.concatenate((block.order.astype(np.int64), behind + np.arange(len(new))))[order]
        new = np.concatenate((block.came, new))
        block = block.block
    changes = len(new) + len(block) - int((order < len(block)).sum())
    over = _Changed(block, new, order.astype(np.int32))
    if isinstance(block, PlainBlock) or changes > _MOST_CHANGED:
        return packed(over.rows(np.arange(len(over))), pack)
    return (over,)


def _gathered(blocks: Sequence[CodeBlock], edges: Rows, source: Rows, came: Codes) -> Codes:
    codes = np.empty((len(source), came.shape[1]), dtype=np.int8)
    fresh = source >= edges[-1]
    codes[fresh] = came[source[fresh] - edges[-1]]
    of = np.where(fresh, -1, np.searchsorted(edges, source, side="right") - 1)
    for number, block in enumerate(blocks):
        here = of == number
        if here.any():
            codes[here] = block.rows(source[here] - edges[number])
    return codes
