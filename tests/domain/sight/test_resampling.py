"""Intervals by persons: beside a loop over draws, and where pairs would flatter."""

import numpy as np
import pytest

from agent.domain.sight import resampling
from agent.domain.sight.error_rates import Scores, threshold_at
from agent.domain.sight.gallery_safety import upper_bound
from agent.domain.sight.resampling import PairPersons, fnmr_bound, intervals

PERSONS, PHOTOGRAPHS = 40, 4


def community(spread: float, seed: int) -> tuple[Scores, Scores, PairPersons]:
    """Persons who resemble everybody more or less by ``spread``: their pairs hang together."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(PERSONS), PHOTOGRAPHS)
    likeness = random.normal(0.0, spread, PERSONS)
    ease = random.normal(0.0, spread, PERSONS)
    one, other = np.triu_indices(len(owner), 1)
    a, b = owner[one], owner[other]
    same = a == b
    noise = random.normal(0.0, 0.05, len(a))
    genuine = 0.7 + ease[a[same]] + noise[same]
    impostor = 0.1 + likeness[a[~same]] + likeness[b[~same]] + noise[~same]
    return genuine, impostor, PairPersons(a[same], np.stack((a, b), 1)[~same])


def test_an_interval_holds_what_was_measured_and_widens_with_what_persons_share() -> None:
    widths = []
    for spread in (0.0, 0.1):
        genuine, impostor, persons = community(spread, 1)
        assert persons.count == PERSONS
        found = intervals(genuine, impostor, persons)
        ends = found.threshold["1e-2"]
        assert ends is not None
        measured = threshold_at(impostor, 1e-2)
        assert measured is not None
        assert ends[0] <= measured <= ends[1]
        widths.append(ends[1] - ends[0])
    # As pairs both sets are equally many.
    assert widths[1] > 3.0 * widths[0]


def test_the_interval_covers_the_truth_as_often_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resampling, "_DRAWS", 100)
    truth = float(np.mean([threshold_at(community(0.04, seed)[1], 1e-2) for seed in range(100)]))
    covered = 0
    for seed in range(300, 340):
        ends = intervals(*community(0.04, seed)).threshold["1e-2"]
        assert ends is not None
        covered += ends[0] <= truth <= ends[1]
    assert covered >= 30  # 36 of 40 are expected; fewer than 30 by chance once in a thousand


def test_where_no_error_was_seen_the_persons_bound_it() -> None:
    genuine, impostor, persons = community(0.0, 2)
    found = intervals(genuine, impostor, persons).fnmr["1e-2"]
    assert found == (0.0, upper_bound(0, PERSONS, 0.95))


def test_a_rate_that_is_not_carried_has_no_interval() -> None:
    genuine, impostor, persons = community(0.0, 3)
    found = intervals(genuine, impostor, persons)
    assert found.fnmr["1e-4"] is None
    assert found.threshold["1e-4"] is None
    nobody = PairPersons(np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64))
    none = intervals(np.zeros(0), np.zeros(0), nobody)
    assert set(none.fnmr.values()) == set(none.threshold.values()) == {None}


def test_failures_to_acquire_are_errors_in_every_draw() -> None:
    genuine, impostor, persons = community(0.0, 4)
    genuine[persons.genuine < 4] = -np.inf
    found = intervals(genuine, impostor, persons).fnmr["1e-2"]
    assert found is not None
    low, high = found
    assert low < 0.1 < high


def test_the_same_data_give_the_same_answer() -> None:
    data = community(0.1, 5)
    assert intervals(*data) == intervals(*data)


@pytest.mark.parametrize("persons_of_pairs", [1, 2])
def test_so_few_persons_that_a_draw_has_no_pair(persons_of_pairs: int) -> None:
    owners = np.zeros(400, dtype=np.int64)
    pairs = np.zeros((400, 2), dtype=np.int64)
    pairs[:, 1] = persons_of_pairs - 1
    found = intervals(np.full(400, 0.9), np.linspace(0, 0.5, 400), PairPersons(owners, pairs))
    ends = found.threshold["1e-2"]
    assert ends is not None
    assert ends[0] <= ends[1]


def test_the_bound_at_a_given_threshold_is_by_persons() -> None:
    owners = np.repeat(np.arange(10), 100)
    spread = np.where(np.arange(1000) % 100 < 10, 0.1, 0.9)  # a tenth of everybody's
    lumped = np.where(owners == 0, 0.1, 0.9)  # all of one person's, the same rate
    even, uneven = (fnmr_bound(scores, owners, 0.5) for scores in (spread, lumped))
    assert even == pytest.approx(0.1)
    assert uneven is not None
    assert uneven > 0.15
    assert fnmr_bound(np.full(1000, 0.9), owners, 0.5) == upper_bound(0, 10)
    assert fnmr_bound(np.full(1000, -np.inf), owners, 0.5) == 1.0
    assert fnmr_bound(np.zeros(0), np.zeros(0, dtype=np.int64), 0.5) is None


def test_the_bound_of_one_person_is_never_below_the_rate() -> None:
    assert fnmr_bound(np.array([0.1, 0.9]), np.zeros(2, dtype=np.int64), 0.5) == 0.5


def test_the_bound_holds_the_truth_nearly_as_often_as_it_says() -> None:
    random = np.random.default_rng(8)
    held = 0
    for _ in range(100):
        owners = np.repeat(np.arange(40), 6)
        ease = random.beta(1.0, 9.0, 40)  # a tenth is refused, of some far more
        refused = random.random(240) < ease[owners]
        bound = fnmr_bound(np.where(refused, 0.0, 1.0), owners, 0.5)
        assert bound is not None
        held += bound >= 0.1
    assert held >= 85
