"""Times deeds in turns, and sums up what was found."""

import time
from collections.abc import Callable, Mapping

import numpy as np

Timings = dict[str, list[float]]
"""Milliseconds by deed, one a round."""


def measure(deeds: Mapping[str, Callable[[], object]], rounds: int) -> Timings:
    """Milliseconds of each deed, all of them once a round; the first rounds warm up."""
    times: Timings = {name: [] for name in deeds}
    for turn in range(rounds + max(rounds // 10, 3)):
        for name, deed in deeds.items():
            start_s = time.perf_counter()
            deed()
            if turn >= max(rounds // 10, 3):
                times[name].append((time.perf_counter() - start_s) * 1000.0)
    return times


def stage(times: list[float], bare: list[float] | None = None) -> dict[str, float]:
    """Median and 99th percentile, with the bare cost and the ratio to it where there is one."""
    found = {
        "median_ms": round(float(np.median(times)), 4),
        "p99_ms": round(float(np.percentile(times, 99)), 4),
    }
    if bare is not None:
        found["bare_ms"] = round(float(np.median(bare)), 4)
        found["ratio"] = round(float(np.median(times)) / float(np.median(bare)), 4)
    return found
