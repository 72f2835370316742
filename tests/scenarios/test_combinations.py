"""Pass and face at one access point: what opens together, what never does, what is said."""

from dataclasses import replace
from datetime import timedelta

import pytest
from gate_parts import ANNA, BOTH, FACE, GUEST, LIN, PASS, REGISTRY, Gate
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import NOW, claims

from agent.controller.effects import Consume, Record
from agent.controller.inputs import FaultRaised, RegistryChanged
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.part import Part
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.credential.reason import Reason


@pytest.fixture
def gate():
    return Gate()


# --- pass and face -------------------------------------------------------------------------------


def test_a_pass_and_its_holders_face_open(gate) -> None:
    gate.show()
    assert gate.said() == [("waiting", ("face",))]
    gate.stand(LIN)
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)
    data = gate.last()
    assert (data["holder"], data["factors"], data["compared"]) == (LIN, ["face", "pass"], "1:1")
    assert (data["pass"], data["missing"]) == ("00112233445566aa", [])
    assert gate.claim is None


def test_the_face_may_come_first(gate) -> None:
    gate.stand(LIN)
    gate.show()
    gate.stand(LIN, step_in=False)
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)


def test_a_kiosk_that_knows_nobody_compares_with_the_pass(gate) -> None:
    rule = Rule(frozenset({"resident"}), factors=BOTH, accept_unknown_holders=True)
    gate = Gate(rule, registry=replace(REGISTRY, holders={}, references=0, documents={}))
    gate.show()
    gate.stand(LIN)
    assert gate.outcomes() == ["granted"]


def test_or_not_where_the_rule_does_not_allow_it() -> None:
    gate = Gate(registry=replace(REGISTRY, holders={}, references=0, documents={}))
    gate.show()
    assert gate.outcomes() == ["NoMatch"]


def test_another_face_with_a_pass_is_a_mismatch(gate) -> None:
    gate.show()
    gate.stand(ANNA, 3)
    assert (gate.outcomes(), gate.opened()) == (["HolderMismatch"], 0)


def test_two_faces_and_one_pass_are_no_grant(gate) -> None:
    gate.show()
    gate.stand(ANNA, 0.6)
    gate.stand(LIN, 1.0)
    assert (gate.outcomes(), gate.opened()) == (["HolderMismatch"], 0)


def test_a_pass_alone_opens_nothing_and_says_what_is_missing(gate) -> None:
    gate.show()
    gate.wait(14.9)
    assert gate.outcomes() == []
    gate.wait(0.2)
    assert (gate.outcomes(), gate.opened()) == (["FactorMissing"], 0)
    assert gate.last()["missing"] == ["face"]
    gate.stand(LIN)
    assert gate.opened() == 0


def test_the_face_of_the_pass_before_is_not_that_of_the_next(gate) -> None:
    gate.show()
    gate.show(claims(id=PassId("ff" * 8), holder=ANNA))
    assert gate.outcomes() == ["FactorMissing"]
    gate.stand(LIN, 3)
    assert (gate.outcomes(), gate.opened()) == (["FactorMissing", "HolderMismatch"], 0)


def test_a_pass_lowered_for_a_moment_is_the_same_pass(gate) -> None:
    gate.show()
    gate.wait(2)
    gate.show()
    assert gate.outcomes() == []
    gate.stand(LIN)
    assert gate.outcomes() == ["granted"]


def test_a_pass_does_not_soften_a_rule_for_a_face_alone() -> None:
    """By search a face is held to more: attack detection, the gallery's threshold, twins."""
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({FACE}),)))
    gate.tell(RegistryChanged(replace(REGISTRY, too_close=frozenset({LIN}))))
    gate.show()
    gate.stand(LIN, 1.0)
    assert gate.opened() == 0
    assert gate.outcomes()[0] == "FactorMissing"


def test_a_pass_that_stays_is_judged_once(gate) -> None:
    gate.show()
    gate.stand(LIN)
    for _ in range(50):
        gate.show(again=True)
        gate.stand(LIN, 0.5, step_in=False)
    assert gate.outcomes() == ["granted"]


@pytest.mark.parametrize("reason", [Reason.CREDENTIAL_FORGED, Reason.OTHER])
def test_what_is_not_believed_is_denied_by_its_reason(gate, reason) -> None:
    gate.show(reason=reason)
    gate.stand(LIN)
    assert (gate.outcomes()[0], gate.opened()) == (reason.value, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"communities": frozenset({"hillside"})}, "Unauthorized"),
        ({"access_points": frozenset({"south-entry"})}, "Unauthorized"),
        ({"kiosk": "g3/north-2", "uses": 1}, "Unauthorized"),
        ({"category": "courier", "holder": GUEST}, "Unauthorized"),
        ({"valid_from": NOW + timedelta(hours=1)}, "CredentialNotActive"),
        ({"valid_until": NOW}, "CredentialExpired"),
        ({"valid_until": NOW - timedelta(minutes=1)}, "CredentialExpired"),
    ],
)
def test_what_a_pass_says_about_itself_counts_at_once(gate, changes, reason) -> None:
    gate.show(claims(**changes))
    assert gate.outcomes() == [reason]


