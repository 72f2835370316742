"""Compares the gallery with itself: who could pass for whom, and what to expect of strangers."""

import math
from typing import Any

from agent.domain.sight.comparison import ReferenceIndex
from agent.domain.sight.gallery_safety import (
    close_pairs,
    false_grant_rate,
    impostor_scores,
    too_close,
    upper_bound,
)
from agent.domain.sight.operating_point import OperatingPoint

CONFIDENCE = 0.95


def check_gallery(index: ReferenceIndex, operating: OperatingPoint, pack: str) -> dict[str, Any]:
    """The gallery's safety as JSON values.

    ``false_grant_rate`` is per attempt of a stranger. ``expected`` is read off the pack's curve at
    this gallery's size. ``observed`` takes each holder as a stranger to all the others: the share
    of them who would have passed. ``upper_bound`` is what so few trials cannot exclude, and never
    below what the curve expects: the people of a community may be more alike than those whom it
    was measured on. A pair lets two holders pass, so the trials are not quite independent; that
    makes the bound the more cautious.
    """
    pairs = close_pairs(index, operating.threshold)
    scores = impostor_scores(index)
    holders = len(index.names)
    ambiguous = too_close(pairs)
    expected = false_grant_rate(operating.fmr, holders)
    return {
        "pack": pack,
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
    }


def _upper_bound(ambiguous: int, holders: int, expected: float) -> float:
    if holders < 2:
        return 1.0  # nobody to compare with, so nothing is excluded
    passed = upper_bound(ambiguous, holders, CONFIDENCE)
    # A holder is a stranger to one fewer than a stranger is.
    scaled = 1.0 - math.pow(1.0 - passed, holders / (holders - 1))
    return max(scaled, expected)
