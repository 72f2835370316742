"""The gallery's impostor scores as a picture of characters, and what pictures are drawn of.

They show what ``gallery check --json`` says and nothing else: how many pairs have which score, the
fit through them, and where the pack, the prior, the people's bound and the threshold lie. Counts
are logarithmic, for it is the few high ones that matter.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

WIDTH = 80
_LEAST = 50
_BESIDE_BARS = 42
"""What score, pairs and the name of a mark take of a line."""
_MARGIN_ROWS = 1
_MARKS = ("threshold", "people", "prior", "pack", "ceiling")


def plot_lines(found: dict[str, Any], columns: int = WIDTH) -> Iterator[str]:
    """A line a bin of scores, lowest first; nothing without pairs.

    Within ``columns``, where they are at least 50, and within ``WIDTH``.
    """
    width = max(min(columns, WIDTH), _LEAST)
    bars = width - _BESIDE_BARS
    impostor = found["impostor"]
    if impostor is None:
        return
    edges, counts = impostor["histogram"]["edges"], impostor["histogram"]["counts"]
    places = marks(found)
    used = [i for i, count in enumerate(counts) if count]
    used += [_bin(edges, score) for score in places.values()]
    most = math.log10(max(counts) + 1)
    yield f"{'score':>7} {'pairs':>9}  (# log scale, o the fit)"
    for i in range(
        max(min(used) - _MARGIN_ROWS, 0), min(max(used) + _MARGIN_ROWS + 1, len(counts))
    ):
        bar = list("#" * round(bars * math.log10(counts[i] + 1) / most))
        expected = expected_pairs(found, edges[i], edges[i + 1])
        if expected is not None and expected >= 1.0:
            at = min(round(bars * math.log10(expected + 1) / most), bars)
            bar += [" "] * (at + 1 - len(bar))
            bar[at] = "o"
        here = [name for name, score in places.items() if _bin(edges, score) == i]
        line = f"{edges[i]:7.2f} {counts[i]:9d}  {''.join(bar):<{bars + 1}}"
        while len(" < ".join((line, ", ".join(here)))) > width:
            yield f"{line} < {here.pop(0)}".rstrip()
            line = " " * len(line)
        yield (f"{line} < {', '.join(here)}" if here else line).rstrip()


def marks(found: dict[str, Any]) -> dict[str, float]:
    """Where the scores lie that a picture shows, by name."""
    decision = found.get("decision") or {}
    people = decision.get("people") or {}
    told = {
        "threshold": found["threshold"],
        "people": people.get("bound"),
        "prior": decision.get("prior"),
        "pack": decision.get("pack"),
        "ceiling": decision.get("ceiling"),
    }
    return {name: told[name] for name in _MARKS if told[name] is not None}


def expected_pairs(found: dict[str, Any], low: float, high: float) -> float | None:
    """How many pairs the fit expects between two scores; None where there is no fit."""
    people = (found.get("decision") or {}).get("people")
    if people is None or not people["fit"]["std"] > 0.0:
        return None
    fit = NormalDist(people["fit"]["mean"], people["fit"]["std"])
    pairs: int = found["impostor"]["sampled"]
    return pairs * (fit.cdf(high) - fit.cdf(low))


def _bin(edges: list[float], score: float) -> int:
    inside = [i for i, edge in enumerate(edges[:-1]) if edge <= score]
    return inside[-1] if inside else 0
