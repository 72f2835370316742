"""The budget of false grants: what may be drawn, how soon it comes back, and nobody locked out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.grant_budget import DAY_S, LONGEST_CLOSED_S, Draw, GrantBudget

MOST, LEAST = 0.01, 1e-6


def draws(budget: GrantBudget, times: list[float], least: float = LEAST) -> list[Draw]:
    return [budget.draw(MOST, least, now_s) for now_s in times]


@given(
    per_day=st.floats(1e-3, 1.0),
    gaps=st.lists(st.floats(0.0, 5_000.0), max_size=300),
)
def test_no_day_draws_more_than_was_promised(per_day: float, gaps: list[float]) -> None:
    budget, now_s, drawn = GrantBudget(per_day), 0.0, list[tuple[float, float]]()
    for gap_s in gaps:
        now_s += gap_s
        # Where nothing is left, the one attempt that is let after a quarter of an hour costs more.
        drawn.append((now_s, budget.draw(MOST, 0.0, now_s).rate))
        day = math.fsum(rate for at_s, rate in drawn if at_s > now_s - DAY_S)
        assert day <= per_day * (1 + 1e-9)


def test_a_thousand_in_ten_minutes_risk_no_more_than_the_day() -> None:
    budget = GrantBudget(0.05)
    attempts = draws(budget, [i * 0.6 for i in range(1_000)])
    assert math.fsum(one.rate for one in attempts) <= 0.025 * (1 + 600 / DAY_S)
    rates = [one.rate for one in attempts if one.allowed]
    assert rates[0] == 0.025 / 25
    assert rates == sorted(rates, reverse=True)
    assert len(rates) > 400  # the threshold rises instead of the gate being shut


def test_whatever_is_drawn_comes_back_within_a_day() -> None:
    budget = GrantBudget(0.05)
    draws(budget, [0.0] * 500)
    assert budget.left(0.0) < 0.002
    assert budget.left(DAY_S) == pytest.approx(0.025)


def test_a_grant_gives_back_what_its_presentation_drew() -> None:
    budget = GrantBudget(0.05)
    draw = budget.draw(MOST, LEAST, 0.0)
    assert budget.expected_last_day(0.0) == pytest.approx(draw.rate)
    budget.give_back(draw)
    assert budget.left(0.0) == pytest.approx(0.025)
    assert budget.expected_last_day(0.0) == 0.0


def test_no_face_opens_alone_where_nothing_is_left_and_never_for_long() -> None:
    budget, now_s, closed_since_s, longest_s = GrantBudget(0.05), 0.0, math.nan, 0.0
    for _ in range(20_000):
        draw = budget.draw(MOST, 1e-4, now_s)
        assert draw.allowed or budget.closed(now_s)
        if draw.allowed:
            closed_since_s = math.nan
        elif math.isnan(closed_since_s):
            closed_since_s = now_s
        else:
            longest_s = max(longest_s, now_s - closed_since_s)
        now_s += 0.6
    assert 0 < longest_s <= LONGEST_CLOSED_S


def test_the_sum_is_bounded_however_dear_the_strictest_threshold_is() -> None:
    budget, least, now_s, drawn = GrantBudget(0.05), 5e-3, 0.0, 0.0
    while now_s < DAY_S:
        drawn += budget.draw(MOST, least, now_s).rate
        now_s += 10.0
    # One at a time, a quarter of an hour apart: what docs say can be more than the promise.
    assert drawn <= 0.05 + DAY_S / LONGEST_CLOSED_S * least


def test_a_restart_gives_nothing_back() -> None:
    budget = GrantBudget(0.05)
    draws(budget, [0.0] * 50)
    again = GrantBudget(0.05, budget.left(0.0))
    assert again.left(1e6) == budget.left(0.0)
    assert GrantBudget(0.05, math.nan).left(0.0) == GrantBudget(0.05).left(0.0) == 0.025
    assert GrantBudget(0.05, -1.0).left(0.0) == 0.0
    assert GrantBudget(0.05, 7.0).left(0.0) == 0.025


@pytest.mark.parametrize("per_day", [0.0, -1.0, math.nan])
def test_a_budget_is_above_nothing(per_day: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        GrantBudget(per_day)


def test_old_hours_are_no_longer_expected() -> None:
    budget = GrantBudget(0.05)
    draws(budget, [0.0, 10.0])
    assert budget.expected_last_day(DAY_S - 1.0) > 0.0
    assert budget.expected_last_day(DAY_S + 3_601.0) == 0.0
