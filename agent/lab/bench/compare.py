"""1:N in the bench: the search for the two best holders beside numpy's float32 product.

A million references are sealed as they are in the registry, each of those that are looked at in
full is unsealed in the measured time. They lie in a table here; a gallery out of SQLite is what
``lab.bench.large`` measures.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.adapters.int8_blocks import packed_block
from agent.adapters.store.seal import KEY_BYTES, Sealer
from agent.domain.credential.holder import HolderId
from agent.domain.sight.coded.blocks import BLOCK_ROWS
from agent.domain.sight.coded.codes import TableInMaking
from agent.domain.sight.comparison import (
    Metric,
    ReferenceIndex,
    Rows,
    Template,
    Templates,
    comparable,
    row_scores,
)
from agent.lab.bench.timing import measure, stage

MOST_RATIO = 0.40
MOST_MEMORY = 1.3
_MILLION = 1_000_000
_PROBES = 8
_ROW_BYTES = 8
"""Of a row's number and mark in the registry, which the gate keeps beside the index."""


def compare_stages(components: int, metric: Metric) -> dict[str, dict[str, float]]:
    """1:N with the two best holders, beside numpy's float32 product."""
    random = np.random.default_rng(1)
    found = {}
    for name, count in (("1k", 1_000), ("10k", 10_000), ("100k", 100_000)):
        table = random.normal(0.0, 0.1, (count, components)).astype(np.float32)
        probe = random.normal(0.0, 0.1, components).astype(np.float32)
        index = ReferenceIndex(_names(count), table, metric, 0, packed_block)
        times = measure({"search": _search(index, probe), "product": _product(table, probe)}, 200)
        found[f"compare_{name}"] = stage(times["search"], times["product"])
    return found


def compare_million(components: int, metric: Metric, count: int = _MILLION) -> dict[str, Any]:
    """The same against a million, with its limits.

    Keys beside those of a stage: ``limit`` (of ``ratio``), ``memory_ratio`` (to the int8 matrix)
    and ``memory_limit``, ``opened`` (references unsealed a probe), ``same_ranking`` (as by scores
    in float64 of every reference).
    """
    random = np.random.default_rng(1)
    table = random.normal(0.0, 0.1, (count, components)).astype(np.float32)
    names = _names(count)
    opener = _Opener(table)
    making = TableInMaking(count, components, packed_block)
    for start in range(0, count, 65_536):
        rows = np.arange(start, min(start + 65_536, count))
        making.put(rows, comparable(table[rows], metric))
    index = ReferenceIndex.of_table(names, making.table(), opener, metric, 0)
    probes = [
        (table[number * 97 % count] + random.normal(0.0, 0.03, components)).astype(np.float32)
        if number % 2
        else random.normal(0.0, 0.1, components).astype(np.float32)
        for number in range(_PROBES)
    ]
    same = all(_same_ranking(index, table, names, probe) for probe in probes)
    opener.count = 0
    turn = iter(range(10**9))
    times = measure(
        {
            "search": lambda: index.search(probes[next(turn) % _PROBES]),
            "product": _product(table, probes[0]),
        },
        24,
    )
    memory = index.nbytes + _ROW_BYTES * count + 4 * BLOCK_ROWS  # and a block's sums in a search
    return {
        **stage(times["search"], times["product"]),
        "limit": MOST_RATIO,
        "memory_ratio": round(memory / (components * count), 3),
        "memory_limit": MOST_MEMORY,
        "opened": round(opener.count / (24 + 3), 1),
        "same_ranking": same,
    }


class _Opener:
    """Seals what is asked for the first time, and unseals it each time."""

    def __init__(self, table: Templates) -> None:
        self._table, self._sealed = table, dict[int, bytes]()
        self._sealer = Sealer(os.urandom(KEY_BYTES))
        self.count = 0

    def __call__(self, rows: Rows) -> Iterator[Template | None]:
        for row in rows.tolist():
            if row not in self._sealed:
                self._sealed[row] = self._sealer.seal(self._table[row].tobytes(), "reference")
            self.count += 1
            yield np.frombuffer(self._sealer.open(self._sealed[row], "reference"), dtype="<f4")


def _same_ranking(
    index: ReferenceIndex, table: Templates, names: list[HolderId], probe: Template
) -> bool:
    scores = np.concatenate(
        [
            row_scores(comparable(table[start : start + 65_536], index.metric), probe, index.metric)
            for start in range(0, len(table), 65_536)
        ]
    )
    first = np.lexsort((np.arange(len(scores)), -scores))[:2]
    found = [one.holder for one in index.search(probe) if one is not None]
    return found == [names[row] for row in first.tolist()]


def _names(count: int) -> list[HolderId]:
    return [HolderId(f"h{number:06d}") for number in range(count)]


def _search(index: ReferenceIndex, probe: npt.NDArray[np.float32]) -> Callable[[], object]:
    return lambda: index.search(probe)


def _product(
    table: npt.NDArray[np.float32], probe: npt.NDArray[np.float32]
) -> Callable[[], object]:
    return lambda: table @ probe
