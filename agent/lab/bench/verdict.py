"""What a measurement is worth: every figure that has a limit, and whether it keeps it."""

from collections.abc import Iterator, Mapping
from typing import Any


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
        return f"all {len(judged)} limits are met on this machine"
    return f"{len(missed)} of {len(judged)} limits are missed on this machine: {', '.join(missed)}"


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
            yield _one(f"speedup over {name}", value, limit, "at least", (value - limit) / limit)


def _one(figure: str, value: float, limit: float, bound: str, left: float) -> dict[str, Any]:
    return {
        "figure": figure,
        "value": value,
        "limit": limit,
        "bound": bound,
        "met": left >= 0.0,
        "by": round(left, 4),
    }
