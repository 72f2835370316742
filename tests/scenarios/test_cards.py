"""Cards before the gate: alone, with a face, lost, guessed, and in whose name."""

from dataclasses import replace
from datetime import timedelta

import pytest
from gate_parts import ANNA, FACE, GUEST, LIN, REGISTRY, Gate
from pass_parts import NOW, claims

from agent.controller.card_guesses import MOST_AT_ONCE, ONE_MORE_S
from agent.controller.effects import Record
from agent.controller.inputs import CredentialShown, RegistryChanged
from agent.domain.access.rule import Rule
from agent.domain.credential.card import Card
from agent.domain.credential.factor import Factor
from agent.domain.credential.presented import CardPresented
from agent.domain.credential.reason import Reason
from agent.domain.record.events import EventType

CARD = Factor.CARD
ALONE = Rule(frozenset({"resident"}), factors=(frozenset({CARD}),))
WITH_FACE = Rule(frozenset({"resident"}), factors=(frozenset({CARD, FACE}),))
EITHER = Rule(frozenset({"resident"}), factors=(frozenset({CARD}), frozenset({CARD, FACE})))
CARDS = {"lin-card": Card(LIN), "anna-card": Card(ANNA), "other": Card(LIN)}


class Pillar(Gate):
    """A gate with a card reader."""

    def __init__(self, *rules: Rule, cards=None, **settings):
        registry = replace(REGISTRY, cards=CARDS if cards is None else cards)
        super().__init__(*rules, registry=registry, **settings)

    def hold(self, card="lin-card", reason=None):
        self.presentation += 1
        now_s = self.clock.now().monotonic_s
        shown = CardPresented(self.presentation, now_s, card, reason)
        return self.tell(CredentialShown("north-entry", shown))


def drafts(gate, kind):
    return [
        effect.draft
        for effect in gate.log
        if isinstance(effect, Record)
        if effect.draft.type is kind
    ]


def test_a_card_alone_opens_where_a_rule_says_so_and_its_event_names_no_card() -> None:
    gate = Pillar(ALONE)
    gate.hold()
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)
    (event,) = drafts(gate, EventType.ACCESS_GRANTED)
    assert event.data["holder"] == LIN
    assert event.data["factors"] == ["card"]
    assert "lin-card" not in repr(event)


def test_a_card_alone_opens_nothing_where_no_rule_says_so() -> None:
    gate = Pillar(WITH_FACE)
    gate.hold()
    gate.wait(20)
    assert (gate.outcomes(), gate.opened()) == (["FactorMissing"], 0)


def test_with_the_holders_face_compared_one_to_one() -> None:
    gate = Pillar(WITH_FACE)
    gate.hold()
    gate.stand(LIN, 1.0, known=False)
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)
    (event,) = drafts(gate, EventType.ACCESS_GRANTED)
    assert event.data["compared"] == "1:1"


def test_the_face_first_and_then_the_card() -> None:
    gate = Pillar(WITH_FACE, cards=CARDS)
    gate.stand(LIN, 1.0)
    gate.hold()
    gate.stand(LIN, 1.0, step_in=False)
    assert gate.opened() == 1


def test_another_face_than_the_holders_is_a_mismatch() -> None:
    gate = Pillar(WITH_FACE)
    gate.hold()
    gate.stand(ANNA, 2.0)
    assert (gate.outcomes(), gate.opened()) == (["HolderMismatch"], 0)


def test_a_card_and_a_pass_of_two_people_are_a_mismatch() -> None:
    gate = Pillar(Rule(frozenset({"resident"}), factors=(frozenset({CARD, Factor.PASS}),)))
    gate.hold("anna-card")
    gate.show(claims())
    assert gate.opened() == 0
    gate.wait(20)
    gate.hold("lin-card")
    gate.show(claims())
    assert gate.opened() == 1


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (Card(LIN, valid_until=NOW - timedelta(days=1)), "CredentialExpired"),
        (Card(LIN, valid_from=NOW + timedelta(days=1)), "CredentialNotActive"),
        (Card(GUEST), "NoMatch"),
    ],
)
def test_validity_is_the_cards_own(card: Card, reason: str) -> None:
    gate = Pillar(ALONE, cards={"lin-card": card})
    gate.hold()
    assert (gate.outcomes(), gate.opened()) == ([reason], 0)


def test_what_cannot_be_read_whole_is_denied() -> None:
    gate = Pillar(ALONE)
    gate.hold("", Reason.OTHER)
    assert (gate.outcomes(), gate.opened()) == (["Other"], 0)


def test_a_lost_card_opens_nothing_from_the_moment_it_is_unbound() -> None:
    gate = Pillar(ALONE)
    gate.tell(RegistryChanged(replace(gate.registry, revision=2, cards={})))
    gate.hold()
    assert (gate.outcomes(), gate.opened()) == (["NoMatch"], 0)


def test_a_card_that_opens_never_waits_behind_those_that_do_not() -> None:
    gate = Pillar(ALONE)
    for number in range(MOST_AT_ONCE - 1):
        gate.hold(f"bank card {number}")
    gate.hold()
    assert gate.opened() == 1


def guess(gate, first=0, count=MOST_AT_ONCE):
    for number in range(first, first + count):
        gate.hold(f"made up {number}")


def test_guessing_ends_with_the_tenth_card_and_is_told_once() -> None:
    gate = Pillar(ALONE)
    guess(gate, count=50)
    (event,) = drafts(gate, EventType.CARDS_GUESSED)
    assert event.data["wrong_cards"] == MOST_AT_ONCE
    assert event.access_point == "north-entry"
    gate.hold()
    assert gate.opened() == 0
    # Each was tried, and few were told: the journal is nobody's to fill.
    assert len(drafts(gate, EventType.ACCESS_DENIED)) < 10


def test_a_day_of_guessing_tries_no_more_than_the_bound() -> None:
    gate = Pillar(ALONE)
    hits = tried = 0
    step_s = ONE_MORE_S / 5
    for number in range(5 * 48):
        before = gate.opened()
        gate.hold()  # as if the guess had been right
        hits += gate.opened() > before
        guess(gate, 1000 * (number + 1), 30)
        tried += 30
        gate.clock.advance(step_s)
    assert tried == 7200
    assert hits <= MOST_AT_ONCE + 48


def test_while_a_card_alone_is_not_enough_its_holders_face_beside_it_is() -> None:
    gate = Pillar(EITHER)
    guess(gate)
    gate.hold()
    assert gate.opened() == 0
    gate.stand(LIN, 1.0, known=False)
    assert gate.opened() == 1


def test_the_same_unknown_card_again_is_no_second_guess() -> None:
    gate = Pillar(ALONE)
    for _ in range(60):
        gate.hold("a bank card")
        gate.wait(1)
    assert drafts(gate, EventType.CARDS_GUESSED) == []
    gate.hold()
    assert gate.opened() == 1


def test_half_an_hour_gives_one_more() -> None:
    gate = Pillar(ALONE)
    guess(gate)
    gate.clock.advance(ONE_MORE_S + 1.0)
    gate.hold()
    assert gate.opened() == 1
