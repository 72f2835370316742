"""An upper bound of the impostor distribution among the people who are enrolled.

Every score between references of different holders is an impostor comparison of this community.
How sure a share of them is depends on how many *people* were compared: one face that resembles
many is in many pairs, so people are the independent units and pairs are not.

- Fit: mean + z x deviation of the scores, the normal quantile z of the FMR wanted; scores of
  embeddings are near normal. Few people show no FMR that a gate needs, so the fit goes on beyond
  the data, and is held against them as far as they reach (``Fit``).
- Bound: the fit's standard error by the jackknife over people (leave one out, all of their pairs
  with them; B. Efron and C. Stein, "The jackknife estimate of variance", Annals of Statistics 9,
  1981), times Student's quantile of ``CONFIDENCE`` for so many people less one. What a bootstrap
  over people draws at random is here in closed form, so that any start gives the same answer.
- Tail: from some eighty people on the scores themselves show whether their upper end is heavier
  than the fit. Then a second one through two upper quantiles counts too, where it is stricter.
- Look-alikes (twins, one person under two names) are no measure of strangers: a pair far beyond
  anything that the fit explains is left out, unless one of the two resembles more people than a
  household has. It is the gate that names them too close; nobody else pays for them.

Of a large gallery a sample of people is compared, drawn by their ids: the same ones each time, and
nearly the same ones when somebody comes or goes.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve

CONFIDENCE = 0.9
MOST_PEOPLE = 512
"""So many are compared with each other: 130,000 pairs, in some hundredths of a second."""
MOST_REFERENCES = 4
FEWEST_PEOPLE = 4
"""With fewer a part without one of them has no spread, and nothing is bounded."""
_MOST_DOUBLES = 0.5
HOUSEHOLD = 3
"""Others who may be of one's kin and look it: a household has 2.6 people (China, census of 2020),
and a grandmother lives across the yard."""
RATES = tuple(10.0 ** (-step / 4.0) for step in range(4, 53))
"""The FMRs at which a bound is told: quarter decades from 1e-1 to 1e-13."""
_CREDIBLE_AT = 1e-3
_LEVELS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
_PAIRS_BEHIND_A_LEVEL = 5
_PAIRS_BEHIND_A_TAIL = 100
_TAIL_BEGINS, _TAIL_WHOLE = 0.16, 0.04
_CHANCE_OF_A_LOOK_ALIKE = 0.05
_LEAST_STEP = 1e-9
_NORMAL = NormalDist()

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FitLevel:
    """At this share of the scores: the score that they show, the fit's, and the bound's."""

    fmr: float
    observed: float
    fitted: float
    bound: float


@dataclass(frozen=True, slots=True)
class Fit:
    """How the normal fit stands against the scores.

    ``verdict``: ``holds``; ``heavier``, where the scores exceed the bound at a level which they
    show; ``unknown``, with too few pairs for any level.
    """

    mean: float
    std: float
    verdict: str
    levels: tuple[FitLevel, ...]


@dataclass(frozen=True, slots=True)
class SiteBound:
    """What ``people`` of the ``holders`` say; ``look_alikes`` pairs of people were left out.

    ``fitted`` and ``bound`` are scores at each of ``RATES``; ``error`` is the standard error of the
    former. ``credibility`` is how far the bound is to be believed beside what was known before,
    0 to 1: 1 / (1 + (e / d)^2) with e the error at FMR 1e-3 and d the deviation of the scores. Past
    ``measured_to`` the fit goes on beyond the data.
    """

    holders: int
    people: int
    pairs: int
    look_alikes: int
    fit: Fit
    credibility: float
    measured_to: float
    fitted: tuple[float, ...]
    error: tuple[float, ...]
    bound: tuple[float, ...]

    @property
    def curve(self) -> ThresholdCurve:
        """The bound as a curve."""
        return _curve(self.bound)

    @property
    def fitted_curve(self) -> ThresholdCurve:
        """The best estimate, without the bound's caution."""
        return _curve(self.fitted)


