"""Whose rules hold: the community's over the config's, and nobody's where one is lost."""

import pytest

from agent.domain.access.community_rules import CommunityRules
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor

PASS, FACE = (frozenset({Factor.PASS}),), (frozenset({Factor.FACE}),)
RESIDENTS = Rule(frozenset({"resident", "tenant"}), factors=FACE)
VISITORS = Rule(frozenset({"visitor", "tenant"}), factors=PASS)
CONFIG = (RESIDENTS, VISITORS)


def of(rules: tuple[Rule, ...], category: str) -> list[Rule]:
    return [rule for rule in rules if category in rule.categories]


def test_without_any_the_configs_hold() -> None:
    assert CommunityRules().over(CONFIG) == CONFIG


def test_a_category_that_was_given_rules_has_these_alone() -> None:
    given = Rule(frozenset({"tenant"}), factors=PASS)
    rules = CommunityRules({"tenant": (given,)}).over(CONFIG)
    assert of(rules, "tenant") == [given]
    assert [one.factors for one in of(rules, "resident")] == [FACE]
    assert [one.factors for one in of(rules, "visitor")] == [PASS]


def test_a_category_that_was_given_none_passes_by_none() -> None:
    rules = CommunityRules({"resident": ()}).over(CONFIG)
    assert of(rules, "resident") == []
    assert len(of(rules, "tenant")) == 2


def test_a_rule_with_fewer_categories_believes_nobody_whom_it_did_not() -> None:
    assert not VISITORS.believes_unknown
    (left,) = of(CommunityRules({"tenant": ()}).over(CONFIG), "visitor")
    assert left.categories == {"visitor"}
    assert not left.believes_unknown


@pytest.mark.parametrize("before", [None, CommunityRules({"tenant": ()})])
def test_where_one_is_lost_the_configs_hold_for_nobody_until_it_is_known_again(before) -> None:
    given = Rule(frozenset({"visitor"}), factors=PASS)
    lost = CommunityRules({"visitor": (given,)}, lost=True)
    assert lost.over(CONFIG) == (given,)
    assert lost.completed(CommunityRules(lost=True)) == lost
    if before is not None:
        again = lost.completed(before)
        assert of(again.over(CONFIG), "tenant") == []
        assert of(again.over(CONFIG), "visitor") == [given]
        assert of(again.over(CONFIG), "resident") != []
