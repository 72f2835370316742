"""Several factors at one access point: what opens together, what never does, and what is said."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import NOW, claims

from agent.adapters.simulators.clock import ManualClock
from agent.controller.combination import Claim
from agent.controller.effects import Compare, Consume, Effect, Indicate, Record, Release
from agent.controller.inputs import CredentialShown, FaultRaised, Observed, RegistryChanged, Tick
from agent.controller.judge import KioskSettings
from agent.controller.kiosk import Kiosk
from agent.controller.lane import LaneSettings
from agent.domain.evidence import Box, Candidate, ClaimScore, FaceSample, FaceTrack, Observation
from agent.domain.factor import Factor
from agent.domain.gate_pass import PassId
from agent.domain.holder import Holder, HolderId
from agent.domain.operating_point import OperatingPoint
from agent.domain.presented import DocumentPresented, HealthPresented, PassPresented
from agent.domain.reason import Reason
from agent.domain.registry import Registry
from agent.domain.rule import Rule

LIN, ANNA, GUEST = HolderId("lin.2"), HolderId("anna"), HolderId("guest.7")
FACE, PASS, DOCUMENT = Factor.FACE, Factor.PASS, Factor.ID_DOCUMENT
BOTH = (frozenset({FACE, PASS}),)
LANE = LaneSettings("north-entry", "entry", "front", "turnstile", pulse_s=3.0, max_pulse_s=10.0)
REGISTRY = Registry(
    revision=1,
    holders={LIN: Holder(LIN, "Lin", "resident"), ANNA: Holder(ANNA, "Anna", "resident")},
    references=2,
    operating=OperatingPoint(-0.5, 1e-3, extrapolated=False, sufficient=True),
    too_close=frozenset(),
    pack="dlib",
    pack_version="1",
    claim_threshold=-0.5,
    documents={"lin-hash": LIN, "anna-hash": ANNA},
)


class Gate:
    """A kiosk, its clock, and people who stand before it with what they carry."""

    def __init__(self, *rules: Rule, registry: Registry = REGISTRY, utc=NOW, **settings):
        self.clock = ManualClock(utc=utc)
        self.registry = registry
        self.settings = KioskSettings(
            lanes=(LANE,),
            rules=rules or (Rule(frozenset({"resident"}), factors=BOTH),),
            boot_id="boot",
            accept_no_pad=True,
            community="lakeside",
            kiosk="g3/north-1",
            **settings,
        )
        self.kiosk = Kiosk(self.settings, registry)
        self.claim: Claim | None = None
        self.track = 0
        self.presentation = 100
        self.log: list[Effect] = []

    def tell(self, happened):
        effects = list(self.kiosk.handle(happened, self.clock.now()))
        for effect in effects:
            self.log += effect.counted if isinstance(effect, Consume) else [effect]
            if isinstance(effect, Compare):
                self.claim = effect.claim
        return effects

    def show(self, one=None, *, reason=None, again=False):
        if not again:
            self.presentation += 1
        now_s = self.clock.now().monotonic_s
        gate_pass = None if reason else one or claims()
        shown = PassPresented(self.presentation, now_s, gate_pass, reason)
        return self.tell(CredentialShown("north-entry", shown))

    def lay(self, number="lin-hash", **more):
        self.presentation += 1
        now_s = self.clock.now().monotonic_s
        shown = DocumentPresented(self.presentation, now_s, number, **more)
        return self.tell(CredentialShown("north-entry", shown))

    def certify(self, reason=None):
        self.presentation += 1
        shown = HealthPresented(self.presentation, self.clock.now().monotonic_s, reason)
        return self.tell(CredentialShown("north-entry", shown))

    def stand(self, who, seconds=1.0, *, known=True, step_in=True):
        """``who`` stands there; the gallery knows them or not."""
        if step_in:
            self.track += 1
            self.samples: list[FaceSample] = []
        for _ in range(round(seconds * 10)):
            now_s = self.clock.now().monotonic_s
            claim = None
            if self.claim is not None:
                score = -0.3 if self.claim.holder == who else -0.8
                claim = ClaimScore(self.claim.id, score)
            best = Candidate(who, -0.3) if known and who in self.registry.holders else None
            content = f"{who} {now_s}".encode()
            sample = FaceSample(now_s, content, best, None, claim=claim)
            self.samples = [*self.samples, sample][-12:]
            track = FaceTrack(self.track, Box(0, 0, 99, 99), now_s, now_s, tuple(self.samples))
            self.tell(Observed(Observation("front", now_s, track, {}, self.registry.revision)))
            self.clock.advance(0.1)

    def wait(self, seconds):
        self.clock.advance(seconds)
        self.tell(Tick())

    def outcomes(self):
        events = [effect.draft for effect in self.log if isinstance(effect, Record)]
        return [(e.data.get("reason") or "granted") for e in events if "access" in e.type]

    def opened(self):
        return sum(isinstance(effect, Release) for effect in self.log)

    def said(self):
        return [(one.outcome, one.waiting_for) for one in self.log if isinstance(one, Indicate)]

    def last(self):
        return [effect.draft for effect in self.log if isinstance(effect, Record)][-1].data


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
    gate = Gate(registry=replace(REGISTRY, holders={}, references=0, documents={}))
    gate.show()
    gate.stand(LIN)
    assert gate.outcomes() == ["granted"]


def test_or_not_where_the_config_forbids_it() -> None:
    empty = replace(REGISTRY, holders={}, references=0, documents={})
    gate = Gate(registry=empty, accept_unknown_holders=False)
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
    gate.tell(FaultRaised("camera:front", "gone"))
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


def test_a_second_use_is_a_replay(visitors) -> None:
    visitors.show(ONCE)
    visitors.wait(5)
    visitors.show(ONCE)
    assert visitors.outcomes() == ["granted", "CredentialReplayed"]


def test_a_replay_is_known_after_a_restart_with_the_clock_set_back(visitors) -> None:
    visitors.kiosk = Kiosk(visitors.settings, REGISTRY, uses={ONCE.id: 1})
    visitors.clock.step_utc(-20 * 3600)
    visitors.show(ONCE)
    assert visitors.outcomes() == ["CredentialReplayed"]


def test_a_ledger_that_failed_denies_passes_of_limited_use_only(visitors) -> None:
    visitors.tell(FaultRaised("passes", "disk"))
    visitors.show(ONCE)
    visitors.wait(5)
    visitors.show(claims(holder=GUEST, category="visitor"))
    assert visitors.outcomes() == ["SensorFault", "granted"]


def test_attempts_are_slowed_down(visitors) -> None:
    for number in range(200):
        visitors.show(claims(id=PassId(f"{number:016x}"), category="nobody"))
        visitors.wait(0.5)
    assert len(visitors.outcomes()) < 12


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
    gate = Gate(
        Rule(frozenset({"resident"}), factors=(frozenset({PASS, DOCUMENT}),)), registry=empty
    )
    gate.show(claims(document="ab" * 16))
    gate.lay("unknown", community_hash="ab" * 16)
    assert gate.outcomes() == ["granted"]


def test_person_and_document_are_compared() -> None:
    gate = Gate(Rule(frozenset({"resident"}), factors=(frozenset({DOCUMENT, FACE}),)))
    gate.lay()
    gate.stand(ANNA, 3)
    gate.wait(5)
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
    gate.kiosk = Kiosk(gate.settings, REGISTRY, latest_utc=latest)
    gate.show()
    assert gate.outcomes() == [outcome]


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
