"""Packed codes lie in memory once, hold on to nothing, and let go of nothing that is not theirs."""

import sys
import threading
from pathlib import Path

import numpy as np

from agent.adapters.int8_blocks import FEWEST_ROWS, PackedBlock, packed_block
from agent.domain.sight.coded.blocks import BLOCK_ROWS, PROBE_MOST, Codes, PlainBlock

MANY = 2_000


def codes(count: int, seed: int = 1) -> Codes:
    return np.random.default_rng(seed).integers(-127, 128, (count, 128)).astype(np.int8)


def probe(seed: int) -> Codes:
    random = np.random.default_rng(seed)
    return random.integers(-PROBE_MOST, PROBE_MOST + 1, 128).astype(np.int8)


def test_searches_without_end_leave_every_count_of_references_as_it_was() -> None:
    """A count of None that falls with each search ends the process; from 3.12 on it has none."""
    block, asked = PackedBlock(codes(50)), probe(2)
    held = (None, block, asked)

    def counts() -> list[int]:
        return [sys.getrefcount(one) for one in held]

    before = counts()
    for _ in range(MANY):
        block.products(asked)
    assert all(abs(a - b) < MANY // 10 for a, b in zip(counts(), before, strict=True))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def test_a_block_is_resident_once_and_takes_what_it_says() -> None:
    """The model's bytes, the matrix as it was given and what packing needed are all given back."""
    given = codes(BLOCK_ROWS)
    first = packed_block(given)
    before = resident_bytes()
    made = [packed_block(given) for _ in range(4)]
    grown, said = resident_bytes() - before, sum(block.nbytes for block in made)
    assert 0.9 * said < grown < 1.06 * said
    assert said < 1.04 * len(made) * given.nbytes
    assert len(first) == BLOCK_ROWS


def test_few_rows_are_not_worth_a_session() -> None:
    assert isinstance(packed_block(codes(FEWEST_ROWS - 1)), PlainBlock)
    assert isinstance(packed_block(codes(FEWEST_ROWS)), PackedBlock)


def test_any_number_of_threads_may_ask_at_once() -> None:
    block, plain = PackedBlock(codes(3000)), PlainBlock(codes(3000))
    wrong: list[int] = []

    def ask(seed: int) -> None:
        for turn in range(30):
            asked = probe(seed * 1000 + turn)
            which = np.random.default_rng(turn).integers(0, 3000, 20)
            if (block.products(asked) != plain.products(asked)).any():
                wrong.append(seed)
            if (block.rows(which) != plain.rows(which)).any():
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
