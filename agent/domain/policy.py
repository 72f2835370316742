"""The only place where access is decided.

``decide`` walks one list of checks and answers with the first reason found; where none is, access
is granted. The order below is the precedence of reasons, from what concerns the kiosk to what
concerns the person, so that a trace names the deepest cause and an unknown face learns nothing
about anybody's rules:

    1  LockedDown               the access point is locked down
    2  SensorFault              the camera is dead or shows one frame for ever; the output failed
    3  FactorMissing            nothing was presented
    4  PresentationAttack       a model says the face is a picture of one
    5  NoMatch                  no holder, or one that the registry does not know
    6  Ambiguous                two holders fit, or the holder's face is too close to another's
    7  CredentialNotEnabled     the holder is disabled
    8  Unauthorized             no rule for the holder's category here
    9  FactorMissing            the face alone is not enough: gallery too large, no attack
                                detection and none waived, too few or too old frames
    10 ClockUntrusted           dates or a schedule count, and the time is not known
    11 CredentialNotActive      before the holder's validity
    12 CredentialExpired        after it
    13 NotPermittedAtThisTime   outside the rule's schedule
    14 AntiPassback             the holder is inside already
    15 SensorFault              a temperature is asked for, and no fresh one is there
    16 ElevatedTemperature      it is above the rule's limit
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.domain.agreement import Requirements
from agent.domain.evidence import Evidence
from agent.domain.holder import Holder
from agent.domain.instant import Instant
from agent.domain.reason import Reason
from agent.domain.rule import Rule

PAD_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds at the access point, whoever stands there.

    ``face_alone_suffices`` says whether the gallery's size leaves a threshold safe enough;
    ``too_close`` whether the holder before the gate is one whom another could pass for.
    """

    locked_down: bool = False
    sensor_fault: bool = False
    passback: bool = False
    face_alone_suffices: bool = True
    accept_no_pad: bool = False
    too_close: bool = False
    requirements: Requirements = field(default_factory=Requirements)
    temperature_max_age_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Decision:
    """Granted, or denied with one reason."""

    reason: Reason | None = None

    @property
    def granted(self) -> bool:
        """True where nothing speaks against it."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class _Case:
    evidence: Evidence
    holder: Holder | None
    rule: Rule | None
    situation: Situation
    now: Instant


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
    case = _Case(evidence, holder, rule, situation, now)
    for check in PRECEDENCE:
        if (reason := check(case)) is not None:
            return Decision(reason)
    return Decision()


def _locked_down(case: _Case) -> Reason | None:
    return Reason.LOCKED_DOWN if case.situation.locked_down else None


def _sensor(case: _Case) -> Reason | None:
    frozen = case.evidence.face is not None and case.evidence.face.frozen
    return Reason.SENSOR_FAULT if case.situation.sensor_fault or frozen else None


def _presented(case: _Case) -> Reason | None:
    return Reason.FACTOR_MISSING if case.evidence.face is None else None


def _attack(case: _Case) -> Reason | None:
    face = case.evidence.face
    if face is None or face.pad_score is None or face.pad_score >= PAD_THRESHOLD:
        return None
    return Reason.PRESENTATION_ATTACK


def _match(case: _Case) -> Reason | None:
    face = case.evidence.face
    if face is None or face.ambiguous:
        return None  # answered by a check of its own
    if face.holder is None or case.holder is None or case.holder.id != face.holder:
        return Reason.NO_MATCH
    return None


def _ambiguous(case: _Case) -> Reason | None:
    face = case.evidence.face
    ambiguous = case.situation.too_close or (face is not None and face.ambiguous)
    return Reason.AMBIGUOUS if ambiguous else None


def _enabled(case: _Case) -> Reason | None:
    enabled = case.holder is not None and case.holder.enabled
    return None if enabled else Reason.CREDENTIAL_NOT_ENABLED


def _authorized(case: _Case) -> Reason | None:
    return None if case.rule is not None else Reason.UNAUTHORIZED


def _factors(case: _Case) -> Reason | None:
    face, situation = case.evidence.face, case.situation
    if face is None or not situation.face_alone_suffices:
        return Reason.FACTOR_MISSING
    if face.pad_score is None and not situation.accept_no_pad:
        return Reason.FACTOR_MISSING
    needed = situation.requirements
    age_s = case.now.monotonic_s - face.newest_s
    fresh = 0.0 <= age_s <= needed.freshness_s
    if face.frames < needed.frames or face.span_s < needed.span_s or not fresh:
        return Reason.FACTOR_MISSING
    return None


def _clock(case: _Case) -> Reason | None:
    dated = case.holder is not None and (
        case.holder.valid_from is not None or case.holder.valid_until is not None
    )
    scheduled = case.rule is not None and case.rule.schedule is not None
    if (dated or scheduled) and not case.now.utc_trusted:
        return Reason.CLOCK_UNTRUSTED
    return None


def _active(case: _Case) -> Reason | None:
    start = case.holder.valid_from if case.holder is not None else None
    return Reason.CREDENTIAL_NOT_ACTIVE if start is not None and case.now.utc < start else None


def _expired(case: _Case) -> Reason | None:
    end = case.holder.valid_until if case.holder is not None else None
    return Reason.CREDENTIAL_EXPIRED if end is not None and case.now.utc >= end else None


def _schedule(case: _Case) -> Reason | None:
    schedule = case.rule.schedule if case.rule is not None else None
    if schedule is not None and not schedule.holds(case.now.utc):
        return Reason.NOT_PERMITTED_AT_THIS_TIME
    return None


def _passback(case: _Case) -> Reason | None:
    return Reason.ANTI_PASSBACK if case.situation.passback else None


def _temperature_known(case: _Case) -> Reason | None:
    if case.rule is None or case.rule.temperature_limit_c is None:
        return None
    reading = case.evidence.temperature
    if reading is None:
        return Reason.SENSOR_FAULT
    age_s = case.now.monotonic_s - reading.measured_s
    fresh = 0.0 <= age_s <= case.situation.temperature_max_age_s
    return None if fresh else Reason.SENSOR_FAULT


def _temperature(case: _Case) -> Reason | None:
    limit_c = case.rule.temperature_limit_c if case.rule is not None else None
    reading = case.evidence.temperature
    if limit_c is None or reading is None:
        return None
    # "Not at or below" rather than "above": a reading that is no number denies.
    return None if reading.temperature_c <= limit_c else Reason.ELEVATED_TEMPERATURE


PRECEDENCE: tuple[Callable[[_Case], Reason | None], ...] = (
    _locked_down,
    _sensor,
    _presented,
    _attack,
    _match,
    _ambiguous,
    _enabled,
    _authorized,
    _factors,
    _clock,
    _active,
    _expired,
    _schedule,
    _passback,
    _temperature_known,
    _temperature,
)
