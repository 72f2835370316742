"""The strictest of pack, people and prior: who decides, no cliff, a dead band, a ceiling."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from community_parts import gallery, people
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.impostor_bound import RATES, Fit, SiteBound, site_bound
from agent.domain.sight.operating_point import (
    CurvePoint,
    ThresholdCurve,
    operating_point,
    threshold_at,
)
from agent.domain.sight.thresholds import Group, Source, pairs_of, settled, thresholds

PACK = ThresholdCurve((CurvePoint(1e-3, 0.385, 0.009), CurvePoint(1e-4, 0.44, 0.014)), 78_000)
WORST = Group("others", ThresholdCurve((CurvePoint(1e-3, 0.562), CurvePoint(1e-4, 0.60)), 15_000))


def said(bound: float, credibility: float, slope: float = 0.04) -> SiteBound:
    """A bound that is ``bound`` at FMR 1e-3, and by ``slope`` a decade higher."""
    curve = tuple(bound + slope * (-np.log10(rate) - 3.0) for rate in RATES)
    low = tuple(one - 0.05 for one in curve)
    fit = Fit(0.2, 0.1, "holds", ())
    return SiteBound(20, 20, 190, 0, fit, credibility, 1e-2, low, (0.04,) * len(RATES), curve)


def at(site: SiteBound | None, fmr: float = 1e-3) -> tuple[float, Source]:
    known = thresholds(PACK, (WORST,), site)
    told = known.told(fmr)
    assert threshold_at(known.curve, fmr) == pytest.approx(told.threshold, abs=1e-6)
    return told.threshold, told.decided_by


@pytest.mark.parametrize(
    ("site", "threshold", "source"),
    [
        (None, 0.562, Source.PRIOR),
        (said(0.30, 0.9), 0.385, Source.PACK),
        (said(0.50, 0.1), 0.50, Source.SITE),
        (said(0.662, 0.9), 0.652, Source.SITE),
        (said(0.762, 0.25), 0.612, Source.PRIOR),
        (said(0.762, 0.0), 0.562, Source.PRIOR),
    ],
)
def test_the_strictest_of_what_can_be_believed(
    site: SiteBound | None, threshold: float, source: Source
) -> None:
    found, decided_by = at(site)
    assert found == pytest.approx(threshold, abs=1e-9)
    assert decided_by is source


def test_a_pack_without_groups_and_people_is_its_own_curve() -> None:
    assert thresholds(PACK, (), None).curve is PACK
    known = thresholds(PACK, (), said(0.5, 0.8))
    assert known.told(1e-3).threshold == pytest.approx(0.385 + 0.8 * 0.115)
    assert known.told(1e-3).prior is None


def test_it_is_marked_where_the_fit_goes_on_beyond_the_data() -> None:
    assert not operating_point(thresholds(PACK, (), said(0.2, 0.9)).curve, 100).extrapolated
    assert operating_point(thresholds(PACK, (), said(0.6, 0.9)).curve, 10).extrapolated
    assert operating_point(thresholds(PACK, (WORST,), None).curve, 1_000).extrapolated


@given(
    bound=st.floats(0.1, 1.2),
    credibility=st.floats(0.0, 1.0),
    slope=st.floats(1e-6, 0.2),
    step=st.floats(0.0, 1e-3),
)
def test_it_rises_as_the_rate_falls_and_nothing_jumps(
    bound: float, credibility: float, slope: float, step: float
) -> None:
    known = thresholds(PACK, (WORST,), said(bound, credibility, slope))
    curve = known.curve.points
    assert all(a.threshold < b.threshold for a, b in pairwise(curve))
    assert all(p.threshold >= threshold_at(PACK, p.fmr) - 1e-9 for p in curve)
    near = thresholds(PACK, (WORST,), said(bound + step, min(credibility + step, 1.0), slope))
    for rate in (1e-3, 1e-4, 1e-6):
        before, after = (threshold_at(one.curve, rate) for one in (known, near))
        assert abs(after - before) <= 5.0 * step + 1e-6


@pytest.mark.parametrize("kind", ["normal", "mixed"])
def test_one_more_person_moves_it_a_little(kind: str) -> None:
    rows = people(np.random.default_rng(12), 70, kind)
    before = None
    for count in range(1, 70):
        curve = thresholds(PACK, (WORST,), site_bound(gallery(rows[:count]))).curve
        threshold = operating_point(curve, count).threshold
        if before is not None and count > 10:
            assert abs(threshold - before) < 0.05
        before = threshold


def test_different_people_of_a_community_can_be_enrolled_one_by_one() -> None:
    random = np.random.default_rng(13)
    refused = 0
    for _ in range(20):
        rows = people(random, 18, "normal", shared=0.3)
        for count in range(1, 18):
            index = gallery(rows[:count])
            curve = thresholds(PACK, (WORST,), site_bound(index)).curve
            bar = operating_point(curve, pairs_of(count + 1)).threshold
            refused += float((rows[:count] @ rows[count]).max()) >= bar
    assert refused <= 4  # of 340


def test_it_rises_at_once_and_falls_with_a_dead_band() -> None:
    fresh = said(0.6, 0.9)
    assert settled(fresh, None) is fresh
    assert settled(fresh, (0.5,)) is fresh  # of another version, and no bound of these rates
    higher = tuple(one + 0.019 for one in fresh.bound)
    assert settled(fresh, higher).bound == higher
    assert settled(fresh, tuple(one + 0.021 for one in fresh.bound)).bound == fresh.bound
    assert settled(fresh, tuple(one - 0.3 for one in fresh.bound)).bound == fresh.bound
    # A start by the same people goes on with it.
    again = settled(fresh, settled(fresh, higher).bound)
    assert again.bound == higher


def test_who_comes_and_goes_moves_nothing_back_and_forth() -> None:
    rows = people(np.random.default_rng(14), 40, "normal")
    stands, seen = None, []
    for turn in range(8):
        fresh = site_bound(gallery(rows[: 40 - turn % 2]))
        assert fresh is not None
        stands = settled(fresh, stands).bound
        assert all(a >= b for a, b in zip(stands, fresh.bound, strict=True))
        seen.append(stands)
    assert len(set(seen[1:])) == 1


def test_where_holders_no_longer_reach_it_the_face_alone_is_not_enough() -> None:
    genuine = ThresholdCurve(
        (CurvePoint(1e-2, 0.3), CurvePoint(1e-3, 0.4), CurvePoint(1e-4, 0.5)), 78_000
    )
    easy, hard = (thresholds(genuine, (), said(score, 1.0, 0.08), 0.78) for score in (0.3, 0.6))
    assert easy.ceiling == hard.ceiling == 0.78
    assert genuine.furthest_fmr <= easy.curve.furthest_fmr < 2e-7
    most = hard.references_served(0.01)
    assert 100 < most < easy.references_served(0.01)
    assert operating_point(hard.curve, int(most)).sufficient
    assert not operating_point(hard.curve, int(most) + 1).sufficient


def test_a_mix_up_is_held_to_the_estimate_and_no_bound() -> None:
    assert thresholds(PACK, (WORST,), None).same_person() == pytest.approx(0.385)
    site = replace(said(0.7, 0.5), fitted=tuple(0.485 for _ in RATES))
    rising = replace(site, fitted=tuple(0.485 + 1e-9 * step for step in range(len(RATES))))
    assert thresholds(PACK, (WORST,), rising).same_person() == pytest.approx(0.435, abs=1e-6)


def test_no_score_is_above_that_of_a_template_with_itself() -> None:
    alike = thresholds(PACK, (), said(0.95, 1.0, 0.05), ceiling=1.0)
    assert alike.references_served(0.01) == pytest.approx(100, rel=0.01)
    assert thresholds(ThresholdCurve((CurvePoint(1e-3, 0.4),)), (), None, 1.0).ceiling == 1.0


def test_where_no_threshold_is_within_reach_the_face_alone_serves_nobody() -> None:
    """Two pairs of the same face among five people: their scores say nothing of strangers'."""
    found = thresholds(PACK, (), said(1.5, 1.0, 0.05), ceiling=1.0)
    assert found.curve.points[0].threshold > 1.0
    assert int(found.references_served(0.01)) == 0
    assert not operating_point(found.curve, 1).sufficient
    assert not operating_point(found.curve, 5).sufficient