def test_a_revoked_pass_and_a_disabled_holder(gate) -> None:
    gate.registry = replace(
        REGISTRY, revision=2, revoked=frozenset({claims().id}), holders=REGISTRY.holders
    )
    gate.tell(RegistryChanged(gate.registry))
    gate.show()
    disabled = replace(REGISTRY.holders[LIN], enabled=False)
    gate.registry = replace(REGISTRY, revision=3, holders={LIN: disabled})
    gate.tell(RegistryChanged(gate.registry))
    gate.wait(5)
    gate.show()
    assert gate.outcomes() == ["CredentialRevoked", "CredentialNotEnabled"]


def test_a_dead_camera_or_a_failed_door_denies(gate) -> None:
    gate.tell(FaultRaised(Part("camera:front"), "gone"))
    gate.show()
    assert gate.outcomes() == ["SensorFault"]


# --- uses ----------------------------------------------------------------------------------------


@pytest.fixture
def visitors():
    return Gate(Rule(frozenset({"visitor"}), factors=(frozenset({PASS}),)))


ONCE = claims(holder=GUEST, category="visitor", uses=1, kiosk="g3/north-1")


def test_a_pass_of_one_use_is_counted_before_the_door_moves(visitors) -> None:
    (consume, *_) = visitors.show(ONCE)
    assert isinstance(consume, Consume)
    assert (consume.gate_pass, consume.limit) == (ONCE.id, 1)
    kinds = [type(effect).__name__ for effect in consume.counted]
    assert kinds == ["Record", "Release", "Indicate"]
    (otherwise, _) = consume.otherwise
    assert isinstance(otherwise, Record)
    assert otherwise.draft.data["reason"] == "SensorFault"


def test_a_pass_of_one_use_for_two_communities_opens_in_neither() -> None:
    several = replace(ONCE, communities=frozenset({"lakeside", "hillside"}))
    for community in sorted(several.communities):
        gate = Gate(Rule(frozenset({"visitor"}), factors=(frozenset({PASS}),)))
        gate.settings = replace(gate.settings, community=community)
        gate.kiosk = Kiosk(gate.settings, REGISTRY)
        gate.show(several)
        gate.wait(5)
        gate.show(replace(ONCE, communities=frozenset({community})))
        assert gate.outcomes() == ["Unauthorized", "granted"]


def test_a_second_use_is_a_replay(visitors) -> None:
    visitors.show(ONCE)
    visitors.wait(5)
    visitors.show(ONCE)
    assert visitors.outcomes() == ["granted", "CredentialReplayed"]


def test_a_replay_is_known_after_a_restart_with_the_clock_set_back(visitors) -> None:
    visitors.kiosk = Kiosk(visitors.settings, REGISTRY, Memory(uses={ONCE.id: 1}))
    visitors.clock.step_utc(-20 * 3600)
    visitors.show(ONCE)
    assert visitors.outcomes() == ["CredentialReplayed"]


def test_a_ledger_that_failed_denies_passes_of_limited_use_only(visitors) -> None:
    visitors.tell(FaultRaised(Part("passes"), "disk"))
    visitors.show(ONCE)
    visitors.wait(5)
    visitors.show(claims(holder=GUEST, category="visitor"))
    assert visitors.outcomes() == ["SensorFault", "granted"]


def test_attempts_are_slowed_down(visitors) -> None:
    for number in range(200):
        visitors.show(claims(id=PassId(f"{number:016x}"), category="nobody"))
        visitors.wait(0.5)
    assert len(visitors.outcomes()) < 12


# --- whatever comes ------------------------------------------------------------------------------

STEPS = st.sampled_from(["lin", "anna", "stranger", "pass", "anna's pass", "forged", "wait"])


@given(st.lists(STEPS, max_size=14))
def test_no_order_of_people_and_passes_opens_for_the_wrong_one(steps) -> None:
    gate = Gate()
    for step in steps:
        before = gate.opened()
        match step:
            case "lin" | "anna" | "stranger":
                who = {"lin": LIN, "anna": ANNA}.get(step, HolderId("nobody"))
                gate.stand(who, 2.0)
                if gate.opened() > before:
                    assert gate.last()["holder"] == who
                    assert gate.last()["factors"] == ["face", "pass"]
            case "pass":
                gate.show()
            case "anna's pass":
                gate.show(claims(id=PassId("ff" * 8), holder=ANNA))
            case "forged":
                gate.show(reason=Reason.CREDENTIAL_FORGED)
            case _:
                gate.wait(5)
        if step not in ("lin", "anna"):
            assert gate.opened() == before
    assert gate.outcomes().count("granted") == gate.opened()
