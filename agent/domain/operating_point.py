"""The threshold that a gallery's size asks for.

A stranger's attempt is compared with every holder, so at a comparison's FMR f the chance that some
holder fits is about f x N. Keeping that within ``max_false_grant_rate`` makes the threshold follow
the gallery: f = rate / N, read off the pack's measured curve.

Between two measured points the threshold is linear in log10 f. Beyond the last, nothing was
measured: a tail is fitted and the result is marked. Far out, impostor scores of embeddings thin at
least as fast as a normal distribution, so the threshold goes on linearly in the normal quantile
z(1 - f), with the steepest slope between any two neighbouring points: the few pairs behind the
last point may have drawn a flat one. What no tail foresees is a second population (siblings, a
group that the network separates badly): that is what the reach and the gallery's own check are for.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

REACH_DECADES = 3.0
"""How far below the last measured FMR the tail is believed at all."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """At this threshold the share ``fmr`` of impostor scores is accepted."""

    fmr: float
    threshold: float
    fnmr: float | None = None


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """A pack's measured curve, by falling FMR and rising threshold."""

    points: tuple[CurvePoint, ...]
    impostor_pairs: int = 0

    def __post_init__(self) -> None:
        """Refuse a curve that is none.

        Raises:
            ValueError: no point, a rate outside (0, 1), or an order that is not strict.
        """
        if not self.points or not all(0.0 < point.fmr < 1.0 for point in self.points):
            raise ValueError("a curve has points, each with an FMR between 0 and 1")
        for looser, stricter in pairwise(self.points):
            if not (looser.fmr > stricter.fmr and looser.threshold < stricter.threshold):
                raise ValueError("a curve falls in FMR and rises in threshold")


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The threshold in force. Not ``sufficient``: no threshold is strict enough to rely on."""

    threshold: float
    fmr: float
    extrapolated: bool
    sufficient: bool


def operating_point(
    curve: ThresholdCurve, holders: int, max_false_grant_rate: float = 0.01
) -> OperatingPoint:
    """The threshold at which FMR x ``holders`` stays within ``max_false_grant_rate``.

    Never looser than the curve's first point, however small the gallery. Past the tail's reach the
    strictest threshold within it is returned, marked as not sufficient: the face alone is then not
    enough.

    Raises:
        ValueError: the rate is not between 0 and 1.
    """
    if not 0.0 < max_false_grant_rate < 1.0:
        raise ValueError("max_false_grant_rate lies between 0 and 1")
    wanted = max_false_grant_rate / max(holders, 1)
    last = curve.points[-1].fmr
    furthest = last * 10.0**-REACH_DECADES if len(curve.points) > 1 else last
    fmr = min(max(wanted, furthest), curve.points[0].fmr)
    sufficient = wanted >= furthest * (1.0 - 1e-9)
    return OperatingPoint(_threshold(curve, fmr), fmr, fmr < last, sufficient)


def threshold_at(curve: ThresholdCurve, fmr: float) -> float:
    """The curve's threshold at ``fmr``, by interpolation or the tail, whatever its reach."""
    return _threshold(curve, min(fmr, curve.points[0].fmr))


def _threshold(curve: ThresholdCurve, fmr: float) -> float:
    points = curve.points
    for looser, stricter in pairwise(points):
        if fmr >= stricter.fmr:
            share = math.log(looser.fmr / fmr) / math.log(looser.fmr / stricter.fmr)
            return looser.threshold + share * (stricter.threshold - looser.threshold)
    beyond = _quantile(fmr) - _quantile(points[-1].fmr)
    return points[-1].threshold + max(beyond, 0.0) * _steepest(curve)


def _steepest(curve: ThresholdCurve) -> float:
    """Threshold a unit of normal quantile, the largest measured; 0 for a curve of one point."""
    slopes = [
        (b.threshold - a.threshold) / (_quantile(b.fmr) - _quantile(a.fmr))
        for a, b in pairwise(curve.points)
    ]
    return max(slopes, default=0.0)


def _quantile(fmr: float) -> float:
    # By symmetry, because 1 - fmr would round the far tail away.
    return -NormalDist().inv_cdf(fmr)
