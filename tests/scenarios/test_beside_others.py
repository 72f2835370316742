"""A resident who comes while somebody else's credential waits: it delays nobody's own face."""

from dataclasses import replace

import pytest
from gate_parts import DOCUMENT, FACE, GUEST, LIN, PASS
from pass_parts import claims
from test_probing import CLEAR, FACE_RULE, Street

from agent.domain.access.rule import Rule

VISITORS = frozenset({"visitor"})
BY_CARD_AND_PASS = Rule(VISITORS, factors=(frozenset({PASS, DOCUMENT}),))
BY_FACE_AND_PASS = Rule(VISITORS, factors=(frozenset({PASS, FACE}),))


@pytest.mark.parametrize("rule", [BY_CARD_AND_PASS, BY_FACE_AND_PASS])
def test_the_face_is_judged_by_itself_within_three_seconds(rule):
    """The visitor's pass carries no template, and the rule asks for a document or for the face."""
    gate = Street(FACE_RULE, rule)
    gate.show(claims(holder=GUEST, category="visitor"))
    gate.wait(1)
    gate.come(CLEAR, 2.9)
    assert gate.outcomes() == ["HolderMismatch", "granted"]
    assert gate.last()["holder"] == LIN
    assert gate.last()["pass"] is None


@pytest.mark.parametrize("rule", [BY_CARD_AND_PASS, BY_FACE_AND_PASS])
def test_again_and_again(rule):
    """A stranger never lets go of the pass, and residents come one after the other."""
    gate = Street(FACE_RULE, rule)
    for number in range(10):
        gate.show(claims(holder=GUEST, category="visitor"))
        gate.come(CLEAR, 3.0)
        assert gate.opened() == number + 1


def test_a_stranger_beside_it_ends_nothing():
    gate = Street(FACE_RULE, BY_FACE_AND_PASS)
    gate.show(claims(holder=GUEST, category="visitor"))
    gate.come(-0.8, 5.0)
    assert gate.outcomes() == []
    gate.wait(15)
    assert gate.outcomes() == ["FactorMissing"]


def test_whom_two_credentials_wait_for_is_nobody_else():
    """The pass's own holder, found by search, is no other."""
    own = replace(FACE_RULE, factors=(frozenset({PASS, DOCUMENT}),))
    gate = Street(own, Rule(VISITORS))
    gate.show(claims(holder=LIN))
    gate.come(CLEAR, 2.0)
    assert gate.outcomes() == []
