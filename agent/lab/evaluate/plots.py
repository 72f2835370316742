"""An evaluation as a picture: PNG or SVG, by the file's suffix.

The detection error trade-off (ISO/IEC 19795-1: false non-match over false match rate, both
logarithmic) on the left, the scores of both kinds of pair on the right; several packs share the
left. A point is drawn where the pairs carry its FMR, and nothing beyond.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.sight.error_rates import FMRS, det_curve
from agent.errors import RefusedError
from agent.lab.evaluate.faces import Measured
from agent.operations.pictures import SUFFIXES, is_picture, need_matplotlib, save

_LEAST_RATE = 1e-6
_STEPS_A_DECADE = 10
_BINS = 60


def check_plot(file: Path) -> None:
    """Say before the long work that no picture can be drawn there.

    Raises:
        RefusedError: it is neither PNG nor SVG by its suffix.
        UnavailableError: matplotlib is not installed.
    """
    if not is_picture(file):
        raise RefusedError("suffix", f"{file} is drawn as {' or '.join(SUFFIXES)}: name one")
    need_matplotlib()


def draw(measured: Sequence[Measured], file: Path) -> None:
    """Write the picture of one pack's evaluation, or of several on the same photographs."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import

    figure = Figure(figsize=(11.0, 4.5), layout="constrained")
    trade_off, scores = figure.subplots(1, 2)
    for one in measured:
        _trade_off(trade_off, one)
    trade_off.set(
        xscale="log", yscale="log", xlabel="false match rate", ylabel="false non-match rate"
    )
    trade_off.set_title("detection error trade-off")
    trade_off.grid(visible=True, which="major", alpha=0.3)
    if len(trade_off.lines):
        trade_off.legend()
    _scores(scores, measured[0])
    save(figure, file)


def _trade_off(axes: Any, measured: Measured) -> None:
    decades = round(-np.log10(_LEAST_RATE))
    rates = np.logspace(0, -decades, decades * _STEPS_A_DECADE + 1)[1:]
    curve = det_curve(measured.genuine, measured.impostor, [float(rate) for rate in rates])
    # A rate of nothing has no place on a logarithmic axis: it stands where one pair would.
    least = 1.0 / max(len(measured.genuine), 1)
    points = [(point.fmr, max(point.fnmr, least)) for point in curve if point.fnmr is not None]
    if points:
        axes.plot(*zip(*points, strict=True), label=measured.pack)
    found = measured.intervals()
    for name, ends in (found.fnmr if found is not None else {}).items():
        if ends is not None:
            low, high = (max(end, least) for end in ends)
            axes.vlines(FMRS[name], low, high, color="grey", linewidth=3, alpha=0.5)


def _scores(axes: Any, measured: Measured) -> None:
    kinds = [(measured.impostor, "impostor", "firebrick"), (measured.genuine, "genuine", "navy")]
    finite = [(scores[np.isfinite(scores)], name, colour) for scores, name, colour in kinds]
    everything = np.concatenate([scores for scores, *_ in finite])
    if len(everything):
        edges = np.histogram_bin_edges(everything, bins=_BINS)
        for scores, name, colour in finite:
            if len(scores):
                shares = np.full(len(scores), 1.0 / len(scores))
                axes.hist(scores, edges, weights=shares, alpha=0.6, color=colour, label=name)
        axes.legend()
    axes.set(xlabel="score (higher is more alike)", ylabel="share of pairs", yscale="log")
    axes.set_title(f"scores, {measured.pack}")
