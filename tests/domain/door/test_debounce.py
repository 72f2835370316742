"""Bouncing levels become changes that lasted: once each, in order, and never a long one missed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.door.debounce import NEVER_MISSED_S, Debouncer
from agent.domain.door.signal import InputChange

DEBOUNCE_S = 0.03
TICK_S = 0.001


def fresh(*, active: bool = False) -> Debouncer:
    return Debouncer("button", DEBOUNCE_S, active=active, at_s=0.0)


def told(changes: list[InputChange]) -> list[tuple[bool, float]]:
    assert all(change.input == "button" and not change.initial for change in changes)
    return [(change.active, round(change.at_s, 6)) for change in changes]


def test_a_level_counts_once_it_has_lasted() -> None:
    one = fresh()
    assert one.deadline_s is None
    one.edge(1.0, active=True)
    assert one.deadline_s == pytest.approx(1.03)
    assert one.settle(1.029) == []
    assert told(one.settle(1.03)) == [(True, 1.0)]
    assert one.deadline_s is None
    assert one.settle(9.0) == []


def test_a_bounce_is_nothing() -> None:
    one = fresh()
    one.edge(1.0, active=True)
    one.edge(1.029, active=False)
    assert one.settle(2.0) == []
    assert one.deadline_s is None


def test_a_bouncing_contact_begins_when_it_comes_to_rest() -> None:
    one = fresh()
    for at_s, active in [(1.0, True), (1.002, False), (1.003, True), (1.006, False), (1.01, True)]:
        one.edge(at_s, active=active)
    assert told(one.settle(1.04)) == [(True, 1.01)]


def test_a_pulse_that_is_over_when_it_is_looked_at_counts_all_the_same() -> None:
    one = fresh()
    one.edge(1.0, active=True)
    one.edge(1.1, active=False)
    assert one.deadline_s == pytest.approx(1.03)
    assert told(one.settle(5.0)) == [(True, 1.0), (False, 1.1)]


def test_edges_may_come_later_than_a_poll_that_saw_nothing() -> None:
    one = fresh()
    one.poll(1.2, active=False)
    assert one.settle(1.2) == []
    one.edge(1.0, active=True)
    one.edge(1.1, active=False)
    assert told(one.settle(1.21)) == [(True, 1.0), (False, 1.1)]


def test_a_late_edge_says_when_what_a_poll_has_seen_began() -> None:
    one = fresh()
    one.poll(0.97, active=False)
    one.poll(1.02, active=True)
    one.edge(1.0, active=True)
    assert told(one.settle(1.04)) == [(True, 1.0)]


def test_a_poll_alone_finds_a_lost_edge() -> None:
    one = fresh()
    one.poll(1.0, active=False)
    one.poll(1.05, active=True)
    assert one.settle(1.05) == []
    one.poll(1.08, active=True)
    assert told(one.settle(1.08)) == [(True, 1.05)]


def test_one_poll_between_two_near_ones_is_a_spike() -> None:
    one = fresh()
    for at_s, active in [(1.0, False), (1.05, True), (1.08, False), (1.13, False)]:
        one.poll(at_s, active=active)
        assert one.settle(at_s) == []


def test_one_poll_between_two_far_ones_may_have_been_long() -> None:
    one = fresh()
    for at_s, active in [(1.0, False), (1.39, True), (1.42, False)]:
        one.poll(at_s, active=active)
    assert told(one.settle(1.46)) == [(True, 1.39), (False, 1.42)]


def test_half_a_pulse_that_nobody_saw_may_have_been_long() -> None:
    one = fresh()
    one.poll(1.0, active=False)
    one.edge(1.41, active=False)
    assert told(one.settle(1.5)) == [(True, 1.0), (False, 1.41)]
    near = fresh()
    near.poll(1.0, active=False)
    near.edge(1.39, active=False)
    assert near.settle(1.5) == []


def test_samples_of_one_moment_count_in_their_order() -> None:
    one = fresh()
    one.poll(0.0, active=True)  # the moment at which it was found inactive
    assert told(one.settle(0.03)) == [(True, 0.0)]
    one.poll(1.0, active=True)
    one.edge(1.0, active=False)
    assert told(one.settle(1.03)) == [(False, 1.0)]
    assert one.settle(2.0) == []


def lasting(runs: list[int], debounce: int) -> list[tuple[bool, float]]:
    """What must be told of alternating runs (ticks), the first inactive and long."""
    expected, now, level, state = [], 1000, False, False
    for ticks in runs:
        level = not level
        if ticks >= debounce and level is not state:
            state = level
            expected.append((level, round(now * TICK_S, 6)))
        now += ticks
    return expected


RUNS = st.lists(st.one_of(st.integers(1, 29), st.integers(30, 900)), max_size=40)


@given(runs=RUNS, looks=st.lists(st.integers(1, 700), max_size=60))
@settings(max_examples=400, deadline=None)
def test_what_lasts_is_told_once_with_its_beginning_and_nothing_else(
    runs: list[int], looks: list[int]
) -> None:
    """Edges come at once; the reader looks whenever it does, and polls before it settles."""
    one, changes = fresh(), []
    moments, now = [], 1000
    for ticks in runs:
        moments.append(now)
        now += ticks
    end, at = now, 1000
    plan = [(moment, "edge") for moment in moments]
    for step in looks:
        at += step
        if at < end:
            plan.append((at, "look"))
    level = False
    for moment, what in sorted(plan):
        if what == "edge":
            level = not level
            one.edge(moment * TICK_S, active=level)
        else:
            one.poll(moment * TICK_S, active=level)
            changes += one.settle(moment * TICK_S)
    changes += one.settle((end + 1000) * TICK_S)
    # The last run goes on: it has lasted by the end.
    expected = lasting([*runs[:-1], 5000] if runs else [], 30)
    assert told(changes) == expected
    assert [active for active, _ in told(changes)] == [i % 2 == 0 for i in range(len(changes))]


PULSES = st.lists(st.tuples(st.integers(400, 1500), st.integers(400, 1500)), max_size=6)


@given(
    pulses=PULSES,
    gaps=st.lists(st.integers(1, 390), min_size=1, max_size=40),
    kept=st.lists(st.booleans(), min_size=12, max_size=12),
)
@settings(max_examples=400, deadline=None)
def test_nothing_of_400_ms_is_missed_whatever_edges_are_lost(
    pulses: list[tuple[int, int]], gaps: list[int], kept: list[bool]
) -> None:
    """The reader comes back after less than 400 ms each time, and not when it had wanted to."""
    plan, now = [], 1000
    for i, (on, off) in enumerate(pulses):
        plan += [(now, "edge", True, kept[2 * i]), (now + on, "edge", False, kept[2 * i + 1])]
        now += on + off
    at, i = 1, 0
    while at < now + 800:
        plan.append((at, "look", False, True))
        at += gaps[i % len(gaps)]
        i += 1
    one, changes, level = fresh(), [], False
    for moment, what, active, arrives in sorted(plan, key=lambda step: step[0]):
        if what == "edge":
            level = active
            if arrives:
                one.edge(moment * TICK_S, active=level)
        else:
            one.poll(moment * TICK_S, active=level)
            changes += one.settle(moment * TICK_S)
    changes += one.settle((now + 2000) * TICK_S)
    assert [change.active for change in changes] == [True, False] * len(pulses)
    begins = 1000
    for change, (on, off) in zip(changes[::2], pulses, strict=True):
        # Within one of the reader's absences of the truth.
        assert abs(change.at_s - begins * TICK_S) <= NEVER_MISSED_S
        begins += on + off


SAMPLES = st.lists(
    st.tuples(st.floats(0, 20), st.booleans(), st.sampled_from(["edge", "poll", "settle"])),
    max_size=300,
)


@given(samples=SAMPLES)
@settings(max_examples=200, deadline=None)
def test_whatever_it_is_told_its_answers_alternate_and_its_memory_is_bounded(
    samples: list[tuple[float, bool, str]],
) -> None:
    one, changes = fresh(), []
    for at_s, active, what in samples:
        if what == "settle":
            changes += one.settle(at_s)
        else:
            getattr(one, what)(at_s, active=active)
        deadline_s = one.deadline_s
        assert deadline_s is None or deadline_s >= DEBOUNCE_S
        assert len(one._samples) <= 64
    changes += one.settle(99.0)
    assert [change.active for change in changes] == [i % 2 == 0 for i in range(len(changes))]
    assert one.settle(99.0) == []
