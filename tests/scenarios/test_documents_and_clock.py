"""ID documents, health certificates and an untrusted clock beside the other factors."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from gate_parts import ANNA, DOCUMENT, FACE, GUEST, LIN, PASS, REGISTRY, Gate
from pass_parts import NOW, claims

from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.rule import Rule
from agent.domain.credential.reason import Reason


@pytest.fixture
def gate():
    return Gate()


# --- documents -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["pass first", "document first"])
def test_a_dual_check_needs_both_of_the_same_holder(order) -> None:
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({PASS, DOCUMENT}),)))
    for step in (gate.show, gate.lay) if order == "pass first" else (gate.lay, gate.show):
        step()
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)
    assert gate.last()["factors"] == ["id_document", "pass"]


@pytest.mark.parametrize("number", ["anna-hash", "unknown"])
def test_a_document_of_somebody_else_is_a_mismatch(number) -> None:
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({PASS, DOCUMENT}),)))
    gate.show()
    gate.lay(number)
    assert (gate.outcomes(), gate.opened()) == (["HolderMismatch"], 0)


def test_a_pass_that_names_the_document_needs_no_registry() -> None:
    empty = replace(REGISTRY, holders={}, documents={})
    both = (frozenset({PASS, DOCUMENT}),)
    gate = Gate(
        Rule(frozenset({"resident"}), factors=both, accept_unknown_holders=True), registry=empty
    )
    gate.show(claims(document="ab" * 16))
    gate.lay("unknown", community_hash="ab" * 16)
    assert gate.outcomes() == ["granted"]


def test_person_and_document_are_compared() -> None:
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({DOCUMENT, FACE}),)))
    gate.lay()
    gate.stand(ANNA, 3)
    gate.wait(15)
    gate.lay()
    gate.stand(LIN)
    assert gate.outcomes() == ["HolderMismatch", "granted"]
    assert gate.last()["factors"] == ["face", "id_document"]


@pytest.mark.parametrize(
    ("valid_until", "outcome"),
    [
        (NOW.date() - timedelta(days=1), "CredentialExpired"),
        (NOW.date(), "granted"),
        (None, "granted"),
    ],
)
def test_a_document_has_its_time(valid_until: date | None, outcome: str) -> None:
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({DOCUMENT}),)))
    gate.lay(valid_until=valid_until)
    assert gate.outcomes() == [outcome]


# --- health --------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["certificate", "pass"])
def test_a_category_may_need_a_health_certificate(first) -> None:
    rule = Rule(frozenset({"resident"}), factors=(frozenset({PASS}),), health_certificate=True)
    gate = Gate(rule)
    steps = (gate.certify, gate.show) if first == "certificate" else (gate.show, gate.certify)
    steps[0]()
    assert gate.outcomes() == []
    steps[1]()
    assert gate.outcomes() == ["granted"]


@pytest.mark.parametrize("first", ["certificate", "face"])
def test_a_face_and_a_health_certificate_open_in_any_order(first) -> None:
    gate = Gate(Rule(frozenset({"resident"}), health_certificate=True))
    if first == "face":
        gate.stand(LIN)
        assert gate.said() == [("waiting", ("health_certificate",))]
        gate.stand(LIN, 3, step_in=False)
        gate.certify()
        gate.stand(LIN, 0.5, step_in=False)
    else:
        gate.certify()
        gate.wait(1)
        gate.stand(LIN)
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)
    assert gate.last()["factors"] == ["face", "health_certificate"]


def test_another_face_beside_a_certificate_that_is_waited_for_is_another_attempt() -> None:
    gate = Gate(Rule(frozenset({"resident"}), health_certificate=True))
    gate.stand(LIN)
    gate.stand(ANNA, 0.5)
    assert (gate.outcomes(), gate.last()["holder"]) == (["FactorMissing"], LIN)
    gate.wait(3)
    gate.certify()
    gate.stand(ANNA, 1, step_in=False)
    assert (gate.opened(), gate.last()["holder"]) == (1, ANNA)


def test_a_face_that_left_does_not_open_with_the_certificate_that_comes_later() -> None:
    gate = Gate(Rule(frozenset({"resident"}), health_certificate=True))
    gate.stand(LIN)
    gate.wait(5)
    gate.certify()
    gate.wait(20)
    assert (gate.outcomes(), gate.opened()) == (["FactorMissing"], 0)


def test_a_stranger_with_a_certificate_is_judged_once() -> None:
    gate = Gate(Rule(frozenset({"resident"}), health_certificate=True))
    gate.certify()
    gate.stand(GUEST, 5, known=False)
    assert gate.outcomes() == ["NoMatch"]


def test_an_invalid_certificate_is_said_once_it_is_asked_for() -> None:
    rule = Rule(frozenset({"resident"}), factors=(frozenset({PASS}),), health_certificate=True)
    gate = Gate(rule)
    gate.show()
    assert gate.said()[-1] == ("waiting", ("health_certificate",))
    gate.certify(Reason.CREDENTIAL_EXPIRED)
    assert gate.outcomes() == ["HealthCertificateInvalid"]


def test_a_certificate_alone_names_nobody(gate) -> None:
    gate.certify()
    gate.wait(20)
    assert (gate.outcomes(), gate.last()["holder"]) == (["FactorMissing"], None)


# --- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latest", "lower_bound", "outcome"),
    [
        (None, False, "ClockUntrusted"),
        (NOW, False, "ClockUntrusted"),
        (None, True, "ClockUntrusted"),
        (NOW, True, "granted"),
        (NOW - timedelta(days=2), True, "ClockUntrusted"),
        (NOW + timedelta(days=2), True, "CredentialExpired"),
    ],
)
def test_before_the_clock_is_trusted(latest, lower_bound, outcome: str) -> None:
    gate = Gate(
        Rule(frozenset({"resident"}), factors=(frozenset({PASS}),)),
        judge_by_lower_bound=lower_bound,
        utc=NOW,
    )
    gate.clock.step_utc(0, trusted=False)
    gate.kiosk = Kiosk(gate.settings, REGISTRY, Memory(latest_utc=latest))
    gate.show()
    assert gate.outcomes() == [outcome]
