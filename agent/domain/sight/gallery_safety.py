"""The gallery compared with itself: who could pass for whom, and what to expect of strangers.

A pack's published threshold says nothing about the faces at this gate. Here every pair of
references of different holders is an impostor comparison: two holders whose references pass for
each other must not be granted by face alone, and the distribution of the others says how well the
pack separates these people.

Blocks of rows are compared in float32 by one matrix product: a small gallery's own templates,
opened for that moment, a large one's as their codes have them. What that leaves open is decided by
scores in float64 of templates that are opened for it, so that the answer is that of comparing each
pair by itself.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.coded.blocks import Codes
from agent.domain.sight.comparison import Metric, ReferenceIndex, Templates, row_scores

_BLOCK_CELLS = 2_000_000
_BLOCK_COLUMNS = 16_384
_BLOCK_PAIRS = 4_000
SMALL = 4096
"""References up to which a gallery is compared with itself at once, and by its own templates."""
_ROUNDING = 2.0**-24
HISTOGRAM_BINS = 40
MOST_SCORES = 2_000_000
"""Beyond so many pairs the distribution is that of as many drawn at random."""
_SEED = 20_000

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClosePair:
    """Two holders, the first by id before the second, and their best comparison score."""

    one: HolderId
    other: HolderId
    score: float


@dataclass(frozen=True, slots=True)
class ImpostorScores:
    """The scores between references of different holders; bins span ``edges``.

    ``pairs`` and ``highest`` are of all of them; mean, deviation and counts of ``sampled``, which
    are drawn with a fixed seed where there are more than ``MOST_SCORES``. A score outside the
    edges is counted in the first or last bin.
    """

    pairs: int
    sampled: int
    mean: float
    std: float
    highest: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def close_pairs(
    index: ReferenceIndex, threshold: float, only: Iterable[HolderId] | None = None
) -> list[ClosePair]:
    """The pairs of holders of whom any two references score ``threshold`` or more, closest first.

    With ``only``, the pairs in which one of these takes part: what a new holder brings in.
    """
    best: dict[tuple[int, int], float] = {}
    compared = _Compared(index)
    limit, slack = compared.limit(threshold)
    for rows, start, closeness in compared.blocks(only):
        near, columns = np.nonzero(closeness >= limit - slack)
        for part in range(0, len(near), _BLOCK_PAIRS):
            a = rows[near[part : part + _BLOCK_PAIRS]]
            b = columns[part : part + _BLOCK_PAIRS] + start
            scores = compared.scores(a, b)
            kept = scores >= threshold
            owners = np.sort(np.stack((compared.owner[a], compared.owner[b])), axis=0)[:, kept]
            for one, other, value in zip(*owners.tolist(), scores[kept].tolist(), strict=True):
                best[one, other] = max(best.get((one, other), -math.inf), value)
    found = [ClosePair(index.names[a], index.names[b], value) for (a, b), value in best.items()]
    return sorted(found, key=lambda pair: (-pair.score, pair.one, pair.other))


def too_close(pairs: Iterable[ClosePair]) -> frozenset[HolderId]:
    """Everyone in a close pair."""
    return frozenset(name for pair in pairs for name in (pair.one, pair.other))


def stands_too_close(index: ReferenceIndex, holder: HolderId, threshold: float) -> bool:
    """Whether another holder's reference scores ``threshold`` or more with one of ``holder``'s.

    One search a reference, so that it can be asked of whoever stands there, while the whole gallery
    has not been compared yet. Of a reference that is gone nobody can say, and that is too close.

    Raises:
        StoreError: the references' templates cannot be read.
    """
    for template in index.rows(index.rows_of(holder)):
        if not np.isfinite(template).all():
            return True
        best, _ = index.search(template, but=holder)
        if best is not None and best.score >= threshold:
            return True
    return False


def holders_too_close(
    index: ReferenceIndex, threshold: float, rest: Callable[[], None] = lambda: None
) -> frozenset[HolderId]:
    """``too_close(close_pairs(...))`` without the list of pairs; ``rest`` is called now and then.

    A threshold that is too loose for a gallery makes millions of pairs; a gate that starts must not
    fill its memory with them.
    """
    close = np.zeros(len(index.names), dtype=bool)
    compared = _Compared(index)
    owner = compared.owner
    limit, slack = compared.limit(threshold)
    for rows, start, closeness in compared.blocks(None):
        sure = closeness > limit + slack
        close[owner[rows[sure.any(axis=1)]]] = True
        close[owner[np.flatnonzero(sure.any(axis=0)) + start]] = True
        near, columns = np.nonzero((closeness >= limit - slack) & ~sure)
        for part in range(0, len(near), _BLOCK_PAIRS):
            a = rows[near[part : part + _BLOCK_PAIRS]]
            b = columns[part : part + _BLOCK_PAIRS] + start
            open_yet = ~(close[owner[a]] & close[owner[b]])
            a, b = a[open_yet], b[open_yet]
            kept = compared.scores(a, b) >= threshold
            close[owner[a[kept]]] = True
            close[owner[b[kept]]] = True
        rest()
    return frozenset(index.names[i] for i in np.flatnonzero(close).tolist())


def impostor_scores(index: ReferenceIndex) -> ImpostorScores | None:
    """The distribution of the gallery's impostor scores; None with fewer than two holders."""
    if len(index.names) < 2:
        return None
    compared = _Compared(index)
    sizes = np.bincount(compared.owner)
    pairs = int(len(index) ** 2 - (sizes.astype(np.int64) ** 2).sum()) // 2
    random = np.random.default_rng(_SEED)
    values, highest = [], -math.inf
    for _, _, closeness in compared.blocks(None):
        highest = max(highest, float(closeness.max(initial=-np.inf)))
        cells = closeness.ravel()
        if pairs > MOST_SCORES:
            cells = cells[random.random(len(cells), dtype=np.float32) < MOST_SCORES / pairs]
        values.append(_scores(index.metric, cells[cells > -np.inf]))
    scores = np.concatenate(values)
    low, high = (-2.0, 0.0) if index.metric is Metric.EUCLIDEAN else (-1.0, 1.0)
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    counts, _ = np.histogram(np.clip(scores, low, high), bins=edges)
    steps, bins = (tuple(row.tolist()) for row in (edges, counts))
    top = float(_scores(index.metric, np.array([highest]))[0])
    mean, std = float(scores.mean()), float(scores.std())
    return ImpostorScores(pairs, len(scores), mean, std, top, steps, bins)


