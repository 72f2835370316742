"""The table is total, and what moves an output is what it says."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.door.access_point import ALARMS, TABLE, DoorInput, Output, State, step

EVERYTHING = list(product(State, DoorInput))
LOCKED = {State.LOCKED_DOWN, State.FAULT}


def test_every_state_answers_every_input():
    assert set(TABLE) == set(EVERYTHING)


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_a_grant_or_the_way_out_releases(state, happened):
    _, output = step(state, happened)
    if output is Output.RELEASE:
        assert happened in (DoorInput.GRANT, DoorInput.REX)
        assert happened is DoorInput.REX or state not in LOCKED


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_fire_a_schedule_or_a_command_holds_it(state, happened):
    after, output = step(state, happened)
    if output is Output.HOLD:
        renewed = state is State.FREE_PASSAGE and happened is DoorInput.PULSE_ENDED
        assert renewed or happened in (DoorInput.FREE, DoorInput.FIRE)
        assert happened is not DoorInput.FREE or state not in LOCKED
        assert after in (State.FREE_PASSAGE, State.FAULT)


@pytest.mark.parametrize("state", State)
def test_the_way_out_is_never_refused(state):
    _, output = step(state, DoorInput.REX)
    assert output is Output.RELEASE or state is State.FREE_PASSAGE


@pytest.mark.parametrize("state", State)
def test_the_end_and_a_failure_secure(state):
    for happened in (DoorInput.STOP, DoorInput.OUTPUT_FAILED):
        assert step(state, happened)[1] is Output.SECURE


@pytest.mark.parametrize("state", sorted(ALARMS))
def test_an_alarm_ends_by_the_door_closing_or_by_free_passage(state):
    ends = {happened for happened in DoorInput if step(state, happened)[0] is not state}
    assert ends == {
        DoorInput.CLOSED,
        DoorInput.FREE,
        DoorInput.FIRE,
        DoorInput.RESUME_CLOSED,
        DoorInput.STOP,
    }


@pytest.mark.parametrize("state", [State.SECURED, State.LOCKED_DOWN, State.FAULT])
def test_a_door_that_opens_without_a_release_is_forced(state):
    assert step(state, DoorInput.OPENED) == (State.FORCED, Output.SECURE)


@given(st.lists(st.sampled_from(list(DoorInput))))
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
    state, _ = step(State.RELEASED, DoorInput.OUTPUT_FAILED)
    for happened in (
        DoorInput.GRANT,
        DoorInput.FREE,
        DoorInput.LOCK_DOWN,
        DoorInput.PULSE_ENDED,
        DoorInput.CLOSED,
    ):
        state, _ = step(state, happened)
        assert state is State.FAULT
    assert step(state, DoorInput.RESUME_CLOSED) == (State.SECURED, Output.SECURE)
