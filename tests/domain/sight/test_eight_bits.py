"""Codes of eight bits: what they lose is bounded, and no search is off by it."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.adapters.int8_blocks import PackedBlock
from agent.domain.credential.holder import HolderId
from agent.domain.sight import gallery_safety
from agent.domain.sight.coded import blocks
from agent.domain.sight.coded.blocks import (
    PROBE_MOST,
    CodeBlock,
    Codes,
    Pack,
    PlainBlock,
    packed,
    respliced,
)
from agent.domain.sight.coded.codes import TableInMaking, encode
from agent.domain.sight.coded.holder_names import HolderNames
from agent.domain.sight.comparison import (
    Metric,
    ReferenceIndex,
    Rows,
    Template,
    Templates,
    comparable,
    row_scores,
)
from agent.domain.sight.gallery_safety import holders_too_close, stands_too_close

BOTH = pytest.mark.parametrize("metric", Metric)
PACKS = pytest.mark.parametrize("pack", [PlainBlock, PackedBlock])


def named(count: int, holders: int) -> list[HolderId]:
    return [HolderId(f"h{number * holders // count:04d}") for number in range(count)]


def brute_force(index: ReferenceIndex, rows: Templates, probe: Template) -> list[tuple[str, float]]:
    """The two best holders by float64 scores of every row, ties by id."""
    best: dict[str, float] = {}
    scores = row_scores(comparable(rows, index.metric), probe, index.metric)
    for row, value in enumerate(scores.tolist()):
        name = index.holder_of(row)
        best[name] = max(best.get(name, -np.inf), value)
    return sorted(best.items(), key=lambda one: (-one[1], one[0]))[:2]


def as_pairs(index: ReferenceIndex, probe: Template) -> list[tuple[str, float]]:
    return [(one.holder, one.score) for one in index.search(probe) if one is not None]


@PACKS
@given(count=st.integers(1, 70), components=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
def test_a_block_gives_whole_products_and_its_codes_back(
    pack: Pack, count: int, components: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    codes = random.integers(-127, 128, (count, components)).astype(np.int8)
    probe = random.integers(-PROBE_MOST, PROBE_MOST + 1, components).astype(np.int8)
    if random.random() < 0.5:
        codes[:] = random.choice([-127, 127], codes.shape)
        probe[:] = random.choice([-PROBE_MOST, PROBE_MOST], components)
    block = pack(codes)
    expected = codes.astype(np.int64) @ probe.astype(np.int64)
    assert block.products(probe).tolist() == expected.tolist()
    for which in (np.arange(count), random.integers(0, count, 3), np.arange(0)):
        assert block.rows(which).tolist() == codes[which].tolist()


@PACKS
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), start=st.integers(0, 60))
def test_blocks_follow_changes_as_if_made_of_what_there_is(
    pack: Pack, seed: int, start: int
) -> None:
    """Rows go, come and stay for many rounds; a block that nothing touched is the same one."""
    random = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_ROWS", 20)
        patch.setattr(blocks, "_MOST_CHANGED", 6)
        rows = random.integers(-127, 128, (start, 5)).astype(np.int8)
        now = packed(rows, pack)
        for _ in range(12):
            came = random.integers(-127, 128, (random.integers(0, 5), 5)).astype(np.int8)
            stay = np.flatnonzero(random.random(len(rows)) > random.choice([0.0, 0.05, 0.9]))
            places = np.sort(random.integers(0, len(stay) + 1, len(came)))
            source = np.insert(stay, places, len(rows) + np.arange(len(came)))
            if random.random() < 0.1:
                random.shuffle(source)
            before, now = now, respliced(now, source, came, pack)
            rows = np.concatenate((rows, came))[source]
            probe = random.integers(-PROBE_MOST, PROBE_MOST + 1, 5).astype(np.int8)
            assert sums_of(now, probe) == (rows.astype(int) @ probe).tolist()
            assert [row for one in now for row in one.rows(np.arange(len(one))).tolist()] == (
                rows.tolist()
            )
            if not len(came) and len(stay) == sum(map(len, before)) and (np.diff(source) > 0).all():
                assert [*map(id, now)] == [*map(id, before)]
            assert all(0 < len(one) <= 20 + 5 + 6 for one in now)


def sums_of(some: tuple[CodeBlock, ...], probe: Codes) -> list[int]:
    return [value for one in some for value in one.products(probe).tolist()]


@given(
    seed=st.integers(0, 2**32 - 1),
    components=st.integers(1, 40),
    scale=st.sampled_from([0.0, 1e-44, 1e-38, 1e-10, 1.0, 1e14]),
    spike=st.sampled_from([0.0, 1.0, 1e3]),
)
def test_what_a_code_loses_is_measured(
    seed: int, components: int, scale: float, spike: float
) -> None:
    random = np.random.default_rng(seed)
    made = random.normal(size=(5, components))
    made[:, 0] += spike
    rows = (made * scale).astype(np.float32)
    table = TableInMaking(5, components)
    table.put(np.arange(5), rows)
    whole, coded = table.table(), encode(rows)
    back = whole.codes * whole.scales.astype(np.float64)[:, None]
    lost = np.linalg.norm(rows - back, axis=1)
    assert coded.lost == pytest.approx(lost, rel=1e-6, abs=0.0)
    assert lost.max() <= whole.lost * (1 + 1e-6)
    assert np.abs(whole.codes).max(initial=0) <= 127


@BOTH
@PACKS
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    references=st.integers(1, 80),
    holders=st.integers(1, 80),
    spread=st.sampled_from([1.0, 0.05, 1e-3, 1e-7, 0.0]),
    outlier=st.sampled_from([1.0, 1e4]),
)
def test_the_first_two_are_those_of_brute_force(
    metric: Metric,
    pack: Pack,
    seed: int,
    references: int,
    holders: int,
    spread: float,
    outlier: float,
) -> None:
    random = np.random.default_rng(seed)
    middle = random.normal(size=24)
    rows = (middle + spread * random.normal(size=(references, 24))).astype(np.float32)
    rows[random.integers(references)] *= outlier
    rows[random.integers(references)] = rows[0]
    names = named(references, min(holders, references))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_ROWS", int(random.choice([9, 1000])))
        index = ReferenceIndex(names, rows, metric, 0, pack)
    near = (middle + spread * random.normal(size=24)).astype(np.float32)
    for probe in (near, rows[0], -near, near * np.float32(1e-6)):
        expected = brute_force(index, rows, probe)
        found = as_pairs(index, probe)
        assert [value for _, value in found] == pytest.approx(
            [value for _, value in expected], rel=1e-12, abs=1e-12
        )
        # Where one of them is surely ahead, it is that one.
        for (name, value), (other, _) in zip(expected, found, strict=True):
            rivals = [v for n, v in brute_force(index, rows, probe) if n != name]
            assert other == name or any(abs(value - rival) < 1e-12 for rival in rivals)


@BOTH
def test_rows_that_only_their_lost_part_tells_apart_are_told_apart(metric: Metric) -> None:
    """All have one code; the true order is in what the code has lost of each."""
    row = np.linspace(0.5, 1.0, 32)
    step = row.max() / 127
    rows = np.tile(np.rint(row / step) * step, (40, 1))
    rows[:, :-1] += np.linspace(-0.4, 0.4, 40)[:, None] * step * np.array([1, -1] * 15 + [1])
    rows = rows.astype(np.float32)
    assert len(np.unique(encode(rows).codes, axis=0)) == 1
    index = ReferenceIndex(named(40, 40), rows, metric)
    for row_number in range(40):
        probe = rows[row_number]
        assert as_pairs(index, probe)[0][0] == f"h{row_number:04d}"
        assert as_pairs(index, probe) == brute_force(index, rows, probe)


class Sealed:
    """Templates that lie elsewhere, and how many were opened of them."""

    def __init__(self, rows: Templates) -> None:
        self.rows, self.opened, self.gone = rows, 0, set[int]()

    def __call__(self, rows: Rows) -> Iterator[Template | None]:
        for row in rows.tolist():
            self.opened += 1
            yield None if row in self.gone else self.rows[row]


def sealed_index(sealed: Sealed, metric: Metric, holders: int) -> ReferenceIndex:
    table = TableInMaking(*sealed.rows.shape)
    table.put(np.arange(len(sealed.rows)), comparable(sealed.rows, metric))
    names = named(len(sealed.rows), holders)
    return ReferenceIndex.of_table(names, table.table(), sealed, metric, 1)


@BOTH
def test_only_who_may_be_first_is_opened_and_no_plain_copy_stays(metric: Metric) -> None:
    random = np.random.default_rng(4)
    rows = random.normal(size=(2000, 64)).astype(np.float32)
    sealed = Sealed(rows)
    index = sealed_index(sealed, metric, 1000)
    for _ in range(20):
        index.search(random.normal(size=64).astype(np.float32))
    assert 40 <= sealed.opened < 20 * 60
    kept = [one for one in vars(index).values() if isinstance(one, np.ndarray)]
    kept += [one for one in vars(index.table).values() if isinstance(one, np.ndarray)]
    assert all(array.ndim == 1 for array in kept)
    assert index.nbytes <= 1.3 * index.table.codes.nbytes


@BOTH
def test_what_was_removed_meanwhile_names_nobody(metric: Metric) -> None:
    rows = np.eye(6, dtype=np.float32) + 0.1
    sealed = Sealed(rows)
    index = sealed_index(sealed, metric, 6)
    sealed.gone = {0, 1}
    best, other = index.search(rows[0])
    assert best is not None
    assert other is not None
    assert {best.holder, other.holder} == {"h0002", "h0003"}
    assert index.verify(rows[0], HolderId("h0000")) is None
    assert np.isnan(index.rows(slice(0, 2))).all()
    assert stands_too_close(index, HolderId("h0000"), 2.0)
    sealed.gone = set(range(6))
    assert index.search(rows[0]) == (None, None)


@BOTH
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), quantile=st.floats(0.0, 1.0))
def test_a_large_gallery_is_compared_as_a_small_one(
    metric: Metric, seed: int, quantile: float
) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(40, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_ROWS", 7)
        index = ReferenceIndex(named(40, 20), rows.astype(np.float32), metric)
    assert len(index.table.blocks) == 6
    scores = sorted(
        value
        for one in range(40)
        for value in row_scores(index.rows(slice(None)), index.rows(slice(None))[one], metric)
    )
    threshold = scores[int(quantile * (len(scores) - 1))]
    expected = holders_too_close(index, threshold)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery_safety, "SMALL", 0)
        patch.setattr(gallery_safety, "_BLOCK_COLUMNS", 16)
        patch.setattr(gallery_safety, "_BLOCK_PAIRS", 50)
        assert holders_too_close(index, threshold) == expected
        pairs = gallery_safety.close_pairs(index, threshold)
        assert gallery_safety.too_close(pairs) == expected
        alone = {name for name in index.names if stands_too_close(index, name, threshold)}
        assert alone == expected


@given(st.sets(st.text(max_size=8)))
def test_names_come_back_as_they_were(names: set[str]) -> None:
    ordered = [HolderId(name) for name in sorted(names)]
    held = HolderNames(ordered)
    assert list(held) == ordered
    assert held[1:] == tuple(ordered[1:])
    assert all(held[-number] == ordered[-number] for number in range(1, len(ordered) + 1))