@lru_cache(maxsize=16)
def _curve(scores: tuple[float, ...]) -> ThresholdCurve:
    return ThresholdCurve(tuple(CurvePoint(f, t) for f, t in zip(RATES, scores, strict=True)))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Sums over the reference pairs of each two people, people x people; nobody with himself."""

    count: Matrix
    first: Matrix
    second: Matrix
    best: Matrix
    origin: float
    """Subtracted from every score in ``first`` and ``second``, so that squares lose no digits."""
    scores: Matrix
    owner: npt.NDArray[np.int64]


def site_bound(index: ReferenceIndex, one_person: float = math.inf) -> SiteBound | None:
    """The bound that this gallery carries; None with fewer than ``FEWEST_PEOPLE``.

    From ``one_person`` on a score is no stranger's in any group that was measured: ids that reach
    it are one person under several, and count as one.
    """
    names = _sample(index.names)
    if len(names) < FEWEST_PEOPLE:
        return None
    pairs = _compared(index, names)
    doubles = _doubles(pairs, one_person)
    if doubles.any():
        names = [name for name, double in zip(names, doubles, strict=True) if not double]
        if len(names) < FEWEST_PEOPLE:
            return None
        pairs = _compared(index, names)
    people, holders = len(pairs.count), len(index.names)
    kept = ~_look_alikes(pairs)
    mean, std, parts = _moments(pairs, kept)
    z = np.array([-_NORMAL.inv_cdf(fmr) for fmr in RATES])
    student = _student(people - 1)
    spread = _jackknife(parts)
    error = np.sqrt(spread[0, 0] + 2.0 * z * spread[0, 1] + z**2 * spread[1, 1])
    fitted, bound = mean + z * std, mean + z * std + student * error
    between = np.triu(pairs.count * kept, 1).sum()
    tail = _tail(pairs, holders, z, student)
    if tail is not None:
        share, stricter, stricter_bound = tail
        fitted = fitted + share * np.maximum(stricter - fitted, 0.0)
        bound = bound + share * np.maximum(stricter_bound - bound, 0.0)
    fitted, bound = _rising(fitted), _rising(bound)
    at = -_NORMAL.inv_cdf(_CREDIBLE_AT)
    unsure = spread[0, 0] + 2.0 * at * spread[0, 1] + at**2 * spread[1, 1]
    return SiteBound(
        holders=holders,
        people=people,
        pairs=int(between),
        look_alikes=int(np.triu(~kept, 1).sum()),
        fit=_fit(pairs, kept, mean, std, fitted, bound),
        credibility=float(std**2 / (std**2 + unsure)) if std > 0.0 else 0.0,
        measured_to=min(_PAIRS_BEHIND_A_LEVEL / float(between), 1.0),
        fitted=tuple(fitted.tolist()),
        error=tuple(error.tolist()),
        bound=tuple(bound.tolist()),
    )


def _sample(names: Sequence[HolderId]) -> list[HolderId]:
    if len(names) <= MOST_PEOPLE:
        return list(names)
    places = np.array([zlib.crc32(name.encode()) for name in names], dtype=np.int64)
    chosen = np.sort(np.argsort(places, kind="stable")[:MOST_PEOPLE])
    return [names[i] for i in chosen]


def _compared(index: ReferenceIndex, people: list[HolderId]) -> _Pairs:
    """Everybody with everybody, by the codes: a bound opens no template."""
    rows: list[int] = []
    owner: list[int] = []
    for number, name in enumerate(people):
        place = index.rows_of(name)
        some = range(place.start, min(place.stop, place.start + MOST_REFERENCES))
        rows += some
        owner += [number] * len(some)
    templates = index.coded(np.array(rows, dtype=np.int64)).astype(np.float64)
    owners = np.array(owner, dtype=np.int64)
    scores = templates @ templates.T
    if index.metric is Metric.EUCLIDEAN:
        squares = np.diag(scores).copy()
        scores *= 2.0
        scores -= squares[:, None]
        scores -= squares[None, :]
        scores = -np.sqrt(np.maximum(-scores, 0.0))
    starts = np.searchsorted(owners, np.arange(len(people)))

    def summed(cells: Matrix) -> Matrix:
        sums = np.add.reduceat(np.add.reduceat(cells, starts, axis=0), starts, axis=1)
        np.fill_diagonal(sums, 0.0)
        return np.asarray(sums)

    origin = float(scores.mean())
    best = np.maximum.reduceat(np.maximum.reduceat(scores, starts, axis=0), starts, axis=1)
    np.fill_diagonal(best, -np.inf)
    return _Pairs(
        count=summed(np.ones_like(scores)),
        first=summed(scores - origin),
        second=summed((scores - origin) ** 2),
        best=best,
        origin=origin,
        scores=scores,
        owner=owners,
    )


def _doubles(pairs: _Pairs, one_person: float) -> npt.NDArray[np.bool_]:
    """Who is somebody before them once more; nobody, where that would be said of every other one.

    Then it is the pack that does not tell these people apart.
    """
    found = np.asarray(np.tril(pairs.best > one_person, -1).any(axis=1))
    return found if found.mean() <= _MOST_DOUBLES else np.zeros_like(found)


def _look_alikes(pairs: _Pairs) -> npt.NDArray[np.bool_]:
    """Pairs of people so alike that the others' scores don't explain them, each a few times only.

    Whoever resembles many is one of a group of people, and stays.
    """
    alike = pairs.best > _far(pairs)
    many = alike.sum(axis=1) > HOUSEHOLD
    alike[many] = False
    alike[:, many] = False
    return np.asarray(alike)


def _far(pairs: _Pairs) -> float:
    """The score that no pair of these people reaches by chance, as far as most of them say.

    By a fit that who is alike has no part in: the scores are clipped at two quantiles, and what a
    normal distribution loses by that is put back.
    """
    people = len(pairs.best)
    others = pairs.best[np.triu_indices(people, 1)]
    cut = min(max(HOUSEHOLD / (people - 1), 0.01), 0.25)
    low, high = np.quantile(others, [cut, 1.0 - cut])
    k = -_NORMAL.inv_cdf(cut)
    lost = (1.0 - 2.0 * cut) - 2.0 * k * _NORMAL.pdf(k) + 2.0 * cut * k * k
    clipped = np.clip(others, low, high)
    beyond = -_NORMAL.inv_cdf(_CHANCE_OF_A_LOOK_ALIKE / len(others))
    return float(clipped.mean() + clipped.std() / np.sqrt(lost) * _student(people - 1, beyond))


def _moments(pairs: _Pairs, kept: npt.NDArray[np.bool_]) -> tuple[float, float, Matrix]:
    """Mean and deviation of the kept scores, and both without each person in turn (2 x people)."""
    sums = [np.where(kept, part, 0.0) for part in (pairs.count, pairs.first, pairs.second)]
    whole = np.array([part.sum() for part in sums])
    without = whole[:, None] - 2.0 * np.stack([part.sum(axis=1) for part in sums])

    def told(count: Matrix, first: Matrix, second: Matrix) -> tuple[Matrix, Matrix]:
        comparisons = np.maximum(count / 2.0, 2.0)
        mean = first / np.maximum(count, 1.0)
        variance = np.maximum(second / np.maximum(count, 1.0) - mean**2, 0.0)
        return mean + pairs.origin, np.sqrt(variance * comparisons / (comparisons - 1.0))

    mean, std = told(*whole[:, None])
    return float(mean[0]), float(std[0]), np.stack(told(*without))


def _jackknife(parts: Matrix) -> Matrix:
    """Variances and covariance of two figures, from each of them without one person in turn."""
    people = parts.shape[1]
    off = parts - parts.mean(axis=1, keepdims=True)
    return np.asarray(off @ off.T * ((people - 1) / people))


def _tail(
    pairs: _Pairs, holders: int, z: Matrix, student: float
) -> tuple[float, Matrix, Matrix] | None:
    """How much a fit through two upper quantiles counts, itself, and its bound, at each of ``z``.

    Neither quantile lies so far up that everybody's kin would reach it.
    """
    between = pairs.owner[:, None] < pairs.owner[None, :]
    scores = pairs.scores[between]
    above = max(HOUSEHOLD / (holders - 1), _PAIRS_BEHIND_A_TAIL / len(scores))
    share = (_TAIL_BEGINS - 4.0 * above) / (_TAIL_BEGINS - _TAIL_WHOLE)
    if share <= 0.0:
        return None
    shares = np.array([above, 4.0 * above])
    quantiles = np.quantile(scores, 1.0 - shares)
    at = np.array([-_NORMAL.inv_cdf(one) for one in shares])
    slope = max(float(quantiles[0] - quantiles[1]) / float(at[0] - at[1]), 0.0)
    starts = np.searchsorted(pairs.owner, np.arange(len(pairs.count)))
    parts = []
    for one, quantile, place in zip(shares, quantiles, at, strict=True):
        # How a person moves the quantile: by their own share above it, over the density there.
        over = np.add.reduceat((pairs.scores > quantile).astype(np.float64), starts, axis=1)
        over = np.add.reduceat(over, starts, axis=0)
        np.fill_diagonal(over, 0.0)
        count = pairs.count.sum() - 2.0 * pairs.count.sum(axis=1)
        without = (over.sum() - 2.0 * over.sum(axis=1)) / count
        parts.append((without - one) * slope / _NORMAL.pdf(float(place)))
    spread = _jackknife(np.stack(parts))
    on = (z - at[0]) / (at[0] - at[1])
    variance = (
        (1.0 + on) ** 2 * spread[0, 0] - 2.0 * (1.0 + on) * on * spread[0, 1] + on**2 * spread[1, 1]
    )
    fitted = np.where(z >= at[0], quantiles[0] + slope * (z - at[0]), -np.inf)
    return min(share, 1.0), fitted, fitted + student * np.sqrt(np.maximum(variance, 0.0))


def _fit(
    pairs: _Pairs,
    kept: npt.NDArray[np.bool_],
    mean: float,
    std: float,
    fitted: Matrix,
    bound: Matrix,
) -> Fit:
    owner = pairs.owner
    between = (owner[:, None] < owner[None, :]) & kept[owner][:, owner]
    scores = pairs.scores[between]
    exponents = -np.log10(RATES)
    levels = [
        FitLevel(
            fmr,
            float(np.quantile(scores, 1.0 - fmr)),
            float(np.interp(-np.log10(fmr), exponents, fitted)),
            float(np.interp(-np.log10(fmr), exponents, bound)),
        )
        for fmr in _LEVELS
        if fmr * len(scores) >= _PAIRS_BEHIND_A_LEVEL
    ]
    heavier = any(level.observed > level.bound for level in levels)
    verdict = "heavier" if heavier else "holds" if levels else "unknown"
    return Fit(mean, std, verdict, tuple(levels))


def _student(freedom: int, z: float | None = None) -> float:
    """Student's quantile where the normal one is ``z``, by default that of ``CONFIDENCE``.

    By the expansion of R. Fisher and E. Cornish (Technometrics 2, 1960), to the second order.
    """
    z = _NORMAL.inv_cdf(CONFIDENCE) if z is None else z
    first = (z**3 + z) / (4.0 * freedom)
    return z + first + (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / (96.0 * freedom**2)


def _rising(scores: Matrix) -> Matrix:
    """At a lower FMR never a looser score."""
    steps = _LEAST_STEP * np.arange(len(scores))
    return np.asarray(np.maximum.accumulate(scores) + steps)
