"""What stands beside attack detection's models: told, and denied only where the config says so."""

import pytest
from gate_parts import ALONE_RULE, LANE, LIN, Gate

from agent.controller.lane import LaneSettings
from agent.domain.access.agreement import Requirements
from agent.domain.access.cues import CueTerm, CueTerms
from agent.domain.sight.cues import UNSEEN, Cues
from agent.domain.skin.thermal_cue import AttackCue

WORDS = (AttackCue.OFF, AttackCue.REPORT, AttackCue.DENY)
NAMES = {"liveness": "liveness_cue", "screen": "screen_cue", "infrared": "infrared_cue"}
BESIDE = (LaneSettings("north-entry", "entry", "front", "turnstile", infrared=True),)


def gate(**words):
    """A gate with an infrared camera, and what the config says of each cue."""
    terms = CueTerms(**{name: CueTerm(word) for name, word in words.items()})
    return Gate(ALONE_RULE, lanes=BESIDE, cues=terms)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, 0.49, 0.5, 1.0])
def test_each_cue_says_and_denies_as_it_is_told(name, word, value):
    it = gate(**{name: word})
    it.stand(LIN, cues=Cues(**{"infrared": 1.0, name: value}))
    attack = value < 0.5 and word is not AttackCue.OFF
    denied = attack and word is AttackCue.DENY
    assert it.outcomes()[0] == ("PresentationAttack" if denied else "granted")
    assert it.last()["warnings"] == ([NAMES[name]] if attack else [])
    assert it.last()[f"{name}_score"] == pytest.approx(value, abs=1e-6)


def test_nothing_is_said_where_nothing_looked():
    it = gate(liveness=AttackCue.REPORT, screen=AttackCue.DENY, infrared=AttackCue.REPORT)
    it.stand(LIN)
    assert it.outcomes() == ["granted"]
    assert it.last()["warnings"] == []
    assert {it.last()[f"{name}_score"] for name in NAMES} == {None}


def test_an_infrared_camera_that_is_to_deny_and_says_nothing_opens_nothing():
    it = gate(infrared=AttackCue.DENY)
    it.stand(LIN, cues=UNSEEN)
    assert it.outcomes() == ["SensorFault"]
    assert it.opened() == 0


def test_where_none_stands_none_is_missed():
    it = Gate(ALONE_RULE, lanes=(LANE,), cues=CueTerms(infrared=CueTerm(AttackCue.DENY)))
    it.stand(LIN)
    assert it.outcomes() == ["granted"]


def test_a_cue_that_may_deny_is_waited_for_as_long_as_any_face_is():
    terms = CueTerms(liveness=CueTerm(AttackCue.DENY))
    it = Gate(ALONE_RULE, cues=terms, requirements=Requirements(liveness=True))
    it.stand(LIN, 0.8)
    assert it.outcomes() == []
    it.stand(LIN, 0.2, step_in=False, cues=Cues(liveness=0.1))
    assert it.outcomes() == ["PresentationAttack"]
    it = Gate(ALONE_RULE, cues=terms, requirements=Requirements(liveness=True))
    it.stand(LIN, 0.8)
    it.stand(LIN, 0.2, step_in=False, cues=Cues(liveness=0.9))
    assert it.outcomes() == ["granted"]
    it = Gate(ALONE_RULE, cues=terms, requirements=Requirements(liveness=True))
    it.stand(LIN, 2.0)
    assert it.outcomes() == ["granted"]  # who stands still is refused by nobody
