"""The gallery compared with itself, beside loops over every pair; bounds beside known tables."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.credential.holder import HolderId
from agent.domain.sight import gallery_safety
from agent.domain.sight.comparison import Metric, ReferenceIndex, score
from agent.domain.sight.gallery_safety import (
    HISTOGRAM_BINS,
    ClosePair,
    close_pairs,
    false_grant_rate,
    holders_too_close,
    impostor_scores,
    too_close,
    upper_bound,
)

BOTH = pytest.mark.parametrize("metric", Metric)


def made(seed: int, references: int, holders: int, metric: Metric, spread: float = 1.0):
    random = np.random.default_rng(seed)
    rows = random.normal(size=8) + spread * random.normal(size=(references, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = [HolderId(f"h{number:02d}") for number in random.integers(0, holders, references)]
    return ReferenceIndex(names, rows.astype(np.float32), metric)


def naive_scores(index: ReferenceIndex) -> list[tuple[str, str, float]]:
    """Every pair of references of different holders."""
    found = []
    templates = index.rows(slice(None))
    for a, b in combinations(range(len(index)), 2):
        one, other = sorted((index.names[index.owner[a]], index.names[index.owner[b]]))
        if one != other:
            value = score(templates[a], templates[b], index.metric)
            found.append((one, other, value))
    return found


def naive_pairs(index: ReferenceIndex, threshold: float) -> dict[tuple[str, str], float]:
    best: dict[tuple[str, str], float] = {}
    for one, other, value in naive_scores(index):
        if value >= threshold:
            best[one, other] = max(best.get((one, other), -math.inf), value)
    return best


def as_table(pairs: list[ClosePair]) -> dict[tuple[str, str], float]:
    assert len({(pair.one, pair.other) for pair in pairs}) == len(pairs)
    return {(pair.one, pair.other): pair.score for pair in pairs}


@BOTH
@given(
    seed=st.integers(0, 2**32 - 1),
    references=st.integers(0, 40),
    holders=st.integers(1, 40),
    spread=st.sampled_from([1.0, 0.1, 1e-4]),
    quantile=st.floats(0.0, 1.0),
)
def test_close_pairs_are_those_of_a_loop(
    metric: Metric, seed: int, references: int, holders: int, spread: float, quantile: float
) -> None:
    index = made(seed, references, holders, metric, spread)
    values = sorted(value for *_, value in naive_scores(index))
    # One of the scores themselves: what is exactly at the threshold is too close.
    threshold = values[int(quantile * (len(values) - 1))] if values else 0.0
    expected = naive_pairs(index, threshold)
    pairs = close_pairs(index, threshold)
    assert as_table(pairs) == pytest.approx(expected, abs=1e-12)
    assert [pair.score for pair in pairs] == sorted((p.score for p in pairs), reverse=True)
    assert too_close(pairs) == {name for pair in expected for name in pair}
    assert holders_too_close(index, threshold) == too_close(pairs)
    for only in (set(index.names[:2]), set(index.names), {HolderId("nobody")}):
        part = {pair: value for pair, value in expected.items() if only & set(pair)}
        assert as_table(close_pairs(index, threshold, only)) == pytest.approx(part, abs=1e-12)


@BOTH
def test_blocks_of_any_size_see_the_same(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    index = made(3, 60, 13, metric)
    whole = close_pairs(index, -0.9 if metric is Metric.EUCLIDEAN else 0.5)
    distribution = impostor_scores(index)
    for cells in (1, 60, 500):
        monkeypatch.setattr(gallery_safety, "_BLOCK_CELLS", cells)
        monkeypatch.setattr(gallery_safety, "_BLOCK_PAIRS", 7)
        parts = close_pairs(index, -0.9 if metric is Metric.EUCLIDEAN else 0.5)
        assert parts == whole
        assert holders_too_close(index, whole[-1].score) == too_close(whole)
        other = impostor_scores(index)
        assert other is not None
        assert distribution is not None
        assert (other.pairs, other.counts) == (distribution.pairs, distribution.counts)


@BOTH
def test_ones_own_references_are_never_a_pair(metric: Metric) -> None:
    rows = np.ones((5, 4), dtype=np.float32)
    index = ReferenceIndex([HolderId("a")] * 5, rows, metric)
    for threshold in (-1e300, -1.0, -math.inf):
        assert close_pairs(index, threshold) == []
        assert holders_too_close(index, threshold) == frozenset()
    assert impostor_scores(index) is None


@BOTH
def test_nobody_and_nothing_are_too_close(metric: Metric) -> None:
    empty = ReferenceIndex.empty(8, metric)
    assert close_pairs(empty, -1.0) == []
    assert close_pairs(empty, -1.0, []) == []
    assert holders_too_close(empty, -1.0) == frozenset()
    assert impostor_scores(empty) is None
    unreachable = 0.1 if metric is Metric.EUCLIDEAN else 1.1
    assert close_pairs(made(1, 30, 10, metric), unreachable) == []


@BOTH
def test_the_distribution_is_that_of_every_pair(metric: Metric) -> None:
    index = made(11, 50, 17, metric)
    values = np.array([value for *_, value in naive_scores(index)])
    found = impostor_scores(index)
    assert found is not None
    assert (found.pairs, found.sampled) == (len(values), len(values))
    assert found.mean == pytest.approx(values.mean(), abs=1e-6)
    assert found.std == pytest.approx(values.std(), abs=1e-6)
    assert found.highest == pytest.approx(values.max(), abs=1e-6)
    assert list(found.counts) == np.histogram(values, bins=found.edges)[0].tolist()
    assert (len(found.edges), sum(found.counts)) == (HISTOGRAM_BINS + 1, len(values))


@BOTH
def test_a_large_gallery_is_sampled_and_says_so(
    metric: Metric, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = made(12, 400, 100, metric)
    every = impostor_scores(index)
    monkeypatch.setattr(gallery_safety, "MOST_SCORES", 5_000)
    some, again = impostor_scores(index), impostor_scores(index)
    assert every is not None
    assert some is not None
    assert some == again
    assert some.sampled == sum(some.counts)
    assert 4_500 < some.sampled < 5_500 < some.pairs == every.pairs
    assert some.highest == every.highest
    assert some.mean == pytest.approx(every.mean, abs=5 * every.std / math.sqrt(5_000))


def test_a_score_outside_the_bins_is_counted_in_the_last() -> None:
    rows = np.array([[0.0], [100.0]], dtype=np.float32)
    far = impostor_scores(ReferenceIndex([HolderId("a"), HolderId("b")], rows, Metric.EUCLIDEAN))
    assert far is not None
    assert (far.counts[0], sum(far.counts), far.highest) == (1, 1, -100.0)


@pytest.mark.parametrize(
    ("fmr", "holders", "rate"),
    [
        (0.0, 1000, 0.0),
        (0.01, 0, 0.0),
        (0.01, 1, 0.01),
        (0.5, 2, 0.75),
        (1e-12, 1_000_000, 9.999995e-7),
        (1.0, 3, 1.0),
        (1.0, 0, 0.0),
    ],
)
def test_the_rate_of_false_grants(fmr: float, holders: int, rate: float) -> None:
    assert false_grant_rate(fmr, holders) == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(
    ("successes", "trials", "confidence", "bound"),
    [
        # Where nothing was seen the bound has a closed form; 3 / n is the rule of three.
        (0, 10, 0.95, 1 - 0.05**0.1),
        (0, 1_000, 0.95, 1 - 0.05**0.001),
        # The upper ends of two-sided 95 % intervals, from tables.
        (1, 10, 0.975, 0.44502),
        (5, 100, 0.975, 0.112835),
        (10, 100, 0.975, 0.17622),
        (50, 100, 0.975, 0.60168),
        (99, 100, 0.975, 0.99975),
        (10, 10, 0.95, 1.0),
        (0, 0, 0.95, 1.0),
    ],
)
def test_the_upper_bound_is_that_of_the_tables(
    successes: int, trials: int, confidence: float, bound: float
) -> None:
    assert upper_bound(successes, trials, confidence) == pytest.approx(bound, abs=5e-6)


@given(trials=st.integers(1, 400), share=st.floats(0.0, 1.0), confidence=st.floats(0.5, 0.999))
def test_the_upper_bound_solves_the_binomial_distribution(
    trials: int, share: float, confidence: float
) -> None:
    successes = int(share * (trials - 1))
    bound = upper_bound(successes, trials, confidence)
    seen = math.fsum(
        math.comb(trials, k) * bound**k * (1 - bound) ** (trials - k) for k in range(successes + 1)
    )
    assert seen == pytest.approx(1.0 - confidence, rel=1e-6)
    assert successes / trials <= bound <= 1.0


def test_the_upper_bound_holds_up_for_a_city() -> None:
    assert upper_bound(50_000, 100_000) == pytest.approx(0.5026, abs=1e-4)
