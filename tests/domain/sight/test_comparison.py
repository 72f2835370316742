"""1:N comparison: exact beside a loop in float64, odd galleries and probes, several threads."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex, Template, Templates, score
from agent.domain.sight.track import Candidate

BOTH = pytest.mark.parametrize("metric", Metric)


def f32(*rows: tuple[float, ...]) -> Templates:
    return np.array(rows, dtype=np.float32)


def ids(*names: str) -> list[HolderId]:
    return [HolderId(name) for name in names]


def naive_score(one: Template, other: Template, metric: Metric) -> float:
    a, b = [[float(x) for x in row] for row in (one, other)]
    if metric is Metric.EUCLIDEAN:
        return -math.dist(a, b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def naive_ranking(index: ReferenceIndex, probe: Template) -> list[tuple[float, str]]:
    """Every holder's best score, the best holder first."""
    best: dict[str, float] = {}
    for row, owner in enumerate(index.owner):
        name = index.names[owner]
        value = naive_score(index.rows(np.array([row]))[0], probe, index.metric)
        best[name] = max(best.get(name, -np.inf), value)
    return sorted(((value, name) for name, value in best.items()), reverse=True)


@pytest.mark.parametrize(
    ("metric", "one", "other", "expected"),
    [
        (Metric.EUCLIDEAN, (0.0, 0.0), (3.0, 4.0), -5.0),
        (Metric.EUCLIDEAN, (1.0, 2.0), (1.0, 2.0), 0.0),
        (Metric.COSINE, (2.0, 0.0), (5.0, 0.0), 1.0),
        (Metric.COSINE, (2.0, 0.0), (0.0, 3.0), 0.0),
        (Metric.COSINE, (1.0, 0.0), (-4.0, 0.0), -1.0),
        (Metric.COSINE, (0.0, 0.0), (1.0, 0.0), -1.0),
    ],
)
def test_a_score_is_higher_the_more_alike(
    metric: Metric, one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    assert score(f32(one)[0], f32(other)[0], metric) == pytest.approx(expected)


@BOTH
def test_the_runner_up_is_another_holder(metric: Metric) -> None:
    near, nearer, far = (1.0, 0.1), (1.0, 0.01), (0.2, 1.0)
    index = ReferenceIndex(ids("b", "a", "b"), f32(near, far, nearer), metric)
    best, runner_up = index.search(f32((1.0, 0.0))[0])
    assert best is not None
    assert runner_up is not None
    assert (best.holder, runner_up.holder) == ("b", "a")
    assert best.score == pytest.approx(score(f32(nearer)[0], f32((1.0, 0.0))[0], metric))


@BOTH
def test_nobody_enrolled_is_like_nobody(metric: Metric) -> None:
    index = ReferenceIndex.empty(3, metric, revision=7)
    assert index.search(f32((1.0, 2.0, 3.0))[0]) == (None, None)
    assert (len(index), index.components, index.revision) == (0, 3, 7)


@BOTH
def test_one_holder_has_no_runner_up(metric: Metric) -> None:
    index = ReferenceIndex(ids("a", "a"), f32((1.0, 0.0), (0.9, 0.1)), metric)
    best, runner_up = index.search(f32((1.0, 0.0))[0])
    assert best is not None
    assert best.holder == "a"
    assert best.score == pytest.approx({"euclidean": 0.0, "cosine": 1.0}[metric])
    assert runner_up is None


@BOTH
@pytest.mark.parametrize(
    "probe", [(np.nan, 0.0), (np.inf, 0.0), (-np.inf, 1.0), (3e38, 3e38)], ids=str
)
def test_a_probe_that_is_no_template_is_like_nobody(
    metric: Metric, probe: tuple[float, float]
) -> None:
    index = ReferenceIndex(ids("a", "b"), f32((1.0, 0.0), (0.0, 1.0)), metric)
    assert index.search(f32(probe)[0]) == (None, None)


def test_a_probe_without_a_direction_is_like_nobody() -> None:
    index = ReferenceIndex(ids("a", "b"), f32((1.0, 0.0), (0.0, 1.0)), Metric.COSINE)
    assert index.search(f32((0.0, 0.0))[0]) == (None, None)


@BOTH
def test_a_probe_of_another_length_is_a_mistake(metric: Metric) -> None:
    index = ReferenceIndex(ids("a"), f32((1.0, 0.0)), metric)
    with pytest.raises(ValueError, match="probe"):
        index.search(f32((1.0, 0.0, 0.0))[0])
    with pytest.raises(ValueError, match="probe"):
        index.search(f32((1.0, 0.0)))


@pytest.mark.parametrize(
    ("metric", "names", "rows"),
    [
        (Metric.EUCLIDEAN, "ab", [(1.0, 0.0)]),
        (Metric.EUCLIDEAN, "a", [(np.nan, 0.0)]),
        (Metric.EUCLIDEAN, "a", [(np.inf, 0.0)]),
        (Metric.EUCLIDEAN, "a", [(1e20, 0.0)]),
        (Metric.COSINE, "a", [(0.0, 0.0)]),
    ],
)
def test_references_that_are_none_are_refused(
    metric: Metric, names: str, rows: list[tuple[float, ...]]
) -> None:
    with pytest.raises(ValueError, match=r"reference|holder"):
        ReferenceIndex(ids(*names), f32(*rows), metric)


@BOTH
def test_equal_scores_go_by_holder_id(metric: Metric) -> None:
    rows = f32(*[(1.0, 0.0)] * 6)
    for names in ("fedcba", "abcdef", "cafebd"):
        best, runner_up = ReferenceIndex(ids(*names), rows, metric).search(rows[0])
        assert best is not None
        assert runner_up is not None
        assert (best.holder, runner_up.holder) == ("a", "b")


@BOTH
def test_every_holder_finds_their_rows(metric: Metric) -> None:
    rows = f32((1.0, 0.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0))
    index = ReferenceIndex(ids("b", "a", "b", "d"), rows, metric)
    assert [index.rows_of(HolderId(name)) for name in ("a", "b", "d")] == [
        slice(0, 1),
        slice(1, 3),
        slice(3, 4),
    ]
    for absent in ("", "c", "e"):
        assert len(index.rows(index.rows_of(HolderId(absent)))) == 0


def test_a_snapshot_cannot_be_changed() -> None:
    rows = f32((1.0, 0.0), (0.0, 1.0))
    index = ReferenceIndex(ids("a", "b"), rows, Metric.EUCLIDEAN)
    rows[:] = 9.0
    assert index.rows(slice(None)).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    with pytest.raises(ValueError, match="read-only"):
        index.table.codes[0, 0] = 2


@BOTH
@given(
    seed=st.integers(0, 2**32 - 1),
    references=st.integers(1, 60),
    components=st.integers(1, 40),
    holders=st.integers(1, 60),
    # From templates far apart to ones that float32 cannot rank.
    spread=st.sampled_from([1.0, 1e-2, 1e-4, 1e-6, 0.0]),
    scale=st.sampled_from([1e-25, 1e-6, 1.0, 1e3, 1e12]),
)
def test_a_search_is_exact(
    metric: Metric,
    seed: int,
    references: int,
    components: int,
    holders: int,
    spread: float,
    scale: float,
) -> None:
    random = np.random.default_rng(seed)
    middle = random.normal(size=components) + 1e-3
    templates = (middle + spread * random.normal(size=(references, components))) * scale
    names = [HolderId(f"h{number}") for number in random.integers(0, holders, references)]
    index = ReferenceIndex(names, templates.astype(np.float32), metric)
    probe = ((middle + spread * random.normal(size=components)) * scale).astype(np.float32)

    ranking = naive_ranking(index, probe)
    close = 1e-12 * (scale if metric is Metric.EUCLIDEAN else 1.0)
    for place, candidate in enumerate(index.search(probe)):
        if place >= len(ranking):
            assert candidate is None
            continue
        assert candidate is not None
        expected, name = ranking[place]
        assert candidate.score == pytest.approx(expected, rel=1e-9, abs=close)
        # Float64 itself may see two holders as equal; otherwise it is this one and no other.
        alike = {other for value, other in ranking if abs(value - expected) <= 4 * close}
        assert candidate.holder == name or candidate.holder in alike


@BOTH
def test_a_crowd_that_float32_cannot_rank_is_ranked(metric: Metric) -> None:
    random = np.random.default_rng(5)
    middle = random.normal(size=128)
    crowd = (middle + 1e-5 * random.normal(size=(500, 128))).astype(np.float32)
    index = ReferenceIndex([HolderId(f"h{i // 2:03d}") for i in range(500)], crowd, metric)
    for _ in range(20):
        probe = (middle + 0.05 * random.normal(size=128)).astype(np.float32)
        best, runner_up = index.search(probe)
        assert best is not None
        assert runner_up is not None
        assert [best.holder, runner_up.holder] == [
            name for _, name in naive_ranking(index, probe)[:2]
        ]


def test_threads_that_search_one_snapshot_do_not_disturb_each_other() -> None:
    random = np.random.default_rng(1)
    templates = random.normal(size=(3_000, 64)).astype(np.float32)
    names = [HolderId(f"h{i:05d}") for i in range(len(templates))]
    index = ReferenceIndex(names, templates, Metric.EUCLIDEAN)
    wrong: list[tuple[int, Candidate | None]] = []
    ready = threading.Barrier(3)

    def search(first: int) -> None:
        ready.wait(10.0)
        for row in range(first, 300, 3):
            best, _ = index.search(templates[row])
            if best is None or best.holder != names[row]:
                wrong.append((row, best))

    threads = [threading.Thread(target=search, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
