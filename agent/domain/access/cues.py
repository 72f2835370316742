"""What follows from the cues beside attack detection's models: reported, or denied by config.

    cue         below its threshold                       where it cannot be told
    liveness    told; denies if so set                    nothing: it refuses nobody
    screen      told; denies if so set                    nothing
    infrared    told; denies if so set                    if it may deny it does, as ``SensorFault``

An infrared camera sees a face in every light, so its silence is its own fault or somebody's work;
of the other two each has living faces about which it says nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.access.evidence import Evidence
from agent.domain.credential.reason import Reason
from agent.domain.sight.cues import Cues
from agent.domain.skin.thermal_cue import AttackCue


@dataclass(frozen=True, slots=True)
class CueTerm:
    """What follows where a cue's value is below ``threshold``."""

    word: AttackCue = AttackCue.OFF
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class CueTerms:
    """Of each cue."""

    liveness: CueTerm = CueTerm()
    screen: CueTerm = CueTerm()
    infrared: CueTerm = CueTerm()

    def without_infrared(self) -> "CueTerms":
        """Where no infrared camera stands."""
        return CueTerms(self.liveness, self.screen)


def _liveness(cues: Cues, terms: CueTerms) -> tuple[float | None, CueTerm]:
    return cues.liveness, terms.liveness


def _screen(cues: Cues, terms: CueTerms) -> tuple[float | None, CueTerm]:
    return cues.screen, terms.screen


def _infrared(cues: Cues, terms: CueTerms) -> tuple[float | None, CueTerm]:
    return cues.infrared, terms.infrared


_Of = Callable[[Cues, CueTerms], tuple[float | None, CueTerm]]


def _says_attack(evidence: Evidence, terms: CueTerms, of: _Of) -> bool:
    if evidence.face is None:
        return False
    value, term = of(evidence.face.cues, terms)
    return term.word is not AttackCue.OFF and value is not None and not value >= term.threshold


def not_alive(evidence: Evidence, terms: CueTerms) -> bool:
    """Whether the frames do not live."""
    return _says_attack(evidence, terms, _liveness)


def on_screen(evidence: Evidence, terms: CueTerms) -> bool:
    """Whether a border or a beat shows about the face."""
    return _says_attack(evidence, terms, _screen)


def no_face_in_infrared(evidence: Evidence, terms: CueTerms) -> bool:
    """Whether the infrared camera sees no face there."""
    return _says_attack(evidence, terms, _infrared)


def denied_by_cue(evidence: Evidence, terms: CueTerms) -> Reason | None:
    """By those that may deny; an infrared camera that may deny must have said something."""
    for of in (_liveness, _screen, _infrared):
        _, term = of(Cues(), terms)
        if term.word is AttackCue.DENY and _says_attack(evidence, terms, of):
            return Reason.PRESENTATION_ATTACK
    face = evidence.face
    silent = face is not None and face.cues.infrared is None
    return Reason.SENSOR_FAULT if silent and terms.infrared.word is AttackCue.DENY else None
