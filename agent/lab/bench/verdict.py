"""What a measurement is worth: every figure that has a limit, and whether it keeps it."""

from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = (
    "start_to_first_decision_s",
    "rss_100k_mb",
    "rss_100k_peak_mb",
    "index_100k_s",
    "self_comparison_before_serving_s",
    "change_100k_s",
)
_OF_A_LIMIT = ("limit", "bound", "met", "by")
_SPEEDUP = "speedup over"


def whole_figures(found: Mapping[str, Any]) -> dict[str, float]:
    """The figures that stand outside of any stage, as far as they were measured."""
    return {name: found[name] for name in _WHOLE if name in found}


def figures(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every figure that is no time of a stage, with the keys of ``verdict``.

    Those of its limit are None where it has none.
    """
    peers = {
        f"{_SPEEDUP} {name}": row["speedup"]
        for name, row in found.get("peers", {}).items()
        if "speedup" in row
    }
    without = dict.fromkeys(_OF_A_LIMIT)
    plain = {**found["ratios"], **whole_figures(found), **peers}
    rows = {name: {"figure": name, "value": value, **without} for name, value in plain.items()}
    return list((rows | {one["figure"]: one for one in _judged(found)}).values())


def verdict(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures of ``found`` that have a limit, as JSON values.

    ``figure``, ``value``, ``limit``, ``bound`` (``at most`` or ``at least``), ``met``, and ``by``:
    the share of the limit that is left, negative where it is missed.
    """
    return list(_judged(found))


def sentence(judged: list[dict[str, Any]]) -> str:
    """All of it in one sentence."""
    missed = [one["figure"] for one in judged if not one["met"]]
    if not judged:
        return "no figure that was measured has a limit"
    if not missed:
        which = f"all {len(judged)} limits are" if len(judged) > 1 else "the one limit is"
        return f"{which} met on this machine"
    are = "is" if len(missed) == 1 else "are"
    limits = f"{len(missed)} of {len(judged)} limits" if len(judged) > 1 else "the one limit"
    return f"{limits} {are} missed on this machine: {', '.join(missed)}"


def _judged(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, limit in found.get("limits", {}).items():
        value = found["ratios"].get(name, found.get(name))
        if value is not None:
            yield _one(name, value, limit, "at most", (limit - value) / limit)
    for name, stage in found.get("stages", {}).items():
        for key, limit in (("ratio", "limit"), ("memory_ratio", "memory_limit")):
            if key in stage and limit in stage:
                left = (stage[limit] - stage[key]) / stage[limit]
                yield _one(f"{name} {key}", stage[key], stage[limit], "at most", left)
    for name, row in found.get("peers", {}).items():
        value, limit = row.get("speedup"), row.get("limit")
        if value is not None and limit is not None:
            yield _one(f"{_SPEEDUP} {name}", value, limit, "at least", (value - limit) / limit)


def _one(figure: str, value: float, limit: float, bound: str, left: float) -> dict[str, Any]:
    return {
        "figure": figure,
        "value": value,
        "limit": limit,
        "bound": bound,
        "met": left >= 0.0,
        "by": round(left, 4),
    }
