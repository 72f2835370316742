"""The gallery compared with itself: who could pass for whom, and what to expect of strangers.

A pack's published threshold says nothing about the faces at this gate. Here every pair of
references of different holders is an impostor comparison: two holders whose references pass for
each other must not be granted by face alone, and the distribution of the others says how well the
pack separates these people.

The pairs are not independent (a face that resembles many is in many of them), so a bound on the FMR
from P pairs counts only as many trials as there are holders: the most cautious reading.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.domain.comparison import Metric, ReferenceIndex
from agent.domain.holder import HolderId

_BLOCK_ROWS = 256  # some 10 MB a block at 10,000 references, and no slower
HISTOGRAM_BINS = 20


@dataclass(frozen=True, slots=True)
class ClosePair:
    """Two holders, the first by id before the second, and their best comparison score."""

    one: HolderId
    other: HolderId
    score: float


@dataclass(frozen=True, slots=True)
class ImpostorScores:
    """The scores between references of different holders; bins span ``edges``."""

    pairs: int
    mean: float
    std: float
    highest: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def close_pairs(index: ReferenceIndex, threshold: float) -> list[ClosePair]:
    """The pairs of holders of whom any two references score ``threshold`` or more."""
    best: dict[tuple[int, int], float] = {}
    for start, scores in _blocks(index):
        # A hair below the threshold, since float32 rounds: what is nearly too close is too close.
        rows, columns = np.nonzero(scores >= threshold - 1e-4)
        keep = index.owner[rows + start] < index.owner[columns + start]
        for row, column in zip(rows[keep], columns[keep], strict=True):
            pair = (int(index.owner[row + start]), int(index.owner[column + start]))
            best[pair] = max(best.get(pair, -math.inf), float(scores[row, column]))
    return [
        ClosePair(index.names[one], index.names[other], score)
        for (one, other), score in sorted(best.items(), key=lambda item: -item[1])
    ]


def too_close(pairs: Iterable[ClosePair]) -> frozenset[HolderId]:
    """Everyone in a close pair."""
    return frozenset(name for pair in pairs for name in (pair.one, pair.other))


def impostor_scores(index: ReferenceIndex) -> ImpostorScores | None:
    """The distribution of all impostor scores of the gallery; None with fewer than two holders."""
    edges = np.linspace(-1.2, 0.0, HISTOGRAM_BINS + 1)
    if index.metric is Metric.COSINE:
        edges = np.linspace(-1.0, 1.0, HISTOGRAM_BINS + 1)
    counts = np.zeros(HISTOGRAM_BINS, dtype=np.int64)
    pairs, total, squares, highest = 0, 0.0, 0.0, -math.inf
    for start, scores in _blocks(index):
        owners = index.owner[start : start + len(scores)]
        values = scores[owners[:, None] < index.owner[None, start:]].astype(np.float64)
        if not len(values):
            continue
        counts += np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)[0]
        pairs += len(values)
        total += float(values.sum())
        squares += float((values**2).sum())
        highest = max(highest, float(values.max()))
    if not pairs:
        return None
    mean = total / pairs
    std = math.sqrt(max(squares / pairs - mean**2, 0.0))
    steps, bins = (tuple(row.tolist()) for row in (edges, counts))
    return ImpostorScores(pairs, mean, std, highest, steps, bins)


def false_grant_rate(fmr: float, holders: int) -> float:
    """The chance that a stranger's attempt fits some holder: 1 - (1 - FMR)^N."""
    if fmr >= 1.0:
        return 1.0 if holders else 0.0
    return -math.expm1(holders * math.log1p(-fmr))


def upper_bound(successes: int, trials: int, confidence: float = 0.95) -> float:
    """The Clopper-Pearson upper bound of a rate: the p at which so few successes are unlikely.

    Source: Clopper and Pearson, Biometrika 26 (1934); solved by bisection on the binomial tail.
    """
    if trials <= 0 or successes >= trials:
        return 1.0
    low, high = successes / trials, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if _binomial_cdf(successes, trials, middle) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


def _binomial_cdf(successes: int, trials: int, rate: float) -> float:
    if rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 0.0
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(rate)
        + (trials - k) * math.log1p(-rate)
        for k in range(successes + 1)
    ]
    return min(math.fsum(math.exp(value) for value in logs), 1.0)


def _blocks(index: ReferenceIndex) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Scores of a block of rows against itself and all rows below, with the first row's number."""
    templates = index.templates
    squares = np.einsum("ij,ij->i", templates, templates)
    for start in range(0, len(templates), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        products = templates[rows] @ templates[start:].T
        if index.metric is Metric.EUCLIDEAN:
            products *= -2.0
            products += squares[rows, None]
            products += squares[None, start:]
            np.maximum(products, 0.0, out=products)
            np.sqrt(products, out=products)
            np.negative(products, out=products)
        yield start, products
