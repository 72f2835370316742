"""The only place where access is decided.

``decide`` walks one list of checks and answers with the first reason found; where none is, access
is granted. The order below is the precedence of reasons, from what concerns the kiosk to what
concerns the person, so that a trace names the deepest cause and an unknown face learns nothing
about anybody's rules:

    1  LockedDown               the access point is locked down
    2  SensorFault              the camera is dead or shows one frame for ever; the output failed;
                                the registry cannot be read any more
    3  FactorMissing            nothing was presented
    4  CredentialForged, ...    a pass, document or card is not believed, by the reason that it gave
    5  PresentationAttack       a model, the thermometer or another cue that may deny says the face
                                is a picture of one (SensorFault: the infrared camera says nothing)
    6  HolderMismatch           credentials of two people, a face that is not their holder's, or a
                                credential that is locked because it met too many such faces
    7  CredentialRevoked        the pass is older than the removal of its holder
    8  NoMatch                  no holder, or one that the registry does not know
    9  Ambiguous                by face alone: two holders fit, or they are too close to each other
    10 CredentialNotEnabled     the holder is disabled, or their row in the registry is damaged
    11 CredentialRevoked        the pass was
    12 Unauthorized             no rule for the holder's category here; a pass for another place or
                                beyond its issuer's limits, or whose uses several kiosks would count
    13 FactorMissing            too few or too old frames; by face alone: gallery too large; where
                                a face is needed: no attack detection and none waived
    14 ClockUntrusted           dates or a schedule count, and the time is not known
    15 CredentialNotActive      before the validity of holder, pass or document, or a pass that was
                                issued in what is the future by this clock
    16 CredentialExpired        after it
    17 CredentialReplayed       the pass was used as often as it may be
    18 NotPermittedAtThisTime   outside the rule's schedule
    19 AntiPassback             the holder is inside already
    20 HealthCertificateInvalid the rule asks for one, or nothing else was shown, and this one does
                                not hold
    21 FactorMissing            the rule asks for more than was shown so far
    22 SensorFault              a temperature is asked for, and none that is fresh and reliable is
                                there (a rule may let that pass with a warning)
    23 ElevatedTemperature      it is above the rule's limit (likewise)
    24 FactorMissing            the rule asks that the face turn as a challenge says, and it did not

A combination that is half finished is judged each time that something is added to it: 21 alone says
that all is well so far, and 24 that the turn of the head alone is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.access.cues import denied_by_cue
from agent.domain.access.evidence import Evidence
from agent.domain.access.rule import Rule
from agent.domain.access.situation import Case, Situation
from agent.domain.access.warmth import WARNINGS, Warned, not_skin, temperature, temperature_known
from agent.domain.credential.factor import Factor
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.holder import Holder
from agent.domain.credential.presented import DocumentPresented
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.domain.skin.thermal_cue import AttackCue


@dataclass(frozen=True, slots=True)
class Decision:
    """Granted, or denied with one reason; ``warnings`` stand beside either.

    ``limit_c`` is the skin temperature above which a reading was elevated, where one was asked for.
    """

    reason: Reason | None = None
    warnings: tuple[Warned, ...] = ()
    limit_c: float | None = None

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
    warnings = tuple(word for word, holds in WARNINGS if holds(case))
    reading = evidence.temperature
    baseline_c = reading.baseline_c if reading is not None else None
    limit_c = rule.limit_c(baseline_c) if rule is not None else None
    for check in PRECEDENCE:
        if (reason := check(case)) is not None:
            return Decision(reason, warnings, limit_c)
    return Decision(None, warnings, limit_c)


def _locked_down(case: Case) -> Reason | None:
    return Reason.LOCKED_DOWN if case.situation.locked_down else None


def _sensor(case: Case) -> Reason | None:
    frozen = case.evidence.face is not None and case.evidence.face.frozen
    return Reason.SENSOR_FAULT if case.situation.sensor_fault or frozen else None


def _presented(case: Case) -> Reason | None:
    evidence = case.evidence
    shown = (
        *(evidence.face, evidence.gate_pass, evidence.document),
        *(evidence.card, evidence.health),
    )
    return Reason.FACTOR_MISSING if all(one is None for one in shown) else None


def _believed(case: Case) -> Reason | None:
    document = case.evidence.document
    if document is not None and document.reason is not None:
        return document.reason
    card = case.evidence.card
    if card is not None and card.reason is not None:
        return card.reason
    shown = case.evidence.gate_pass
    if shown is None or (shown.reason is None and shown.gate_pass is not None):
        return None
    return shown.reason or Reason.OTHER


def _attack(case: Case) -> Reason | None:
    """The least of the scores that are there, each against its own threshold.

    Either sees attacks that the other cannot: a model a print that a hand has warmed, a thermometer
    a screen that is sharper than the camera. Where both are there, both must say that it is a face.
    """
    face = case.evidence.face
    if face is None:
        return None
    model = face.pad_score is not None and not face.pad_score >= case.situation.pad_threshold
    cold = case.situation.attack_cue is AttackCue.DENY and not_skin(case)
    if model or cold:
        return Reason.PRESENTATION_ATTACK
    return denied_by_cue(case.evidence, case.situation.cues)


def _mismatch(case: Case) -> Reason | None:
    holder, face, document = case.holder, case.evidence.face, case.evidence.document
    claims = case.claims
    if case.situation.credential_locked:
        return Reason.HOLDER_MISMATCH
    if claims is not None and holder is not None and holder.id != claims.holder:
        return Reason.HOLDER_MISMATCH
    if case.evidence.card is not None and holder is not None:
        known = case.situation.card
        if known is None or known.holder != holder.id:
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


def _buried(case: Case) -> Reason | None:
    shown = case.claims is not None and case.situation.pass_buried
    return Reason.CREDENTIAL_REVOKED if shown else None


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
            and claims.counted_by_one
        )
        # Who is known here has the rights of their own category, which the pass does not name.
        stranger = case.holder is not None and not claims.may_be_of(case.holder.category)
        if not here or stranger:
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
    elif not face.claimed:
        return Reason.FACTOR_MISSING
    if not case.face_counts and not _enough_without_face(case):
        return Reason.FACTOR_MISSING
    needed = situation.requirements
    age_s = case.now.monotonic_s - face.newest_s
    fresh = 0.0 <= age_s <= needed.freshness_s
    if face.frames < needed.frames or face.span_s < needed.span_s or not fresh:
        return Reason.FACTOR_MISSING
    return None


def _enough_without_face(case: Case) -> bool:
    """Whether what was shown beside the face opens by itself, whoever's face that is."""
    others = case.evidence.shown - {Factor.FACE}
    return case.rule is not None and case.rule.satisfied(others, by_claim=False)