def false_grant_rate(fmr: float, holders: int) -> float:
    """The chance that a stranger's attempt fits some holder: 1 - (1 - FMR)^N.

    As if the N comparisons were independent. They are not: somebody who resembles many makes the
    chance smaller than this, as the chances of several fits fall together.
    """
    if fmr >= 1.0:
        return 1.0 if holders else 0.0
    return -math.expm1(holders * math.log1p(-fmr))


def upper_bound(successes: int, trials: int, confidence: float = 0.95) -> float:
    """The Clopper-Pearson upper bound of a rate: the p at which so few successes are unlikely.

    One-sided. The trials must be independent: P pairs of N references are not P trials, since a
    face that resembles many is in many of them; count holders instead.

    Source: C. Clopper and E. Pearson, Biometrika 26 (1934); solved by bisection on the binomial
    distribution.
    """
    if trials <= 0 or successes >= trials:
        return 1.0
    k = np.arange(successes + 1)
    # The logarithms of the binomial coefficients (trials over k), each from the one before.
    steps = np.log((trials - k[:-1]) / (k[:-1] + 1.0))
    coefficients = np.concatenate(([0.0], np.cumsum(steps)))
    low, high = successes / trials, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        logs = coefficients + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        if float(np.exp(logs).sum()) > 1.0 - confidence:
            low = rate
        else:
            high = rate
    return high


