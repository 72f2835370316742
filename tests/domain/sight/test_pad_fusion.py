"""Fusing what several say of one face: bounded, in any order, and no number is no living face."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.pad import PadPart, fused, log_odds, over_frames, probability

NAN = float("nan")
SHARES = st.floats(0.0, 1.0)
PARTS = st.builds(PadPart, st.just("p"), SHARES, st.floats(0.01, 0.99), st.floats(0.1, 16.0))


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_a_fused_score_is_a_share_whatever_the_order(parts):
    score = fused(parts)
    assert score is not None
    assert 0.0 <= score <= 1.0
    assert score == pytest.approx(fused(parts[::-1]))


@given(st.lists(PARTS, max_size=3), PARTS, SHARES)
def test_whoever_is_surer_of_a_face_never_lowers_the_score(others, one, other):
    low, high = sorted((one.probability, other))
    scores = [
        fused([*others, PadPart("p", share, one.threshold, one.bound)]) for share in (low, high)
    ]
    assert scores[0] is not None
    assert scores[1] is not None
    assert scores[0] <= scores[1] + 1e-12


@given(SHARES, st.floats(0.01, 0.99), st.floats(0.1, 16.0))
def test_one_alone_decides_by_its_own_threshold(share, threshold, bound):
    score = fused([PadPart("p", share, threshold, bound)])
    assert score is not None
    if abs(share - threshold) > 1e-6:
        assert (score > 0.5) is (share > threshold)


def test_nobody_outvotes_more_than_the_bound_says():
    loud, sure = PadPart("loud", 1.0, bound=4.0), PadPart("sure", 1e-4, bound=8.0)
    score = fused([loud, sure])
    assert score is not None
    assert score < 0.5
    assert fused([PadPart("loud", 0.99, bound=4.0), PadPart("unsure", 0.2, bound=8.0)]) > 0.5  # type: ignore[operator] # two parts give a score


def test_without_anybody_who_looked_there_is_no_score():
    assert fused([]) is None
    assert over_frames([]) is None


@pytest.mark.parametrize("wrong", [NAN, math.inf, -math.inf, -0.1, 1.1])
def test_what_is_no_probability_is_no_living_face(wrong):
    score = fused([PadPart("good", 1.0), PadPart("broken", wrong)])
    assert score is not None
    assert math.isnan(score)
    assert over_frames([1.0, 1.0, wrong]) == 0.0
    assert over_frames([1.0, score]) == 0.0


@given(st.lists(SHARES, min_size=1, max_size=12))
def test_the_frames_of_a_face_lie_about_its_score(scores):
    whole = over_frames(scores)
    assert whole is not None
    assert min(scores) - 1e-6 <= whole <= max(scores) + 1e-6


@given(st.floats(-15.0, 15.0))
def test_log_odds_and_back(odds):
    assert log_odds(probability(odds)) == pytest.approx(odds, abs=1e-6)


def test_one_frame_that_a_model_is_sure_of_outvotes_nobody():
    assert over_frames([0.2, 0.999, 0.2]) == pytest.approx(0.2)
    assert over_frames([0.9, 0.001, 0.9]) == pytest.approx(0.9)
    assert over_frames([0.2, 0.999]) == pytest.approx(0.2)
