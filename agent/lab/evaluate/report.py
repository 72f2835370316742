"""An evaluation as a picture, and as the table that a pack's manifest wants.

The picture has the detection error trade-off (ISO/IEC 19795-1: false non-match over false match
rate, both logarithmic) on the left and the scores of both kinds of pair on the right.
"""

import json
import math
from collections.abc import Iterator

import numpy as np

from agent.domain.sight.error_rates import Scores, det_curve
from agent.errors import RefusedError
from agent.lab.evaluate.faces import Measured

_MANIFEST_FMRS = {1e-2: "1e-2", 1e-3: "1e-3", 1e-4: "1e-4", 1e-5: "1e-5", 1e-6: "1e-6"}
_SCALE = 10_000
"""Four decimals."""
_LEAST_PAIRS_BEHIND_A_POINT = 5
LEAST_IMPOSTOR_PAIRS = round(_LEAST_PAIRS_BEHIND_A_POINT / max(_MANIFEST_FMRS))
"""Fewer make no curve for a manifest."""
_LEAST_PAIRS_MEASURED = 10_000
_STEPS_A_DECADE = 10
_LEAST_RATE = 1e-5
_BINS = 50
_WIDTH, _HEIGHT, _EDGE = 340, 300, 44


def manifest_lines(measured: Measured) -> Iterator[str]:
    """The ``[comparison]`` table of a manifest, in TOML, a line at a time.

    A point stands where at least five impostor pairs lie behind it. Whom the images show is for
    whoever knows them to fill in.

    Raises:
        RefusedError: so few pairs make no point.
    """
    pairs = len(measured.impostor)
    rates = [fmr for fmr in _MANIFEST_FMRS if fmr * pairs >= _LEAST_PAIRS_BEHIND_A_POINT]
    points = det_curve(measured.genuine, measured.impostor, rates)
    # Rounded up, never to a looser threshold; two that then are one make one point.
    rising = {_rounded_up(point.threshold): point for point in reversed(points)}
    if not points:
        message = (
            f"{pairs} impostor pairs make no curve: it takes {LEAST_IMPOSTOR_PAIRS},"
            " with faces acquired"
        )
        raise RefusedError("too_few_pairs", message)
    failed = len(measured.failed_to_acquire)
    genuine = len(measured.genuine)
    images = f"{measured.images} images, {genuine} genuine pairs, {failed} failed to acquire"
    yield "[comparison]"
    yield f'metric = "{measured.metric.value}"'
    yield f'basis = "{"measured" if pairs >= _LEAST_PAIRS_MEASURED else "provisional"}"'
    yield f"measured_on = {json.dumps(images)}"
    yield f"impostor_pairs = {pairs}"
    yield "measured_for = []"
    yield f'not_measured_for = ["FMR below {_MANIFEST_FMRS[points[-1].fmr]}"]'
    yield "curve = ["
    for threshold, point in reversed(rising.items()):
        fnmr = "" if point.fnmr is None else f", fnmr = {_rounded_up(point.fnmr)}"
        yield f"  {{ fmr = {_MANIFEST_FMRS[point.fmr]}, threshold = {threshold}{fnmr} }},"
    yield "]"


def plot_lines(measured: Measured) -> Iterator[str]:
    """The picture as SVG, a line at a time; without pairs of both kinds its frames stay empty."""
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {_HEIGHT}"'
    yield ' font-family="sans-serif" font-size="11" fill="none" stroke="black">'
    yield f'<rect width="{2 * _WIDTH}" height="{_HEIGHT}" fill="white" stroke="none"/>'
    yield from _frame(0, "false match rate", "false non-match rate")
    yield from _frame(_WIDTH, "score (higher is more alike)", "share of pairs")
    for exponent in range(6):
        at = 1.0 - exponent / 5
        label = f"1e-{exponent}" if exponent else "1"
        yield _text(*_place(0, at, -0.06), label)
        yield _text(*_place(0, -0.08, at), label)
    decades = round(-np.log10(_LEAST_RATE))
    rates = np.logspace(0, -decades, decades * _STEPS_A_DECADE + 1)
    curve = det_curve(measured.genuine, measured.impostor, [float(rate) for rate in rates])
    trade_off = [(point.fmr, point.fnmr) for point in curve if point.fnmr is not None]
    yield _line([_place(0, _log(fmr), _log(fnmr)) for fmr, fnmr in trade_off], "black")
    kinds = [(measured.impostor, "firebrick", "impostor"), (measured.genuine, "navy", "genuine")]
    found = [scores[np.isfinite(scores)] for scores, *_ in kinds]
    if not all(len(scores) for scores in found):
        yield "</svg>"
        return
    low, high = (float(pick(np.concatenate(found))) for pick in (np.min, np.max))
    shares = [_histogram(scores, low, high) for scores in found]
    tallest = max(float(share.max()) for share in shares)
    for row, ((_, colour, name), share) in enumerate(zip(kinds, shares, strict=True)):
        steps = [
            _place(_WIDTH, (i + side) / _BINS, float(value) / tallest)
            for i, value in enumerate(share)
            for side in (0, 1)
        ]
        yield _line(steps, colour)
        yield _text(*_place(_WIDTH, 0.12, 0.95 - 0.06 * row), name, colour)
    yield _text(*_place(_WIDTH, 0.0, -0.06), f"{low:.2f}")
    yield _text(*_place(_WIDTH, 1.0, -0.06), f"{high:.2f}")
    yield "</svg>"


def _rounded_up(value: float) -> float:
    return math.ceil(value * _SCALE) / _SCALE


def _log(rate: float) -> float:
    """Where a rate stands on an axis, 0 to 1; a rate below the least, or 0, at its foot."""
    return float(1.0 - np.log10(max(rate, _LEAST_RATE)) / np.log10(_LEAST_RATE))


def _histogram(scores: Scores, low: float, high: float) -> Scores:
    counts, _ = np.histogram(scores, bins=_BINS, range=(low, max(high, low + 1e-9)))
    return np.asarray(counts / len(scores))


def _place(left: int, x: float, y: float) -> tuple[float, float]:
    """Of a point of a frame, both coordinates from 0 to 1, the place in the picture."""
    across, down = _WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE
    return left + _EDGE + x * across, _HEIGHT - _EDGE - y * down


def _frame(left: int, below: str, above: str) -> Iterator[str]:
    corners = [_place(left, x, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
    yield _line(corners, "grey")
    yield _text(*_place(left, 0.5, -0.15), below)
    yield _text(*_place(left, 0.5, 1.05), above)


def _line(points: list[tuple[float, float]], colour: str) -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, colour: str = "black") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="middle"'
    return f'<text {place} fill="{colour}" stroke="none">{text}</text>'
