"""Compares the gallery with itself: who could pass for whom, and what to expect of strangers."""

import math
from typing import Any

from agent.domain.access.registry import Registry
from agent.domain.sight.comparison import ReferenceIndex
from agent.domain.sight.gallery_safety import (
    close_pairs,
    false_grant_rate,
    impostor_scores,
    too_close,
    upper_bound,
)
from agent.operations.people.gallery_thresholds import about_thresholds

CONFIDENCE = 0.95


def check_gallery(
    index: ReferenceIndex,
    registry: Registry,
    max_false_grants_per_day: float,
    max_false_grant_rate: float = 0.01,
) -> dict[str, Any]:
    """The gallery's safety as JSON values.

    ``false_grant_rate`` is per attempt of a stranger. ``expected`` is that of the curve in force
    for so many references. ``observed`` takes each holder as a stranger to all the others: the
    share of them who would have passed. ``upper_bound`` is what so few trials cannot exclude, and
    never below what the curve expects. A pair lets two holders pass, so the trials are not quite
    independent; that makes the bound the more cautious.
    """
    operating = registry.operating
    pairs = close_pairs(index, operating.threshold)
    scores = impostor_scores(index)
    holders = len(index.names)
    ambiguous = too_close(pairs)
    expected = false_grant_rate(operating.fmr, len(index))
    return {
        "pack": registry.pack,
        "holders": holders,
        "references": len(index),
        "threshold": round(operating.threshold, 4),
        "fmr": operating.fmr,
        "extrapolated": operating.extrapolated,
        "sufficient": operating.sufficient,
        "ambiguous_holders": len(ambiguous),
        "close_pairs": [
            {"one": pair.one, "other": pair.other, "score": round(pair.score, 4)} for pair in pairs
        ],
        "impostor": None
        if scores is None
        else {
            "pairs": scores.pairs,
            "sampled": scores.sampled,
            "mean": round(scores.mean, 4),
            "std": round(scores.std, 4),
            "highest": round(scores.highest, 4),
            "histogram": {
                "edges": [round(edge, 4) for edge in scores.edges],
                "counts": list(scores.counts),
            },
        },
        "false_grant_rate": {
            "expected": expected,
            "observed": len(ambiguous) / holders if holders > 1 else None,
            "upper_bound": _upper_bound(len(ambiguous), holders, expected) if holders else None,
            "confidence": CONFIDENCE,
        },
        "false_grants_per_day": _per_day(registry, max_false_grants_per_day),
        **about_thresholds(registry, holders, max_false_grant_rate),
    }


def _per_day(registry: Registry, most_per_day: float) -> dict[str, Any]:
    """The day's budget, and how many attempts without a grant it carries.

    ``attempts_at_threshold`` at the threshold in force while it is full, ``attempts_at_strictest``
    a day at the highest there is; None where the face alone opens nothing.
    """
    most, least = registry.rates()
    strictest = registry.operating_at(least) if least > 0.0 else None
    return {
        "max": most_per_day,
        "attempts_at_threshold": most_per_day / most if most > 0.0 else None,
        "attempts_at_strictest": most_per_day / least if least > 0.0 else None,
        "strictest_threshold": round(strictest.threshold, 4) if strictest is not None else None,
        "strictest_fmr": strictest.fmr if strictest is not None else None,
    }


def _upper_bound(ambiguous: int, holders: int, expected: float) -> float:
    if holders < 2:
        return 1.0  # nobody to compare with, so nothing is excluded
    passed = upper_bound(ambiguous, holders, CONFIDENCE)
    # A holder is a stranger to one fewer than a stranger is.
    scaled = 1.0 - math.pow(1.0 - passed, holders / (holders - 1))
    return max(scaled, expected)
