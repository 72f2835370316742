"""Somebody else where somebody was: in the gallery, and before the camera."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from gate_parts import DOCUMENT, LIN, REGISTRY, Gate

from agent.controller.effects import KeepBudgets, Release
from agent.controller.inputs import Observed, RegistryChanged, Tick
from agent.domain.access.rule import Rule
from agent.domain.sight.track import Box, Candidate, FaceSample, FaceTrack, Observation

FACE_RULE = Rule(frozenset({"resident"}))


@pytest.fixture
def gate():
    """A stranger was refused, so whoever comes next is looked at and waits."""
    gate = Gate(FACE_RULE)
    gate.stand("stranger", 1.6)
    assert gate.outcomes() == ["NoMatch"]
    return gate


def due_s(gate):
    """When the next attempt may be judged: known by looking, as somebody who waits does."""
    return gate.kiosk._lanes[0].attempts._pacer.not_before_s


def samples(gate, count, age_s=0.0):
    now_s = gate.clock.now().monotonic_s - age_s
    times = [now_s - (count - 1 - i) / 10 for i in range(count)]
    return tuple(FaceSample(t, str(t).encode(), Candidate(LIN, -0.3), None) for t in times)


def observe(gate, found, revision=1):
    now_s = gate.clock.now().monotonic_s
    track = FaceTrack(50, Box(0, 0, 99, 99), now_s, now_s, found)
    return gate.tell(Observed(Observation("front", now_s, track, {}, revision)))


def nothing_but_budgets(effects):
    return all(isinstance(effect, KeepBudgets) for effect in effects)


def test_without_a_change_whoever_waited_is_granted(gate):
    gate.clock.advance(due_s(gate) - gate.clock.now().monotonic_s - 0.1)
    assert nothing_but_budgets(observe(gate, samples(gate, 4)))
    gate.clock.advance(0.2)
    assert Release("turnstile", 3.0) in gate.tell(Tick())


def test_what_was_compared_with_the_gallery_before_opens_nothing_by_this_one(gate):
    gate.clock.advance(due_s(gate) - gate.clock.now().monotonic_s - 0.1)
    assert nothing_but_budgets(observe(gate, samples(gate, 4)))
    gate.clock.advance(0.2)
    gate.registry = replace(REGISTRY, revision=2)
    gate.tell(RegistryChanged(gate.registry))
    gate.tell(Tick())
    observe(gate, samples(gate, 4), revision=1)
    assert gate.opened() == 0
    # What is compared with the new one counts again.
    observe(gate, samples(gate, 4), revision=2)
    assert gate.opened() == 1


def test_a_card_that_ends_with_time_itself_is_no_crash():
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({DOCUMENT}),)))
    gate.lay(valid_until=date.max)
    assert gate.outcomes() == ["granted"]


def test_a_card_of_yesterday_is_expired():
    rule = Rule(frozenset({"resident"}), factors=(frozenset({DOCUMENT}),))
    gate = Gate(rule, utc=datetime(2026, 6, 2, 0, 0, tzinfo=UTC))
    gate.lay(valid_until=date(2026, 6, 1))
    assert gate.outcomes() == ["CredentialExpired"]
