"""The leaf of a tree by all its answers at once is the leaf that a walk comes to."""

import numpy as np
import pytest

from agent.vision.face.shape_predictor import _leaf_table


def walked(answers: list[bool]) -> int:
    node = 0
    while node < len(answers):
        node = 2 * node + 1 + answers[node]
    return node - len(answers)


@pytest.mark.parametrize("splits", [1, 3, 7, 15])
def test_the_table_says_where_a_walk_ends(splits: int) -> None:
    table = _leaf_table(splits)
    assert table is not None
    answers = np.random.default_rng(splits).random((300, splits)) < 0.5
    packed = np.packbits(np.pad(answers, ((0, 0), (0, -splits % 8))), axis=1, bitorder="little")
    numbers = packed.view(f"<u{(splits + 7) // 8}").ravel()
    assert table[numbers].tolist() == [walked(row.tolist()) for row in answers]


def test_deeper_trees_are_walked() -> None:
    assert _leaf_table(31) is None
