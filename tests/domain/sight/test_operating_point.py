"""The threshold follows the gallery: interpolated, extrapolated, or not enough."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.operating_point import (
    REACH_DECADES,
    CurvePoint,
    OperatingPoint,
    ThresholdCurve,
    operating_point,
    threshold_at,
)

DLIB = ThresholdCurve(
    (
        CurvePoint(1e-2, -0.570, 0.003),
        CurvePoint(1e-3, -0.507, 0.013),
        CurvePoint(1e-4, -0.473, 0.023),
    ),
    impostor_pairs=77_000,
)
LONE = ThresholdCurve((CurvePoint(6e-3, 0.363),), impostor_pairs=3000)


@pytest.mark.parametrize(
    ("holders", "threshold", "fmr", "extrapolated"),
    [
        (0, -0.570, 1e-2, False),
        (1, -0.570, 1e-2, False),
        (10, -0.507, 1e-3, False),
        (100, -0.473, 1e-4, False),
    ],
)
def test_within_the_curve_it_is_read_off(
    holders: int, threshold: float, fmr: float, *, extrapolated: bool
) -> None:
    point = operating_point(DLIB, holders)
    assert point.threshold == pytest.approx(threshold)
    assert point.fmr == pytest.approx(fmr)
    assert (point.extrapolated, point.sufficient) == (extrapolated, True)


def test_between_two_points_it_is_linear_in_log_fmr() -> None:
    assert threshold_at(DLIB, 10**-2.5) == pytest.approx((-0.570 - 0.507) / 2)


def test_a_small_gallery_gets_nothing_looser_than_the_first_point() -> None:
    assert operating_point(DLIB, 1, 0.5) == OperatingPoint(-0.570, 1e-2, False, True)
    assert threshold_at(DLIB, 0.5) == -0.570


def test_past_the_measured_part_it_is_marked() -> None:
    point = operating_point(DLIB, 101)
    assert (point.extrapolated, point.sufficient) == (True, True)
    assert point.threshold > -0.473


def test_past_the_reach_the_face_alone_is_not_enough() -> None:
    within, beyond = operating_point(DLIB, 100_000), operating_point(DLIB, 100_001)
    assert (within.sufficient, beyond.sufficient) == (True, False)
    # The strictest threshold there is, and still marked.
    assert beyond.threshold == pytest.approx(within.threshold)
    assert beyond.extrapolated
    assert beyond.fmr == pytest.approx(1e-4 * 10**-REACH_DECADES)


@pytest.mark.parametrize(("holders", "sufficient"), [(0, True), (1, True), (2, False)])
def test_a_curve_of_one_point_has_no_tail(holders: int, *, sufficient: bool) -> None:
    point = operating_point(LONE, holders, 6e-3)
    assert point == OperatingPoint(0.363, 6e-3, False, sufficient)


def test_points_that_so_few_pairs_cannot_show_count_as_extrapolated() -> None:
    curve = ThresholdCurve(
        (CurvePoint(1e-2, 0.24), CurvePoint(1e-3, 0.32), CurvePoint(1e-4, 0.38)), impostor_pairs=133
    )
    assert curve.last_measured_fmr == pytest.approx(1 / 133)
    assert not operating_point(curve, 1).extrapolated
    claimed = operating_point(curve, 10)
    assert claimed.threshold == pytest.approx(0.32)
    assert (claimed.extrapolated, claimed.sufficient) == (True, True)
    assert operating_point(curve, 1329).sufficient
    assert not operating_point(curve, 1331).sufficient


def test_the_tail_covers_an_exponential_and_a_normal_one() -> None:
    rates = (1e-2, 1e-3, 1e-4)
    exponential = ThresholdCurve(tuple(CurvePoint(f, -math.log10(f) / 10) for f in rates))
    assert threshold_at(exponential, 1e-6) >= 0.6 - 1e-12
    # The quantiles of the standard normal distribution, from a table.
    normal = ThresholdCurve(
        tuple(CurvePoint(f, z) for f, z in zip(rates, (2.3263, 3.0902, 3.7190), strict=True))
    )
    assert threshold_at(normal, 1e-6) >= 4.7534


def test_a_flat_last_step_does_not_flatten_the_tail() -> None:
    flat = ThresholdCurve(
        (CurvePoint(1e-2, 0.2), CurvePoint(1e-3, 0.3), CurvePoint(1e-4, 0.3001)), 77_000
    )
    assert threshold_at(flat, 1e-6) > 0.4


@pytest.mark.parametrize(
    "points",
    [
        (),
        (CurvePoint(0.0, 0.1),),
        (CurvePoint(1.0, 0.1),),
        (CurvePoint(math.nan, 0.1),),
        (CurvePoint(1e-2, math.nan),),
        (CurvePoint(1e-2, math.inf),),
        (CurvePoint(1e-2, 0.1), CurvePoint(1e-2, 0.2)),
        (CurvePoint(1e-3, 0.1), CurvePoint(1e-2, 0.2)),
        (CurvePoint(1e-2, 0.1), CurvePoint(1e-3, 0.1)),
        (CurvePoint(1e-2, 0.2), CurvePoint(1e-3, 0.1)),
    ],
)
def test_a_curve_that_is_none_is_refused(points: tuple[CurvePoint, ...]) -> None:
    with pytest.raises(ValueError, match="curve"):
        ThresholdCurve(points)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, math.nan])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="max_false_grant_rate"):
        operating_point(DLIB, 10, rate)


@st.composite
def curves(draw: st.DrawFn) -> ThresholdCurve:
    count = draw(st.integers(2, 6))
    exponents = np.cumsum(draw(st.lists(st.floats(0.2, 2.0), min_size=count, max_size=count)))
    steps = draw(st.lists(st.floats(1e-4, 0.3), min_size=count, max_size=count))
    start = draw(st.floats(-1.5, 0.5))
    thresholds = start + np.cumsum(steps)
    return ThresholdCurve(
        tuple(
            CurvePoint(float(10.0**-e), float(t))
            for e, t in zip(exponents, thresholds, strict=True)
        ),
        draw(st.sampled_from([0, 50, 10_000])),
    )


@given(
    curve=curves(),
    rate=st.floats(1e-4, 0.5),
    sizes=st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
)
def test_a_larger_gallery_never_gets_a_looser_threshold(
    curve: ThresholdCurve, rate: float, sizes: tuple[int, int]
) -> None:
    small, large = (operating_point(curve, size, rate) for size in sorted(sizes))
    assert curve.points[0].threshold <= small.threshold <= large.threshold + 1e-12
    assert small.fmr >= large.fmr
    assert small.sufficient >= large.sufficient
    assert small.extrapolated <= large.extrapolated
    for size, point in zip(sorted(sizes), (small, large), strict=True):
        assert point.fmr * size <= rate * (1 + 1e-6) or not point.sufficient


@given(curve=curves(), beyond=st.floats(0.0, 6.0))
def test_the_tail_is_never_below_the_curve_carried_on(curve: ThresholdCurve, beyond: float) -> None:
    before, last = curve.points[-2:]
    slope = (last.threshold - before.threshold) / math.log10(before.fmr / last.fmr)
    carried_on = last.threshold + slope * beyond
    assert threshold_at(curve, last.fmr * 10.0**-beyond) >= carried_on - 1e-9
