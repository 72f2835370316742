"""Comparison error rates, as ISO/IEC 19795-1 counts them.

A pair of which an image failed to acquire is a non-match in every figure: its score is below every
threshold. So a failure costs where the pair is genuine, and a pack cannot look better by refusing.

A rate that so few pairs cannot show is not told: P impostor pairs carry an FMR f where P x f is at
least 3, for with fewer expected the threshold is the luck of one or two pairs ("rule of three", B.
Jovanovic and P. Levy, The American Statistician 51, 1997).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.domain.sight.operating_point import CurvePoint

Scores = npt.NDArray[np.float64]
"""Comparison scores, higher is more alike; -inf where an image failed to acquire."""

FMRS = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}
_LEAST_EXPECTED = 3.0
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """The figures of one evaluation; None where there are no pairs to say, or too few."""

    genuine: int
    impostor: int
    auc: float | None
    accuracy: float | None
    accuracy_threshold: float | None
    fnmr: Mapping[str, float | None]
    threshold: Mapping[str, float | None]


def error_rates(genuine: Scores, impostor: Scores) -> ErrorRates:
    """The figures of these scores."""
    thresholds = {
        name: threshold_at(impostor, fmr) if carries(len(impostor), fmr) else None
        for name, fmr in FMRS.items()
    }
    accuracy, at = best_accuracy(genuine, impostor)
    return ErrorRates(
        genuine=len(genuine),
        impostor=len(impostor),
        auc=area_under_curve(genuine, impostor),
        accuracy=accuracy,
        accuracy_threshold=at,
        fnmr={name: fnmr_at(genuine, value) for name, value in thresholds.items()},
        threshold=thresholds,
    )


def carries(impostor_pairs: int, fmr: float) -> bool:
    """Whether so many impostor pairs can show this FMR."""
    return impostor_pairs * fmr >= _LEAST_EXPECTED * (1.0 - _ROUNDING)


def pairs_needed(fmr: float) -> int:
    """The fewest impostor pairs that carry this FMR."""
    return math.ceil(_LEAST_EXPECTED / fmr * (1.0 - _ROUNDING))


def threshold_at(impostor: Scores, fmr: float) -> float | None:
    """The least threshold at which the share of impostor scores at or above it is at most ``fmr``.

    Only acquired pairs have a score to set a threshold by; the share counts all. Where even the
    highest score alone is too many, it is the next number above it. None without impostor scores.
    """
    finite = np.sort(impostor[np.isfinite(impostor)])[::-1]
    if not len(finite):
        return None
    total = len(impostor)
    allowed = math.floor(fmr * total) + 1
    # The product rounds; the share itself is what may not exceed.
    while allowed / total > fmr:
        allowed -= 1
    if allowed >= len(finite):
        return float(finite[-1])
    # Everything at or above the first score that is one too many must stay below the threshold.
    return float(np.nextafter(finite[allowed], np.inf))


def fnmr_at(genuine: Scores, threshold: float | None) -> float | None:
    """The share of genuine scores below ``threshold``."""
    if threshold is None or not len(genuine):
        return None
    return float(np.mean(genuine < threshold))


def area_under_curve(genuine: Scores, impostor: Scores) -> float | None:
    """The chance that a genuine score exceeds an impostor one, ties counting half.

    By ranks: H. Mann and D. Whitney, Annals of Mathematical Statistics 18 (1947).
    """
    if not len(genuine) or not len(impostor):
        return None
    ordered = np.sort(impostor)
    below = np.searchsorted(ordered, genuine, side="left")
    up_to = np.searchsorted(ordered, genuine, side="right")
    wins = float(below.sum()) + 0.5 * float((up_to - below).sum())
    return wins / (len(genuine) * len(impostor))


def best_accuracy(genuine: Scores, impostor: Scores) -> tuple[float | None, float | None]:
    """The largest share of right answers over all thresholds, and a threshold that reaches it.

    None without pairs of both kinds: where every answer is the same, all are right.
    """
    if not len(genuine) or not len(impostor):
        return None, None
    total = len(genuine) + len(impostor)
    values = np.unique(np.concatenate([genuine, impostor]))
    values = values[np.isfinite(values)]
    if not len(values):
        # Nothing was acquired: every answer is "no match".
        return len(impostor) / total, None
    thresholds = np.append(values, np.nextafter(values[-1], np.inf))
    accepted = len(genuine) - np.searchsorted(np.sort(genuine), thresholds, side="left")
    rejected = np.searchsorted(np.sort(impostor), thresholds, side="left")
    right = (accepted + rejected) / total
    best = int(right.argmax())
    upper, lower = float(thresholds[best]), float(thresholds[max(best - 1, 0)])
    # The middle of the gap below, so that the figure does not hang on the last digit of a score;
    # between two numbers without one in between it would round down and accept the lower.
    middle = (upper + lower) / 2
    return float(right[best]), middle if lower < middle else upper


def det_curve(genuine: Scores, impostor: Scores, fmrs: Sequence[float]) -> tuple[CurvePoint, ...]:
    """FMR, threshold and FNMR at each of ``fmrs`` (falling) that so many pairs carry.

    For a pack's manifest or a plot of the detection error trade-off (ISO/IEC 19795-1). Where two
    rates have the same threshold only the first stands, and so does none past the last score.
    """
    points: list[CurvePoint] = []
    for fmr in fmrs:
        threshold = threshold_at(impostor, fmr)
        if threshold is None or not carries(len(impostor), fmr):
            continue
        if not points or threshold > points[-1].threshold:
            points.append(CurvePoint(fmr, threshold, fnmr_at(genuine, threshold)))
    return tuple(points)
