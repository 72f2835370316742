"""Waiting for a temperature where all else is well; the states stand at the head of ``thermal``."""

import math
from collections.abc import Callable
from dataclasses import replace

from agent.controller.effects import Effect, Indicate
from agent.controller.lane import Lane
from agent.controller.settings import KioskSettings
from agent.controller.thermal import Measurement, ThermalMonitor
from agent.domain.access.evidence import Evidence
from agent.domain.access.indication import Indication, Outcome
from agent.domain.access.policy import Decision
from agent.domain.access.rule import Elevated, Rule
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.domain.skin.skin_temperature import MAY_MEND, MEASURED, Unreliable
from agent.domain.skin.thermal_cue import AttackCue

ASKED = ("temperature",)
COLD = ("cold",)


class Measuring:
    """What access points wait for from the thermometer."""

    def __init__(self, settings: KioskSettings, thermal: ThermalMonitor) -> None:
        self._settings = settings
        self._thermal = thermal

    def seen(self, lane: Lane, evidence: Evidence, now: Instant) -> Evidence:
        """``evidence`` with what the thermometer says of whoever stands there."""
        since_s = lane.measurement.since_s if lane.measurement is not None else -math.inf
        reading = self._thermal.skin(lane.settings.camera, now, since_s)
        cue = self._thermal.cue(lane.settings.camera, reading) if evidence.face else None
        score = cue.score if cue is not None else None
        return replace(evidence, temperature=reading, thermal_score=score)

    def wait(
        self,
        lane: Lane,
        evidence: Evidence,
        decision: Decision,
        rule: Rule | None,
        else_well: Callable[[Evidence, Rule], bool],
        now: Instant,
    ) -> list[Effect] | None:
        """What is told while it is measured; None where there is enough to judge, or no more time.

        ``else_well`` says whether the evidence would open by a rule that asks for no temperature.
        """
        cue = self._settings.thermal.attack_cue is AttackCue.DENY and evidence.face is not None
        if rule is None or not (rule.asks_temperature or cue):
            return None
        measurement, now_s = lane.measurement, now.monotonic_s
        if _open(evidence):
            # For the cue alone a measurement will do, whatever it is of.
            enough = not rule.asks_temperature and _unreliable(evidence) in MEASURED
            attack = decision.reason is Reason.PRESENTATION_ATTACK
            if enough or attack or not self._well(evidence, rule, else_well):
                return None
            cold = _unreliable(evidence) is Unreliable.COLD
            if cold and (measurement is None or measurement.may_warm):
                since_s = now_s + rule.second_reading_after_s
                return self._begin(lane, since_s, since_s, None, COLD)
            if measurement is None:
                return self._begin(lane, now_s, -math.inf, None)
            return [] if now_s < measurement.ends_s else None
        again = rule.elevated is Elevated.SECOND_READING
        if decision.reason is not Reason.ELEVATED_TEMPERATURE or not again:
            return None
        if measurement is not None and measurement.first is not None:
            return None
        since_s = now_s + rule.second_reading_after_s
        return self._begin(lane, since_s, since_s, (evidence, decision))

    def stands(self, lane: Lane, evidence: Evidence) -> tuple[Evidence, Decision] | None:
        """The elevated first reading, where no second one came to anything."""
        first = lane.measurement.first if lane.measurement is not None else None
        return first if _open(evidence) else None

    def _well(
        self, evidence: Evidence, rule: Rule, else_well: Callable[[Evidence, Rule], bool]
    ) -> bool:
        return else_well(
            replace(evidence, temperature=None, thermal_score=None), rule.but_temperature()
        )

    def _begin(
        self,
        lane: Lane,
        from_s: float,
        since_s: float,
        first: tuple[Evidence, Decision] | None,
        told: tuple[str, ...] = ASKED,
    ) -> list[Effect]:
        """Measure the face that stands there, or measure it again."""
        track, combination = lane.attempts.track, lane.combination
        ends_s = from_s + self._settings.thermal.measure_timeout_s
        whose = track.id if track is not None else None
        lane.measurement = Measurement(whose, ends_s, since_s, first, told == COLD)
        if combination.ends_s is not None:
            slack_s = self._settings.requirements.freshness_s
            combination.ends_s = max(combination.ends_s, ends_s + slack_s)
        return [Indicate(Indication(lane.settings.access_point, Outcome.WAITING, told))]


def _open(evidence: Evidence) -> bool:
    """Whether more samples may still make a reading of it."""
    return evidence.temperature is None or _unreliable(evidence) in MAY_MEND


def _unreliable(evidence: Evidence) -> Unreliable | None:
    reading = evidence.temperature
    return Unreliable.TOO_FEW_SAMPLES if reading is None else reading.unreliable
