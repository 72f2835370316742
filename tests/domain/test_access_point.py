"""The table is total, and only a grant releases."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.access_point import TABLE, Input, Output, State, step


def test_every_state_answers_every_input():
    assert set(TABLE) == set(product(State, Input))


@pytest.mark.parametrize(("state", "happened"), list(product(State, Input)))
def test_only_a_grant_outside_a_fault_releases(state, happened):
    after, output = step(state, happened)
    releases = happened is Input.GRANT and state is not State.FAULT
    assert (output is Output.RELEASE) is releases
    assert (after is State.RELEASED) >= releases


@given(st.lists(st.sampled_from(list(Input))))
def test_the_output_follows_the_state(inputs):
    state, energised = State.SECURED, False
    for happened in inputs:
        state, output = step(state, happened)
        if output is not Output.NOTHING:
            energised = output is Output.RELEASE
        assert energised is (state is State.RELEASED)


def test_a_fault_latches_until_it_is_cleared():
    state, _ = step(State.RELEASED, Input.OUTPUT_FAILED)
    for happened in (Input.GRANT, Input.PULSE_ENDED, Input.STOP, Input.OUTPUT_FAILED):
        state, _ = step(state, happened)
        assert state is State.FAULT
    assert step(state, Input.FAULT_CLEARED) == (State.SECURED, Output.SECURE)
