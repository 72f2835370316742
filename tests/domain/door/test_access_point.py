"""The table is total, and what moves an output is what it says."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.door.access_point import ALARMS, TABLE, Input, Output, State, step

EVERYTHING = list(product(State, Input))
LOCKED = {State.LOCKED_DOWN, State.FAULT}


def test_every_state_answers_every_input():
    assert set(TABLE) == set(EVERYTHING)


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_a_grant_or_the_way_out_releases(state, happened):
    _, output = step(state, happened)
    if output is Output.RELEASE:
        assert happened in (Input.GRANT, Input.REX)
        assert happened is Input.REX or state not in LOCKED


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_fire_a_schedule_or_a_command_holds_it(state, happened):
    after, output = step(state, happened)
    if output is Output.HOLD:
        renewed = state is State.FREE_PASSAGE and happened is Input.PULSE_ENDED
        assert renewed or happened in (Input.FREE, Input.FIRE)
        assert happened is not Input.FREE or state not in LOCKED
        assert after in (State.FREE_PASSAGE, State.FAULT)


@pytest.mark.parametrize("state", State)
def test_the_way_out_is_never_refused(state):
    _, output = step(state, Input.REX)
    assert output is Output.RELEASE or state is State.FREE_PASSAGE


@pytest.mark.parametrize("state", State)
def test_the_end_and_a_failure_secure(state):
    for happened in (Input.STOP, Input.OUTPUT_FAILED):
        assert step(state, happened)[1] is Output.SECURE


@pytest.mark.parametrize("state", sorted(ALARMS))
def test_an_alarm_ends_by_the_door_closing_or_by_free_passage(state):
    ends = {happened for happened in Input if step(state, happened)[0] is not state}
    assert ends == {Input.CLOSED, Input.FREE, Input.FIRE, Input.RESUME_CLOSED, Input.STOP}


@pytest.mark.parametrize("state", [State.SECURED, State.LOCKED_DOWN, State.FAULT])
def test_a_door_that_opens_without_a_release_is_forced(state):
    assert step(state, Input.OPENED) == (State.FORCED, Output.SECURE)


@given(st.lists(st.sampled_from(list(Input))))
def test_at_rest_means_that_the_output_rests(inputs):
    state, free = State.SECURED, False
    for happened in inputs:
        state, output = step(state, happened)
        if output is not Output.NOTHING:
            free = output is not Output.SECURE
        if state in (State.SECURED, State.LOCKED_DOWN):
            assert not free
        if state is State.FREE_PASSAGE:
            assert free


def test_a_fault_latches_until_it_is_cleared():
    state, _ = step(State.RELEASED, Input.OUTPUT_FAILED)
    for happened in (Input.GRANT, Input.FREE, Input.LOCK_DOWN, Input.PULSE_ENDED, Input.CLOSED):
        state, _ = step(state, happened)
        assert state is State.FAULT
    assert step(state, Input.RESUME_CLOSED) == (State.SECURED, Output.SECURE)
