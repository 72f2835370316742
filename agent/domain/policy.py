"""The only place where access is decided.

``decide`` walks one list of checks and answers with the first reason found; where none is, access
is granted. The order below is the precedence of reasons, from what concerns the kiosk to what
concerns the person, so that a trace names the deepest cause and an unknown face learns nothing
about anybody's rules:

    1  LockedDown               the access point is locked down
    2  SensorFault              the camera is dead or shows one frame for ever; the output failed
    3  FactorMissing            nothing was presented
    4  CredentialForged, ...    a pass or document is not believed, by the reason that it gave
    5  PresentationAttack       a model says the face is a picture of one
    6  HolderMismatch           credentials of two people, or a face that is not their holder's
    7  NoMatch                  no holder, or one that the registry does not know
    8  Ambiguous                by face alone: two holders fit, or they are too close to each other
    9  CredentialNotEnabled     the holder is disabled
    10 CredentialRevoked        the pass was
    11 Unauthorized             no rule for the holder's category here, or a pass for another place
    12 FactorMissing            too few or too old frames; by face alone: gallery too large, or no
                                attack detection and none waived
    13 ClockUntrusted           dates or a schedule count, and the time is not known
    14 CredentialNotActive      before the validity of holder, pass or document
    15 CredentialExpired        after it
    16 CredentialReplayed       the pass was used as often as it may be
    17 NotPermittedAtThisTime   outside the rule's schedule
    18 AntiPassback             the holder is inside already
    19 HealthCertificateInvalid the rule asks for one, and this one does not hold
    20 FactorMissing            the rule asks for more than was shown so far
    21 SensorFault              a temperature is asked for, and no fresh one is there
    22 ElevatedTemperature      it is above the rule's limit

A combination that is half finished is judged each time that something is added to it: 20 alone says
that all is well so far.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.evidence import Evidence
from agent.domain.gate_pass import GatePass
from agent.domain.holder import Holder
from agent.domain.instant import Instant
from agent.domain.presented import DocumentPresented
from agent.domain.reason import Reason
from agent.domain.rule import Rule
from agent.domain.situation import Case, Situation

PAD_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Decision:
    """Granted, or denied with one reason."""

    reason: Reason | None = None

    @property
    def granted(self) -> bool:
        """True where nothing speaks against it."""
        return self.reason is None


def decide(
    evidence: Evidence,
    holder: Holder | None,
    rule: Rule | None,
    situation: Situation,
    now: Instant,
) -> Decision:
    """Whether this evidence opens, for the holder whom it names, under the rule for them.

    Pure and total: whatever is missing or odd denies.
    """
    case = Case(evidence, holder, rule, situation, now)
    for check in PRECEDENCE:
        if (reason := check(case)) is not None:
            return Decision(reason)
    return Decision()


def _locked_down(case: Case) -> Reason | None:
    return Reason.LOCKED_DOWN if case.situation.locked_down else None


def _sensor(case: Case) -> Reason | None:
    frozen = case.evidence.face is not None and case.evidence.face.frozen
    return Reason.SENSOR_FAULT if case.situation.sensor_fault or frozen else None


def _presented(case: Case) -> Reason | None:
    evidence = case.evidence
    shown = (evidence.face, evidence.gate_pass, evidence.document, evidence.health)
    return Reason.FACTOR_MISSING if all(one is None for one in shown) else None


def _believed(case: Case) -> Reason | None:
    document = case.evidence.document
    if document is not None and document.reason is not None:
        return document.reason
    shown = case.evidence.gate_pass
    if shown is None or (shown.reason is None and shown.gate_pass is not None):
        return None
    return shown.reason or Reason.OTHER


def _attack(case: Case) -> Reason | None:
    face = case.evidence.face
    if face is None or face.pad_score is None or face.pad_score >= PAD_THRESHOLD:
        return None
    return Reason.PRESENTATION_ATTACK


def _mismatch(case: Case) -> Reason | None:
    holder, face, document = case.holder, case.evidence.face, case.evidence.document
    claims = case.claims
    if claims is not None and holder is not None and holder.id != claims.holder:
        return Reason.HOLDER_MISMATCH
    if face is not None and case.names_somebody:
        other = holder is not None and face.holder not in (None, holder.id)
        if other or (face.claimed and face.holder is None):
            return Reason.HOLDER_MISMATCH
    if claims is not None and document is not None and not _same_document(case, claims, document):
        return Reason.HOLDER_MISMATCH
    return None


def _same_document(case: Case, claims: GatePass, document: DocumentPresented) -> bool:
    """Whether the document is the pass's holder's: as the registry knows, or as the pass says."""
    if case.situation.document_holder is not None:
        return case.situation.document_holder == claims.holder
    return claims.document is not None and claims.document == document.community_hash


def _match(case: Case) -> Reason | None:
    face = case.evidence.face
    if case.names_somebody:
        return Reason.NO_MATCH if case.holder is None else None
    if face is None:
        return None  # a health certificate names nobody; what is missing is said below
    if face.ambiguous:
        return None  # answered by a check of its own
    if face.holder is None or case.holder is None or case.holder.id != face.holder:
        return Reason.NO_MATCH
    return None


def _ambiguous(case: Case) -> Reason | None:
    if case.names_somebody:
        return None
    face = case.evidence.face
    ambiguous = case.situation.too_close or (face is not None and face.ambiguous)
    return Reason.AMBIGUOUS if ambiguous else None


def _enabled(case: Case) -> Reason | None:
    if case.holder is None:
        return None if _nobody_named(case) else Reason.CREDENTIAL_NOT_ENABLED
    return None if case.holder.enabled else Reason.CREDENTIAL_NOT_ENABLED


def _revoked(case: Case) -> Reason | None:
    shown = case.claims is not None and case.situation.pass_revoked
    return Reason.CREDENTIAL_REVOKED if shown else None


def _authorized(case: Case) -> Reason | None:
    claims, place = case.claims, case.situation.place
    if claims is not None:
        here = (
            place is not None
            and place.community in claims.communities
            and (not claims.access_points or place.access_point in claims.access_points)
            and claims.kiosk in (None, place.kiosk)
        )
        if not here:
            return Reason.UNAUTHORIZED
    if case.rule is None:
        return None if _nobody_named(case) else Reason.UNAUTHORIZED
    return None


def _nobody_named(case: Case) -> bool:
    """Whether only a health certificate was shown so far, which is nobody's."""
    return case.evidence.face is None and not case.names_somebody


