"""An evaluation as the table that a pack's manifest wants."""

import json
import math
from collections.abc import Iterator

import numpy as np

from agent.domain.sight.error_rates import det_curve
from agent.domain.sight.operating_point import CurvePoint
from agent.domain.sight.resampling import Intervals, fnmr_ends
from agent.errors import RefusedError
from agent.lab.evaluate.faces import Measured

_MANIFEST_FMRS = {1e-2: "1e-2", 1e-3: "1e-3", 1e-4: "1e-4", 1e-5: "1e-5", 1e-6: "1e-6"}
_SCALE = 10_000
"""Four decimals."""
_LEAST_PAIRS_BEHIND_A_POINT = 5
LEAST_IMPOSTOR_PAIRS = round(_LEAST_PAIRS_BEHIND_A_POINT / max(_MANIFEST_FMRS))
"""Fewer make no curve for a manifest."""
_LEAST_PAIRS_MEASURED = 10_000


def manifest_lines(measured: Measured) -> Iterator[str]:
    """The ``[comparison]`` table of a manifest, in TOML, a line at a time.

    A point stands where at least five impostor pairs lie behind it, and an FNMR has its bounds
    beside it where it is known whose the pairs are. Whom the images show is for
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
    yield f"genuine_median = {round(float(np.median(measured.genuine)), 4)}"
    yield "measured_for = []"
    yield f'not_measured_for = ["FMR below {_MANIFEST_FMRS[points[-1].fmr]}"]'
    yield "curve = ["
    known = measured.intervals()
    for threshold, point in reversed(rising.items()):
        fnmr = "" if point.fnmr is None else f", fnmr = {_rounded_up(point.fnmr)}"
        fnmr += _bounds(measured, point, known)
        yield f"  {{ fmr = {_MANIFEST_FMRS[point.fmr]}, threshold = {threshold}{fnmr} }},"
    yield "]"


def _bounds(measured: Measured, point: CurvePoint, known: Intervals | None) -> str:
    if measured.persons is None or known is None or point.fnmr is None:
        return ""
    # Beyond the rates of an evaluation the threshold is taken as given.
    ends = known.fnmr.get(_MANIFEST_FMRS[point.fmr]) or fnmr_ends(
        measured.genuine, measured.persons.genuine, point.threshold
    )
    if ends is None:
        return ""
    low = math.floor(min(ends[0], point.fnmr) * _SCALE) / _SCALE
    return f", fnmr_bounds = [{low}, {_rounded_up(max(ends[1], point.fnmr))}]"


def _rounded_up(value: float) -> float:
    return math.ceil(value * _SCALE) / _SCALE
