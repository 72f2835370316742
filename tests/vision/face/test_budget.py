"""What is embedded is bounded, and the better frames are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.vision.face.budget import EMBEDDINGS_A_S, BestFrames, EmbeddingBudget


@given(st.lists(st.floats(-0.5, 0.5), max_size=200))
def test_whatever_time_does_no_more_is_embedded_than_so_many_a_second(pauses):
    budget, at_s, forward, embedded = EmbeddingBudget(), 0.0, 0.0, 0
    for pause_s in pauses:
        at_s += pause_s
        forward += max(pause_s, 0.0)
        embedded += budget.spend(at_s)
    assert embedded <= 3 + forward * EMBEDDINGS_A_S + 1e-6


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
def test_a_face_is_agreed_on_in_its_first_fifth_of_a_second(fps):
    budget = EmbeddingBudget()
    taken = [i / fps for i in range(fps + 1) if budget.spend(i / fps)]
    assert len([at_s for at_s in taken if at_s <= 0.21]) >= 3
    assert taken[0] == 0.0
    assert 10 <= len(taken) <= 13


def test_a_worse_frame_waits_for_a_better_one_and_not_for_long():
    best = BestFrames()
    assert best.worth(1, 0.1, 0.0)
    best.took(1, 0.8, 0.0)
    best.took(1, 0.8, 0.1)
    assert not best.worth(1, 0.3, 0.2)
    assert best.worth(1, 0.5, 0.2)
    assert best.worth(1, 0.3, 0.36)
    assert best.worth(1, 0.3, 0.0)


def test_another_presentation_has_its_own_measure():
    best = BestFrames()
    best.took(1, 0.9, 0.0)
    assert best.worth(2, 0.1, 0.1)
    best.took(2, 0.1, 0.1)
    assert best.worth(2, 0.07, 0.2)
