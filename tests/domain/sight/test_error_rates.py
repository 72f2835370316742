"""Error rates beside definitions written out as loops, ties and failures to acquire included."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.domain.sight.error_rates import (
    Scores,
    area_under_curve,
    best_accuracy,
    carries,
    det_curve,
    error_rates,
    fnmr_at,
    pairs_needed,
    threshold_at,
)

FAILED = -math.inf
# Few values, so that ties are the rule; and neighbours without a number between them.
VALUES = st.sampled_from(
    [FAILED, -1.0, -0.5, -0.25, 0.0, math.nextafter(0.0, 1), 0.5, math.nextafter(0.5, 1), 1.0]
)
SCORES = st.lists(VALUES, max_size=30)


def scores(*values: float) -> Scores:
    return np.array(values, dtype=np.float64)


def share_at_or_above(impostor: list[float], threshold: float) -> float:
    return sum(value >= threshold for value in impostor) / len(impostor)


@pytest.mark.parametrize(
    ("impostor", "fmr", "threshold"),
    [
        # One of a hundred may stay: the threshold is just above the second highest.
        ([i / 100 for i in range(100)], 1e-2, math.nextafter(0.98, 1)),
        # One of ninety-nine is more than a hundredth.
        ([i / 100 for i in range(99)], 1e-2, math.nextafter(0.98, 1)),
        ([i / 1000 for i in range(1000)], 1e-2, math.nextafter(0.989, 1)),
        # A tie at the top goes as a whole.
        ([0.1] * 198 + [0.9, 0.9, 0.9], 1e-2, math.nextafter(0.9, 1)),
        ([0.1] * 198 + [0.9, 0.9], 1e-2, math.nextafter(0.1, 1)),
        # Failures count in the share.
        ([FAILED] * 99 + [0.3], 1e-2, 0.3),
        ([FAILED] * 98 + [0.2, 0.3], 1e-2, math.nextafter(0.2, 1)),
        ([0.3], 1e-4, math.nextafter(0.3, 1)),
        ([FAILED], 1e-2, None),
        ([], 1e-2, None),
    ],
)
def test_the_threshold_at_an_fmr(
    impostor: list[float], fmr: float, threshold: float | None
) -> None:
    assert threshold_at(scores(*impostor), fmr) == threshold


@given(
    impostor=st.lists(VALUES, min_size=1, max_size=60),
    fmr=st.one_of(st.sampled_from([1e-4, 1e-2, 0.1, 1 / 3, 0.3, 0.5]), st.floats(1e-6, 0.99)),
)
def test_the_threshold_is_the_least_that_keeps_the_share(impostor: list[float], fmr: float) -> None:
    threshold = threshold_at(scores(*impostor), fmr)
    if threshold is None:
        assert set(impostor) == {FAILED}
        return
    assert share_at_or_above(impostor, threshold) <= fmr
    below = math.nextafter(threshold, -math.inf)
    lowest = min(value for value in impostor if value > FAILED)
    assert share_at_or_above(impostor, below) > fmr or threshold == lowest


@pytest.mark.parametrize("total", [3, 7, 10, 49, 100, 1_000, 10_000, 79_800])
def test_the_allowed_share_is_counted_without_rounding(total: int) -> None:
    impostor = np.arange(float(total))
    for allowed in {0, 1, total // 3, total - 1}:
        threshold = threshold_at(impostor, allowed / total) if allowed else None
        if threshold is not None:
            assert int((impostor >= threshold).sum()) == allowed


@given(genuine=SCORES, impostor=SCORES)
def test_the_area_is_that_of_every_pair_of_scores(
    genuine: list[float], impostor: list[float]
) -> None:
    area = area_under_curve(scores(*genuine), scores(*impostor))
    if not genuine or not impostor:
        assert area is None
        return
    wins = [(g > i) + 0.5 * (g == i) for g in genuine for i in impostor]
    assert area == pytest.approx(sum(wins) / len(wins))


@given(genuine=SCORES, impostor=SCORES)
def test_the_accuracy_is_the_best_there_is_and_its_threshold_reaches_it(
    genuine: list[float], impostor: list[float]
) -> None:
    assume(genuine and impostor)

    def accuracy_at(threshold: float) -> float:
        right = sum(value >= threshold for value in genuine)
        right += sum(value < threshold for value in impostor)
        return right / (len(genuine) + len(impostor))

    accuracy, threshold = best_accuracy(scores(*genuine), scores(*impostor))
    acquired = {value for value in genuine + impostor if value > FAILED}
    tried = [*acquired, *(math.nextafter(value, math.inf) for value in acquired), math.inf]
    assert accuracy == pytest.approx(max(accuracy_at(value) for value in tried))
    if threshold is None:
        assert not acquired
    else:
        assert math.isfinite(threshold)
        assert accuracy_at(threshold) == pytest.approx(accuracy)


@pytest.mark.parametrize(("genuine", "impostor"), [([], []), ([0.8], []), ([], [0.1, 0.2])])
def test_pairs_of_one_kind_have_no_accuracy(genuine: list[float], impostor: list[float]) -> None:
    """Where every answer is the same, all are right by any threshold beyond the scores."""
    assert best_accuracy(scores(*genuine), scores(*impostor)) == (None, None)


def test_a_failure_to_acquire_is_a_miss_or_a_right_refusal_in_every_figure() -> None:
    impostor = scores(*[-1.0] * 298, FAILED, FAILED)
    rates = error_rates(scores(-0.1, -0.1, FAILED, FAILED), impostor)
    assert (rates.genuine, rates.impostor) == (4, 300)
    # So few pairs carry no FMR below a hundredth.
    assert rates.fnmr == {"1e-2": 0.5, "1e-3": None, "1e-4": None}
    assert [name for name, value in rates.threshold.items() if value is None] == ["1e-3", "1e-4"]
    assert rates.accuracy == 302 / 304
    # Two of four genuine scores beat all; the failed two lose to 298 and tie with 2.
    assert rates.auc == pytest.approx((600 + 2 * 0.5 * 2) / 1200)


@pytest.mark.parametrize(
    ("fmr", "needed"), [(1e-2, 300), (1e-3, 3_000), (1e-4, 30_000), (0.5, 6), (1.0, 3)]
)
def test_three_expected_pairs_carry_a_rate(fmr: float, needed: int) -> None:
    assert pairs_needed(fmr) == needed
    assert carries(needed, fmr)
    assert not carries(needed - 1, fmr)


def test_what_there_are_no_pairs_for_is_none() -> None:
    rates = error_rates(scores(), scores())
    assert (rates.auc, rates.accuracy, rates.accuracy_threshold) == (None, None, None)
    assert set(rates.fnmr.values()) == set(rates.threshold.values()) == {None}
    assert fnmr_at(scores(), 0.5) is None
    only_genuine = error_rates(scores(0.5), scores())
    assert (only_genuine.auc, only_genuine.accuracy) == (None, None)
    assert only_genuine.fnmr["1e-2"] is None


def test_the_curve_holds_what_so_many_pairs_can_show() -> None:
    impostor = np.linspace(-1.0, 0.0, 30_000)
    curve = det_curve(scores(-0.05, 0.5), impostor, [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
    assert [point.fmr for point in curve] == [1e-1, 1e-2, 1e-3, 1e-4]
    assert [point.fnmr for point in curve] == [0.0, 0.5, 0.5, 0.5]
    thresholds = [point.threshold for point in curve]
    assert thresholds == sorted(set(thresholds))
    assert thresholds == [threshold_at(impostor, point.fmr) for point in curve]
    # A tie as large as two rates makes one point of them.
    assert len(det_curve(scores(0.5), scores(*[0.0] * 5000, *[1.0] * 5000), [0.4, 0.2])) == 1
    assert det_curve(scores(0.5), scores(), [0.1]) == ()
