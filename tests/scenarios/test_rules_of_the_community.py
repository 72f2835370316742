"""Rules that the community gives while the gate stands there: in force with the next registry."""

from dataclasses import replace

from gate_parts import LIN, REGISTRY, Gate

from agent.controller.inputs import RegistryChanged
from agent.domain.access.community_rules import CommunityRules
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor

FACE, PASS = frozenset({Factor.FACE}), frozenset({Factor.PASS})
BY_FACE = Rule(frozenset({"resident"}), factors=(FACE,))
BOTH = Rule(frozenset({"resident"}), factors=(FACE | PASS,))


def given(gate: Gate, rules: CommunityRules) -> None:
    gate.registry = replace(gate.registry, revision=gate.registry.revision + 1, rules=rules)
    gate.tell(RegistryChanged(gate.registry))


def test_a_stricter_rule_holds_from_its_coming_and_no_longer_than_it_is_said() -> None:
    gate = Gate(BY_FACE)
    gate.stand(LIN)
    assert gate.outcomes() == ["granted"]
    given(gate, CommunityRules({"resident": (BOTH,)}))
    gate.wait(30)
    gate.stand(LIN)
    gate.wait(30)
    assert gate.opened() == 1
    given(gate, CommunityRules())
    gate.stand(LIN)
    assert gate.opened() == 2


def test_a_category_without_any_rule_passes_no_more() -> None:
    gate = Gate(BY_FACE)
    given(gate, CommunityRules({"resident": ()}))
    gate.stand(LIN)
    gate.wait(30)
    assert "granted" not in gate.outcomes()
    assert gate.outcomes() != []


def test_where_rules_are_lost_nobody_passes_by_the_configs() -> None:
    gate = Gate(BY_FACE, registry=replace(REGISTRY, rules=CommunityRules(lost=True)))
    gate.stand(LIN)
    gate.wait(30)
    assert "granted" not in gate.outcomes()


def test_faces_are_drawn_for_where_only_the_community_lets_a_face_open_alone() -> None:
    gate = Gate(Rule(frozenset({"resident"}), factors=(PASS,)))
    searched = [lane.attempts.false_grants.searches for lane in gate.kiosk._lanes]
    given(gate, CommunityRules({"resident": (BY_FACE,)}))
    searched += [lane.attempts.false_grants.searches for lane in gate.kiosk._lanes]
    assert searched == [False, True]
    gate.stand(LIN)
    assert gate.outcomes() == ["granted"]
