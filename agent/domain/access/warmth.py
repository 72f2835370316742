"""What of a decision hangs on warmth: a skin temperature, and whether the face is as warm as one.

A reading counts while it is fresh and a number; one that cannot be relied on elevates nobody. What
a rule lets pass all the same is told as a warning, beside a grant or a denial.
"""

import math
from collections.abc import Callable
from enum import StrEnum

from agent.domain.access.cues import no_face_in_infrared, not_alive, on_screen
from agent.domain.access.rule import Elevated, WhenUnreliable
from agent.domain.access.situation import Case
from agent.domain.credential.reason import Reason
from agent.domain.skin.thermal_cue import AttackCue


class Warned(StrEnum):
    """What was let pass and is told; the value is the word in events."""

    ELEVATED_TEMPERATURE = "elevated_temperature"
    TEMPERATURE_MISSING = "temperature_missing"
    TEMPERATURE_UNRELIABLE = "temperature_unreliable"
    BASELINE_DRIFT = "baseline_drift"
    THERMAL_CUE = "thermal_cue"
    LIVENESS_CUE = "liveness_cue"
    SCREEN_CUE = "screen_cue"
    INFRARED_CUE = "infrared_cue"


def not_skin(case: Case) -> bool:
    """Whether a thermal score was asked for and says that the face is none."""
    score = case.evidence.thermal_score
    if case.situation.attack_cue is AttackCue.OFF or score is None:
        return False
    return not score >= case.situation.thermal_threshold


def temperature_known(case: Case) -> Reason | None:
    """Denies where a temperature is asked for, and none that is fresh and reliable is there."""
    if case.rule is None or case.rule.unreliable is WhenUnreliable.WARN:
        return None
    unknown = _temperature_missing(case) or _temperature_unreliable(case)
    return Reason.SENSOR_FAULT if unknown else None


def temperature(case: Case) -> Reason | None:
    """Denies where it is above the rule's limit."""
    if case.rule is None or case.rule.elevated is Elevated.WARN:
        return None
    return Reason.ELEVATED_TEMPERATURE if _elevated(case) else None


def _temperature_missing(case: Case) -> bool:
    asked = case.rule is not None and case.rule.asks_temperature
    return asked and not _measured(case)


def _temperature_unreliable(case: Case) -> bool:
    asked = case.rule is not None and case.rule.asks_temperature
    reading = case.evidence.temperature
    return asked and _measured(case) and reading is not None and reading.unreliable is not None


def _measured(case: Case) -> bool:
    """Whether there is a number, and a fresh one."""
    reading = case.evidence.temperature
    if reading is None or reading.temperature_c is None or not math.isfinite(reading.temperature_c):
        return False
    age_s = case.now.monotonic_s - reading.measured_s
    return 0.0 <= age_s <= case.situation.temperature_max_age_s


def _elevated(case: Case) -> bool:
    """Whether a reading that can be relied on is above the limit; any other elevates nobody."""
    reading = case.evidence.temperature
    if case.rule is None or reading is None or reading.temperature_c is None:
        return False
    limit_c = case.rule.limit_c(reading.baseline_c)
    if limit_c is None or not _measured(case) or reading.unreliable is not None:
        return False
    return not reading.temperature_c <= limit_c


def _drifting(case: Case) -> bool:
    return case.evidence.temperature is not None and case.evidence.temperature.drifting


WARNINGS: tuple[tuple[Warned, Callable[[Case], bool]], ...] = (
    (Warned.ELEVATED_TEMPERATURE, _elevated),
    (Warned.TEMPERATURE_MISSING, _temperature_missing),
    (Warned.TEMPERATURE_UNRELIABLE, _temperature_unreliable),
    (Warned.BASELINE_DRIFT, _drifting),
    (Warned.THERMAL_CUE, not_skin),
    (Warned.LIVENESS_CUE, lambda case: not_alive(case.evidence, case.situation.cues)),
    (Warned.SCREEN_CUE, lambda case: on_screen(case.evidence, case.situation.cues)),
    (Warned.INFRARED_CUE, lambda case: no_face_in_infrared(case.evidence, case.situation.cues)),
)
"""When each is told."""
