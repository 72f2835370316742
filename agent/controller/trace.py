"""The decision trace of an access event: why, by how much, and how fast; never who it looked like.

A denial names no candidate: a stranger's nearest neighbour is nobody's business. ``holder`` stands
only where the face was recognised or a credential names somebody, whatever then spoke against it.
How warm somebody was stands there only where a rule asked for it.
"""

import math
from dataclasses import dataclass
from typing import Any

from agent.controller.lane import LaneSettings
from agent.domain.access.challenge import Challenge
from agent.domain.access.evidence import Evidence
from agent.domain.access.policy import Decision
from agent.domain.access.registry import Registry
from agent.domain.credential.factor import Factors
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventDraft, EventType
from agent.domain.sight.operating_point import OperatingPoint
from agent.domain.skin.skin_temperature import SkinReading

_KINDS = {
    (False, True): EventType.ACCESS_GRANTED,
    (False, False): EventType.ACCESS_DENIED,
    (True, True): EventType.WALK_TEST_GRANTED,
    (True, False): EventType.WALK_TEST_DENIED,
}
"""By whether it was a walk test, and whether it was granted."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What stands in the event beside the decision.

    ``missing`` is what the rule still asked for; ``passback``: by anti-passback the holder is
    inside already, whatever follows from it. ``operating`` is the threshold by which the face was
    searched for, None where none was; ``challenge`` the turn of the head that was asked for.
    ``walk_test``: nothing opens by it, and it is no passage.
    """

    boot_id: str
    missing: Factors = frozenset()
    passback: bool = False
    operating: OperatingPoint | None = None
    challenge: Challenge | None = None
    walk_test: bool = False


def access_event(
    decision: Decision,
    evidence: Evidence,
    settings: LaneSettings,
    registry: Registry,
    now: Instant,
    about: Circumstances,
) -> EventDraft:
    """The event of one attempt."""
    face = evidence.face
    claims = evidence.gate_pass.gate_pass if evidence.gate_pass is not None else None
    operating = about.operating or registry.operating
    if face is not None and face.claimed:
        subject = registry.subject(evidence)
        operating = registry.claim_point(subject.id if subject is not None else HolderId(""))
    # A rule that asks has a limit; the part itself measures whoever stands there.
    skin = evidence.temperature if decision.limit_c is not None else None
    data: dict[str, Any] = {
        "reason": decision.reason.value if decision.reason is not None else None,
        "holder": _holder(evidence, registry),
        "factors": sorted(evidence.shown),
        "missing": [] if decision.granted else sorted(about.missing),
        "pass": claims.id if claims is not None else None,
        "direction": settings.direction,
        "score": _number(face.score if face else None),
        "runner_up_score": _number(face.runner_up_score if face else None),
        "margin": _number(face.margin if face else None),
        "frames": face.frames if face else 0,
        "threshold": _number(operating.threshold),
        "threshold_fmr": operating.fmr,
        "threshold_extrapolated": operating.extrapolated,
        "compared": None if face is None else "1:1" if face.claimed else "1:N",
        "pack": registry.pack,
        "pack_version": registry.pack_version,
        "pad_score": _number(face.pad_score if face else None),
        "thermal_score": _number(evidence.thermal_score),
        "liveness_score": _number(face.cues.liveness if face else None),
        "screen_score": _number(face.cues.screen if face else None),
        "infrared_score": _number(face.cues.infrared if face else None),
        "temperature_c": _number(skin.temperature_c, 1) if skin is not None else None,
        "temperature": _temperature(skin, decision.limit_c),
        "warnings": [warned.value for warned in decision.warnings],
        "stage_ms": {
            stage: round(ms, 3) for stage, ms in evidence.stage_ms.items() if math.isfinite(ms)
        },
        "challenge": about.challenge.report() if about.challenge is not None else None,
        "passback": about.passback,
        "boot_id": about.boot_id,
        "recorded_late": False,
    }
    kind = _KINDS[about.walk_test, decision.granted]
    return EventDraft(kind, now.utc, now.utc_trusted, settings.access_point, data)


def _holder(evidence: Evidence, registry: Registry) -> HolderId | None:
    face = evidence.face
    if not any((evidence.gate_pass, evidence.document, evidence.card)):
        return face.holder if face is not None else None
    subject = registry.subject(evidence)
    return subject.id if subject is not None else None


def _temperature(reading: SkinReading | None, limit_c: float | None) -> dict[str, Any] | None:
    """How the skin temperature came about; no diagnosis."""
    if reading is None:
        return None
    return {
        "samples": reading.samples,
        "rejected": reading.rejected,
        "spread_c": _number(reading.spread_c, 2),
        "ambient_c": _number(reading.ambient_c, 1),
        "baseline_c": _number(reading.baseline_c, 2),
        "limit_c": _number(limit_c, 2),
        "unreliable": reading.unreliable.value if reading.unreliable is not None else None,
    }


def _number(value: float | None, digits: int = 4) -> float | None:
    # JSON has no infinity and no NaN, and neither says anything in a trace.
    return round(value, digits) if value is not None and math.isfinite(value) else None
