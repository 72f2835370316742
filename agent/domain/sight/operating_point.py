"""The threshold that a gallery's size asks for.

A stranger's attempt is compared with every reference, so at a comparison's FMR f the chance that
some reference fits is at most f x N. Keeping that within ``max_false_grant_rate`` makes the
threshold follow the comparisons: f = rate / N, read off the pack's measured curve. Several
references of one holder are alike, so the true chance is somewhat smaller; how much smaller nobody
has measured for the gallery at hand, and the bound needs no such knowledge.

Between two measured points the threshold is linear in log10 f. Beyond the last, nothing was
measured: a tail is fitted and the result is marked. Two tails are drawn and the stricter one holds:

- Exponential: linear in log10 f, with the slope between the last two points. Excesses over a high
  threshold follow a generalised Pareto distribution (J. Pickands, "Statistical inference using
  extreme order statistics", Annals of Statistics 3, 1975). A score has an upper end (distance 0,
  cosine 1), so its shape is at most 0, and 0, the exponential, is the heaviest tail it may have.
- Normal: linear in the normal quantile z(1 - f), with the steepest slope between any two
  neighbours. Impostor scores of embeddings are near normal, and the few pairs behind the last
  point may have drawn a flat slope.

What no tail foresees is a second population (siblings, a group that the network separates badly):
that is what the reach and the gallery's own check are for.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

REACH_DECADES = 3.0
"""How far below the last measured FMR the tail is believed at all."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """At this threshold the share ``fmr`` of impostor scores is accepted."""

    fmr: float
    threshold: float
    fnmr: float | None = None


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """A pack's measured curve, by falling FMR and rising threshold.

    ``impostor_pairs`` is how many comparisons it was measured on, 0 where nobody says: P pairs
    cannot show an FMR below 1 / P, and points that claim one count as extrapolated. Where several
    curves were put together ``measured_to`` and ``believed_to`` say instead down to which FMR it
    was measured, and down to which it is believed; ``measured_to`` may lie above all points.
    """

    points: tuple[CurvePoint, ...]
    impostor_pairs: int = 0
    measured_to: float | None = None
    believed_to: float | None = None

    def __post_init__(self) -> None:
        """Refuse a curve that is none.

        Raises:
            ValueError: no point, a rate outside (0, 1), a threshold that is no finite number, or
                an order that is not strict.
        """
        if not self.points or not all(0.0 < point.fmr < 1.0 for point in self.points):
            raise ValueError("a curve has points, each with an FMR between 0 and 1")
        if not all(math.isfinite(point.threshold) for point in self.points):
            raise ValueError("a curve's thresholds are finite numbers")
        for looser, stricter in pairwise(self.points):
            if not (looser.fmr > stricter.fmr and looser.threshold < stricter.threshold):
                raise ValueError("a curve falls in FMR and rises in threshold")

    @property
    def last_measured_fmr(self) -> float:
        """The least FMR that the measurement behind the curve can show."""
        if self.measured_to is not None:
            return self.measured_to
        last, first = self.points[-1].fmr, self.points[0].fmr
        shown = 1.0 / self.impostor_pairs if self.impostor_pairs > 0 else last
        return min(max(last, shown), first)

    @property
    def furthest_fmr(self) -> float:
        """The least FMR for which a threshold can be told; a lone point has no tail."""
        if self.believed_to is not None:
            return self.believed_to
        last = self.last_measured_fmr
        return last * 10.0**-REACH_DECADES if len(self.points) > 1 else last

    @property
    def loosest_fmr(self) -> float:
        """The FMR of the first point: no threshold is looser, however few references there are."""
        return self.points[0].fmr


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The threshold in force. Not ``sufficient``: no threshold is strict enough to rely on."""

    threshold: float
    fmr: float
    extrapolated: bool
    sufficient: bool


def operating_point(
    curve: ThresholdCurve, comparisons: int, max_false_grant_rate: float = 0.01
) -> OperatingPoint:
    """The threshold at which FMR x ``comparisons`` stays within ``max_false_grant_rate``.

    ``comparisons`` are the references that one probe meets: all of a gallery's in a search, one
    holder's against a claim. Never looser than the curve's first point, however few they are. Past
    the tail's reach (``REACH_DECADES`` below what was measured; a curve of one point has no slope
    and no tail) the strictest threshold within it is returned, marked as not sufficient: the face
    alone is then not enough.

    Raises:
        ValueError: the rate is not between 0 and 1.
    """
    if not 0.0 < max_false_grant_rate < 1.0:
        raise ValueError("max_false_grant_rate lies between 0 and 1")
    wanted = max_false_grant_rate / max(comparisons, 1)
    last, furthest = curve.last_measured_fmr, curve.furthest_fmr
    fmr = min(max(wanted, furthest), curve.points[0].fmr)
    sufficient = wanted >= furthest * (1.0 - _ROUNDING)
    extrapolated = fmr < last * (1.0 - _ROUNDING)
    return OperatingPoint(_threshold(curve, fmr), fmr, extrapolated, sufficient)


def threshold_at(curve: ThresholdCurve, fmr: float) -> float:
    """The curve's threshold at ``fmr``, by interpolation or the tail, whatever its reach."""
    return _threshold(curve, min(fmr, curve.points[0].fmr))


def _threshold(curve: ThresholdCurve, fmr: float) -> float:
    points = curve.points
    for looser, stricter in pairwise(points):
        if fmr >= stricter.fmr:
            share = math.log(looser.fmr / fmr) / math.log(looser.fmr / stricter.fmr)
            return looser.threshold + share * (stricter.threshold - looser.threshold)
    last = points[-1]
    if len(points) == 1:
        return last.threshold
    before = points[-2]
    slope = (last.threshold - before.threshold) / math.log(before.fmr / last.fmr)
    exponential = slope * math.log(last.fmr / fmr)
    normal = _steepest(curve) * (_quantile(fmr) - _quantile(last.fmr))
    return last.threshold + max(exponential, normal, 0.0)


def _steepest(curve: ThresholdCurve) -> float:
    """Threshold a unit of normal quantile, the largest measured."""
    return max(
        (b.threshold - a.threshold) / (_quantile(b.fmr) - _quantile(a.fmr))
        for a, b in pairwise(curve.points)
    )


def _quantile(fmr: float) -> float:
    # By symmetry, because 1 - fmr would round the far tail away.
    return -NormalDist().inv_cdf(fmr)
