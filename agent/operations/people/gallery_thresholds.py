"""What ``gallery check`` says of the threshold: who decides it, why, and how far it carries."""

from typing import Any

from agent.domain.access.registry import Registry
from agent.domain.sight.gallery_safety import false_grant_rate
from agent.domain.sight.impostor_bound import CONFIDENCE, RATES, SiteBound
from agent.domain.sight.operating_point import operating_point
from agent.domain.sight.thresholds import Source, Thresholds, Told

GROWTH = (1, 2, 10)
"""So many times the holders of today."""
_SHOWN_RATES = tuple(rate for step, rate in enumerate(RATES) if step % 4 == 0)


def about_thresholds(
    registry: Registry, holders: int, max_false_grant_rate: float
) -> dict[str, Any]:
    """The keys ``decision``, ``growth`` and ``face_alone_serves``; none of a lone threshold."""
    known = registry.thresholds
    if known is None:
        return {}
    told = known.told(registry.operating.fmr)
    return {
        "decision": {
            "decided_by": told.decided_by.value,
            "why": why(told, known),
            "fmr": told.fmr,
            "pack": round(told.pack, 4),
            "prior": _rounded(told.prior),
            "prior_group": told.prior_group,
            "ceiling": _rounded(known.ceiling),
            "people": _people(told, known.site),
            "curve": [
                {"fmr": rate, "threshold": round(known.told(rate).threshold, 4)}
                for rate in _SHOWN_RATES
                if known.curve.furthest_fmr <= rate <= known.curve.loosest_fmr
            ],
        },
        "growth": [
            _grown(registry, known, holders, factor, max_false_grant_rate) for factor in GROWTH
        ],
        "face_alone_serves": _served(known, holders, registry.references, max_false_grant_rate),
    }


def why(told: Told, known: Thresholds) -> str:
    """In a sentence: whose word the threshold is, and what the others say."""
    site = known.site
    if told.decided_by is Source.PACK:
        beside = "nobody's bound" if told.site is None else f"these people's bound {told.site:.3f}"
        return (
            f"the pack's own curve asks for {told.pack:.3f}, and {beside} is no stricter; a gallery"
            " never goes below its pack"
        )
    if site is None:
        return (
            f"too few holders to say how alike these people are: the worst group known"
            f" ({told.prior_group}) asks for {told.prior or 0.0:.3f}"
        )
    people = f"{site.people} people are alike up to {told.site or 0.0:.3f} ({CONFIDENCE:.0%} bound)"
    prior = "nothing else is known" if told.prior is None else f"the prior says {told.prior:.3f}"
    if told.decided_by is Source.SITE and told.threshold == told.site:
        return f"{people}; {prior}, which their own scores replace"
    return f"{people}, believed to {site.credibility:.0%}, as they are few; {prior}"


def _people(told: Told, site: SiteBound | None) -> dict[str, Any] | None:
    if site is None:
        return None
    return {
        "people": site.people,
        "of_holders": site.holders,
        "pairs": site.pairs,
        "look_alike_pairs_left_out": site.look_alikes,
        "fitted": _rounded(told.site_fitted),
        "bound": _rounded(told.site),
        "confidence": CONFIDENCE,
        "credibility": round(site.credibility, 4),
        "extrapolated": told.fmr < site.measured_to,
        "measured_to_fmr": site.measured_to,
        "fit": {
            "mean": round(site.fit.mean, 4),
            "std": round(site.fit.std, 4),
            "verdict": site.fit.verdict,
            "levels": [
                {
                    "fmr": level.fmr,
                    "observed": round(level.observed, 4),
                    "fitted": round(level.fitted, 4),
                    "bound": round(level.bound, 4),
                }
                for level in site.fit.levels
            ],
        },
    }


def _grown(
    registry: Registry, known: Thresholds, holders: int, factor: int, rate: float
) -> dict[str, Any]:
    """With ``factor`` times the holders: at the threshold of today, and at the one that follows."""
    references = registry.references * factor
    point = operating_point(known.curve, references, rate)
    return {
        "factor": factor,
        "holders": holders * factor,
        "references": references,
        "false_grant_rate_at_this_threshold": false_grant_rate(registry.operating.fmr, references),
        "threshold": round(point.threshold, 4),
        "fmr": point.fmr,
        "false_grant_rate": false_grant_rate(point.fmr, references),
        "sufficient": point.sufficient,
    }


def _served(known: Thresholds, holders: int, references: int, rate: float) -> dict[str, Any]:
    """As many as there are references each today; the people's own bound moves as they grow."""
    most = round(known.references_served(rate), 6)
    each = references / holders if holders else 1.0
    measured = round(known.references_measured(rate), 6)
    return {
        "references": int(most),
        "holders": int(most / each),
        "at_false_grant_rate": rate,
        "measured_references": int(measured),
        "measured_holders": int(measured / each),
        "extrapolated": int(measured) < int(most),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