def _face(case: Case) -> Reason | None:
    face, situation = case.evidence.face, case.situation
    if face is None:
        return None
    if not case.names_somebody:
        if not situation.face_alone_suffices:
            return Reason.FACTOR_MISSING
        if face.pad_score is None and not situation.accept_no_pad:
            return Reason.FACTOR_MISSING
    elif not face.claimed:
        return Reason.FACTOR_MISSING
    needed = situation.requirements
    age_s = case.now.monotonic_s - face.newest_s
    fresh = 0.0 <= age_s <= needed.freshness_s
    if face.frames < needed.frames or face.span_s < needed.span_s or not fresh:
        return Reason.FACTOR_MISSING
    return None


def _clock(case: Case) -> Reason | None:
    if case.now.utc_trusted:
        return None
    scheduled = case.rule is not None and case.rule.schedule is not None
    starts, ends = case.validity
    bound = case.situation.at_least_utc
    if bound is None:
        return Reason.CLOCK_UNTRUSTED if scheduled or starts or ends else None
    # It is later than the bound: what has begun by then is active; what ended by then is said
    # below. A schedule needs the hour itself.
    begun = all(start <= bound for start in starts)
    return None if begun and not scheduled else Reason.CLOCK_UNTRUSTED


def _active(case: Case) -> Reason | None:
    starts, _ = case.validity
    late = all(start <= case.utc for start in starts)
    return None if late else Reason.CREDENTIAL_NOT_ACTIVE


def _expired(case: Case) -> Reason | None:
    _, ends = case.validity
    return None if all(case.utc < end for end in ends) else Reason.CREDENTIAL_EXPIRED


def _replayed(case: Case) -> Reason | None:
    limit = case.claims.uses if case.claims is not None else None
    used_up = limit is not None and case.situation.pass_uses >= limit
    return Reason.CREDENTIAL_REPLAYED if used_up else None


def _schedule(case: Case) -> Reason | None:
    schedule = case.rule.schedule if case.rule is not None else None
    if schedule is not None and not schedule.holds(case.now.utc):
        return Reason.NOT_PERMITTED_AT_THIS_TIME
    return None


def _passback(case: Case) -> Reason | None:
    return Reason.ANTI_PASSBACK if case.situation.passback else None


def _health(case: Case) -> Reason | None:
    health = case.evidence.health
    asked = case.rule is not None and case.rule.health_certificate
    invalid = asked and health is not None and health.reason is not None
    return Reason.HEALTH_CERTIFICATE_INVALID if invalid else None


def _complete(case: Case) -> Reason | None:
    face = case.evidence.face
    by_claim = face is not None and face.claimed
    if case.rule is None or not case.rule.satisfied(case.evidence.shown, by_claim=by_claim):
        return Reason.FACTOR_MISSING
    return None


def _temperature_known(case: Case) -> Reason | None:
    if case.rule is None or case.rule.temperature_limit_c is None:
        return None
    reading = case.evidence.temperature
    if reading is None or not math.isfinite(reading.temperature_c):
        return Reason.SENSOR_FAULT
    age_s = case.now.monotonic_s - reading.measured_s
    fresh = 0.0 <= age_s <= case.situation.temperature_max_age_s
    return None if fresh else Reason.SENSOR_FAULT


def _temperature(case: Case) -> Reason | None:
    limit_c = case.rule.temperature_limit_c if case.rule is not None else None
    reading = case.evidence.temperature
    if limit_c is None or reading is None:
        return None
    return None if reading.temperature_c <= limit_c else Reason.ELEVATED_TEMPERATURE


PRECEDENCE: tuple[Callable[[Case], Reason | None], ...] = (
    _locked_down,
    _sensor,
    _presented,
    _believed,
    _attack,
    _mismatch,
    _match,
    _ambiguous,
    _enabled,
    _revoked,
    _authorized,
    _face,
    _clock,
    _active,
    _expired,
    _replayed,
    _schedule,
    _passback,
    _health,
    _complete,
    _temperature_known,
    _temperature,
)
