"""Whose attempt a draw is: what gives it back, and that none is let in without one."""

from dataclasses import replace

import pytest
from gate_parts import GUEST, LIN, PASS
from pass_parts import claims
from test_probing import CLEAR, FACE_RULE, GALLERY, MARGINAL, Street

from agent.controller.effects import KeepBudgets
from agent.controller.inputs import Commanded, FaultRaised, RegistryChanged, Stop
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.door.door_mode import Command

BEARER = Rule(frozenset({"visitor"}), factors=(frozenset({PASS}),))
A_DAYS_HALF = 0.025


def left(gate):
    """What the gate says is left of its budget, as it ends; whole where it never said anything."""
    gate.tell(Stop("done"))
    told = [effect.left for effect in gate.log if isinstance(effect, KeepBudgets)]
    return told[-1]["north-entry"] if told else A_DAYS_HALF


def test_a_pass_gives_nothing_back_of_a_stranger_who_has_gone():
    """Its holder comes when nobody stands before the camera any more."""
    gate, without = Street(FACE_RULE, BEARER), Street(FACE_RULE, BEARER)
    for _ in range(10):
        for each in (gate, without):
            each.come(-0.8, 2.0)
            each.wait(20)
        gate.show(claims(holder=GUEST, category="visitor"))
        for each in (gate, without):
            each.wait(20)
    assert gate.outcomes() == ["NoMatch", "granted"] * 10
    assert left(gate) == left(without) < A_DAYS_HALF


@pytest.mark.parametrize("why", ["lockdown", "fault", "second factor"])
def test_residents_whom_something_else_keeps_out_draw_nothing(why):
    asks = replace(FACE_RULE, health_certificate=True, factor_window_s=2.0)
    gate = Street(asks if why == "second factor" else FACE_RULE)
    if why == "lockdown":
        gate.tell(Commanded(Command.LOCK_DOWN, "north-entry", "uid:0 root"))
    elif why == "fault":
        gate.tell(FaultRaised(PartKind.CAMERA.part("front"), "no frames"))
    for _ in range(100):
        gate.come(CLEAR, 2.9)
        gate.wait(20)
    assert gate.opened() == 0
    assert len(gate.outcomes()) == 100
    assert gate.stages() == []
    assert left(gate) == A_DAYS_HALF


def test_who_stood_there_before_anybody_was_enrolled_draws_like_anybody_else():
    """Nothing could open when they came, so nothing was drawn; then somebody is enrolled."""
    gate = Street(registry=replace(GALLERY, references=0))
    gate.come(-0.8, 1.0, go=False)
    gate.registry = replace(GALLERY, revision=2)
    gate.tell(RegistryChanged(gate.registry))
    gate.track -= 1
    gate.come(MARGINAL, 1.0, who=LIN)
    assert gate.opened() == 0
    assert left(gate) < A_DAYS_HALF
