"""Pictures of faces: a face counts only where attack detection looked, or none is asked for."""

from itertools import product

import pytest
from gate_parts import ANNA, BOTH, DOCUMENT, FACE, LIN, PASS, Gate
from test_probing import FACE_RULE, Street
from test_what_draws import A_DAYS_HALF, left

from agent.controller.effects import Indicate
from agent.domain.access.hints import messages_of
from agent.domain.access.indication import Indication, Outcome
from agent.domain.access.rule import Rule, face_without_pad
from agent.domain.credential.reason import Reason

RESIDENT = frozenset({"resident"})
ALONE = (frozenset({FACE}),)
PAPERS = (frozenset({FACE, DOCUMENT}),)
NAN = float("nan")


def came(gate: Gate, factors, who=LIN, *, pad=None) -> list[str]:
    """What becomes of somebody who shows all that the factors ask for."""
    if PASS in factors[0]:
        gate.show()
    if DOCUMENT in factors[0]:
        gate.lay()
    gate.stand(who, pad=pad)
    gate.wait(20.0)
    found: list[str] = gate.outcomes()
    return found


@pytest.mark.parametrize("factors", [ALONE, BOTH, PAPERS], ids=["face", "pass+face", "document"])
@pytest.mark.parametrize(("general", "own"), list(product([False, True], [None, False, True])))
def test_without_attack_detection_a_face_counts_only_where_the_rule_accepts_it(
    factors, general, own
):
    rule = Rule(RESIDENT, factors=factors, accept_no_pad=own)
    gate = Gate(rule, accept_no_pad=general)
    accepted = general if own is None else own
    assert came(gate, factors) == ["granted" if accepted else "FactorMissing"]
    assert face_without_pad([rule], accept_no_pad=general) is accepted


@pytest.mark.parametrize("factors", [ALONE, BOTH, PAPERS], ids=["face", "pass+face", "document"])
@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(
    ("pad", "said"), [(0.9, "granted"), (0.5, "granted"), (0.1, None), (NAN, None)]
)
def test_with_it_its_word_counts_in_every_factor(factors, accepted, pad, said):
    gate = Gate(Rule(RESIDENT, factors=factors), accept_no_pad=accepted)
    found = came(gate, factors, pad=pad)
    assert found[0] == (said or "PresentationAttack")
    assert gate.opened() == (said == "granted")


def test_a_stricter_threshold_is_held_to():
    rule = Rule(RESIDENT, factors=ALONE)
    assert came(Gate(rule, pad_threshold=0.95), ALONE, pad=0.9)[0] == "PresentationAttack"


def test_what_opens_without_a_face_needs_no_attack_detection():
    gate = Gate(Rule(RESIDENT, factors=(frozenset({PASS}),)), accept_no_pad=False)
    gate.show()
    assert gate.outcomes() == ["granted"]


def test_a_document_that_is_enough_opens_whatever_the_face_counts():
    factors = (frozenset({FACE, PASS}), frozenset({DOCUMENT}))
    gate = Gate(Rule(RESIDENT, factors=factors), accept_no_pad=False)
    gate.stand(LIN)
    gate.lay()
    assert gate.outcomes()[-1] == "granted"


def test_an_attack_is_told_as_not_recognised():
    gate = Gate(Rule(RESIDENT, factors=ALONE))
    gate.stand(ANNA, pad=0.01)
    assert gate.outcomes() == ["PresentationAttack"]
    told = [one.indication for one in gate.log if isinstance(one, Indicate)][-1]
    assert told == Indication("north-entry", Outcome.DENIED, (), Reason.PRESENTATION_ATTACK)
    assert messages_of(told) == ("denied.try_again",)
    assert gate.last()["pad_score"] == pytest.approx(0.01)


@pytest.mark.parametrize(("pad", "whole"), [(0.9, True), (0.01, False)])
def test_an_attack_is_an_attempt_without_a_grant(pad, whole):
    gate = Street(FACE_RULE)
    gate.stand(LIN, pad=pad)
    gate.wait(20.0)
    assert gate.outcomes() == ["granted" if whole else "PresentationAttack"]
    assert (left(gate) == A_DAYS_HALF) is whole
