"""Compares the gallery with itself: who could pass for whom, and what to expect of strangers."""

from typing import Any

from agent.domain.comparison import ReferenceIndex
from agent.domain.gallery_safety import (
    close_pairs,
    false_grant_rate,
    impostor_scores,
    too_close,
    upper_bound,
)
from agent.domain.operating_point import OperatingPoint

CONFIDENCE = 0.95


def check_gallery(index: ReferenceIndex, operating: OperatingPoint, pack: str) -> dict[str, Any]:
    """The gallery's safety as JSON values.

    ``false_grant_rate`` is per attempt of a stranger. ``expected`` is read off the pack's curve at
    this gallery's size; ``observed`` takes each holder as a stranger to all the others, one trial
    each, and ``upper_bound`` is what those few trials cannot exclude. The people of a community may
    be more alike than those whom the curve was measured on: the larger figure is the one to heed.
    """
    pairs = close_pairs(index, operating.threshold)
    scores = impostor_scores(index)
    holders = len(index.names)
    ambiguous = too_close(pairs)
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
            "mean": round(scores.mean, 4),
            "std": round(scores.std, 4),
            "highest": round(scores.highest, 4),
            "histogram": {
                "edges": [round(edge, 4) for edge in scores.edges],
                "counts": list(scores.counts),
            },
        },
        "false_grant_rate": {
            "expected": false_grant_rate(operating.fmr, holders),
            "observed": len(ambiguous) / holders if holders else None,
            "upper_bound": upper_bound(len(ambiguous), holders) if holders else None,
            "confidence": CONFIDENCE,
        },
    }
