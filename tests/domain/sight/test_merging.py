"""Photographs become references: who agrees, who stands apart, who is somebody else."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.comparison import Metric
from agent.domain.sight.merging import Merging, grouped, mean_of, misfit, pair_scores

COSINE = Merging(agreeing=0.5, least=0.2, metric=Metric.COSINE, unit_length=True)
EUCLIDEAN = Merging(agreeing=-1.0, least=-2.0, metric=Metric.EUCLIDEAN, unit_length=False)


def at(*degrees: float) -> list[np.ndarray]:
    """Templates in a plane; the cosine of two is that of the angle between them."""
    turned = np.radians(degrees)
    return [np.array([np.cos(a), np.sin(a), 0.0], dtype=np.float32) for a in turned]


def test_photographs_that_agree_make_one_reference() -> None:
    assert grouped(at(0, 20, 40), COSINE) == [(0, 1, 2)]
    assert misfit(at(0, 20, 40), COSINE) is None


def test_one_that_agrees_with_some_and_not_with_all_makes_a_second() -> None:
    photographs = at(0, 35, 75)
    assert misfit(photographs, COSINE) is None
    assert grouped(photographs, COSINE) == [(0, 1), (2,)]


def test_one_that_agrees_with_none_is_somebody_else() -> None:
    found = misfit(at(0, 20, 85), COSINE)
    assert found is not None
    assert (found.which, found.other, found.bar) == (2, 1, COSINE.agreeing)


def test_a_bridge_between_two_people_does_not_join_them() -> None:
    found = misfit(at(0, 45, 90), COSINE)
    assert found is not None
    assert found.bar == COSINE.least


def test_two_people_with_two_photographs_each_are_two() -> None:
    found = misfit(at(0, 5, 70, 75), COSINE)
    assert found is not None
    assert {found.which, found.other} == {1, 2}


def test_what_was_enrolled_before_is_not_judged_again() -> None:
    before = at(0, 89)
    assert misfit(before, COSINE) is not None
    assert misfit([*before, *at(44)], COSINE, known=2) is None
    assert misfit([*before, *at(180)], COSINE, known=2) is not None


def test_a_mean_has_the_length_the_pack_wants() -> None:
    one, other = at(0, 60)

    def mean(*parts, metric=Metric.COSINE):
        return mean_of(parts, metric, unit_length=metric is Metric.COSINE)

    assert np.linalg.norm(mean(one, other)) == pytest.approx(1.0)
    assert np.allclose(mean(one, 9 * other), at(30)[0], atol=1e-6)
    plain = mean(one, other, metric=Metric.EUCLIDEAN)
    assert np.allclose(plain, (one + other) / 2, atol=1e-6)
    assert mean(one, metric=Metric.EUCLIDEAN) is one


angles = st.lists(st.integers(0, 359), min_size=1, max_size=6)


@given(angles, st.sampled_from([COSINE, EUCLIDEAN]))
def test_groups_hold_each_once_and_only_those_that_agree(degrees, merging) -> None:
    photographs = at(*degrees)
    groups = grouped(photographs, merging)
    assert sorted(itertools.chain(*groups)) == list(range(len(photographs)))
    scores = pair_scores(photographs, merging.metric)
    for group in groups:
        assert len(group) == 1 or scores[np.ix_(group, group)].min() >= merging.agreeing
    for one, other in itertools.combinations(groups, 2):
        assert scores[np.ix_(one, other)].min() < merging.agreeing


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=6, unique=True), st.randoms())
def test_the_order_in_which_they_come_does_not_matter(steps, chance) -> None:
    # Irregular angles, so that no two pairs are equally alike.
    degrees = [step**1.5 % 180.0 for step in steps]
    order = list(range(len(degrees)))
    chance.shuffle(order)
    photographs = at(*degrees)
    moved = [photographs[n] for n in order]
    first = {frozenset(group) for group in grouped(photographs, COSINE)}
    again = {frozenset(order[n] for n in group) for group in grouped(moved, COSINE)}
    assert first == again