def _scores(metric: Metric, closeness: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    values = closeness.astype(np.float64)
    return values if metric is Metric.COSINE else -np.sqrt(np.maximum(-values, 0.0))


class _Compared:
    """A gallery while it is compared with itself."""

    def __init__(self, index: ReferenceIndex) -> None:
        self._index = index
        self._plain = index.rows(slice(None)) if len(index) <= SMALL else None
        self._read: dict[int, Codes] = {}
        self._squares = index.table.half_squares * np.float32(2.0)
        self.owner: Rows = index.owner

    def limit(self, threshold: float) -> tuple[float, float]:
        """The threshold in closeness, and by how much closeness may be off."""
        index = self._index
        roundings = (index.components + 8) * _ROUNDING
        slack = roundings * 4.0 * float(self._squares.max(initial=1.0))
        if self._plain is None:
            slack += 2.0 * index.table.error_between()
        # No distance is below 0, so nothing reaches a threshold above it.
        euclidean = -(threshold * threshold) if threshold <= 0.0 else math.inf
        limit = threshold if index.metric is Metric.COSINE else euclidean
        # What is left out of a block has -inf, and that must not count however loose the threshold.
        return max(limit, -float(np.finfo(np.float32).max)), slack

    def scores(self, a: Rows, b: Rows) -> npt.NDArray[np.float64]:
        """The exact scores of pairs of rows; ``nan``, or -1, where one was removed meanwhile."""
        if self._plain is not None:
            return row_scores(self._plain[a], self._plain[b], self._index.metric)
        rows, places = np.unique(np.concatenate((a, b)), return_inverse=True)
        templates = self._index.rows(rows)
        one, other = templates[places[: len(a)]], templates[places[len(a) :]]
        return row_scores(one, other, self._index.metric)

    def blocks(
        self, only: Iterable[HolderId] | None
    ) -> Iterator[tuple[Rows, int, npt.NDArray[np.float32]]]:
        """Row numbers, the first column's number, and the closeness of these rows to some columns.

        Closeness is the cosine, or minus the square of the distance. A pair of one holder's
        references has -inf, and so has one that comes, or came, the other way round.
        """
        index, owner = self._index, self.owner
        chosen = np.arange(len(index))
        if only is not None:
            places = [index.rows_of(holder) for holder in sorted(set(only))]
            chosen = np.concatenate([chosen[place] for place in places] or [chosen[:0]])
        size = max(_BLOCK_CELLS // max(min(len(index), _BLOCK_COLUMNS), 1), 1)
        for start in range(0, len(index), _BLOCK_COLUMNS):
            stop = min(start + _BLOCK_COLUMNS, len(index))
            columns = self._templates(np.arange(start, stop))
            # Each pair once: of the whole gallery, a row with the columns behind it.
            facing = chosen if only is not None else chosen[:stop]
            for first in range(0, len(facing), size):
                rows = facing[first : first + size]
                closeness = self._templates(rows) @ columns.T
                if index.metric is Metric.EUCLIDEAN:
                    closeness *= 2.0
                    closeness -= self._squares[rows, None]
                    closeness -= self._squares[None, start:stop]
                if only is not None:
                    closeness[owner[rows, None] == owner[None, start:stop]] = -np.inf
                elif owner[rows[-1]] >= owner[start]:
                    # Rows stand by holder: only up to the last one's end is there any to leave out.
                    end = int(np.searchsorted(owner[start:stop], owner[rows[-1]], side="right"))
                    again = owner[rows, None] >= owner[None, start : start + end]
                    closeness[:, :end][again] = -np.inf
                yield rows, start, closeness

    def _templates(self, rows: Rows) -> Templates:
        if self._plain is not None:
            return self._plain[rows]
        table = self._index.table
        codes = np.empty((len(rows), table.components), dtype=np.int8)
        of = np.searchsorted(table.starts, rows, side="right") - 1
        for number in np.unique(of).tolist():
            here = of == number
            codes[here] = self._block(number)[rows[here] - table.starts[number]]
        return codes * table.scales[rows, None]

    def _block(self, number: int) -> Codes:
        """A block's codes, which have to be unpacked all at once; the last two are kept.

        Columns and rows are each asked for in rising order.
        """
        if number not in self._read:
            if len(self._read) > 1:
                del self._read[next(iter(self._read))]
            block = self._index.table.blocks[number]
            self._read[number] = block.rows(np.arange(len(block)))
        return self._read[number]