def _clock(case: Case) -> Reason | None:
    if case.now.utc_trusted:
        return None
    scheduled = case.rule is not None and case.rule.schedule is not None
    starts, ends = case.validity
    bounds = case.bounds
    if bounds is None:
        return Reason.CLOCK_UNTRUSTED if scheduled or starts or ends else None
    # What has begun by the earlier bound is active; what ended by the later one is said below. A
    # schedule needs the hour itself.
    begun = all(start <= bounds.earliest for start in starts)
    return None if begun and not scheduled else Reason.CLOCK_UNTRUSTED


def _active(case: Case) -> Reason | None:
    starts, _ = case.validity
    bounds = case.bounds
    late = bounds is None or all(start <= bounds.earliest for start in starts)
    return None if late else Reason.CREDENTIAL_NOT_ACTIVE


def _expired(case: Case) -> Reason | None:
    _, ends = case.validity
    bounds = case.bounds
    early = bounds is None or all(bounds.latest < end for end in ends)
    return None if early else Reason.CREDENTIAL_EXPIRED


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
    asked = _nobody_named(case) if case.rule is None else case.rule.health_certificate
    invalid = asked and health is not None and health.reason is not None
    return Reason.HEALTH_CERTIFICATE_INVALID if invalid else None


def _complete(case: Case) -> Reason | None:
    face = case.evidence.face
    by_claim = face is not None and face.claimed
    if case.rule is None or not case.rule.satisfied(case.evidence.shown, by_claim=by_claim):
        return Reason.FACTOR_MISSING
    return None


def _challenge(case: Case) -> Reason | None:
    asked = case.rule is not None and case.rule.challenge and case.evidence.face is not None
    return Reason.FACTOR_MISSING if asked and not case.evidence.turned else None


PRECEDENCE: tuple[Callable[[Case], Reason | None], ...] = (
    _locked_down,
    _sensor,
    _presented,
    _believed,
    _attack,
    _mismatch,
    _buried,
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
    temperature_known,
    temperature,
    _challenge,
)
