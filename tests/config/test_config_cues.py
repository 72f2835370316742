"""An infrared camera beside the first, and what follows from the cues."""

import pytest

from agent.app.open.settings import kiosk_settings
from agent.config import load_config
from agent.domain.access.cues import CueTerm, CueTerms
from agent.domain.skin.thermal_cue import AttackCue
from agent.errors import ConfigError

BASE = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
[[camera]]
id = "front"
kind = "simulated"
source = ["portrait.jpg"]
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
lock = "fail_secure"
energised = "released"
pin_factory = "mock"
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "gate"
[[rule]]
categories = ["resident"]
"""
EYE = """
[[camera]]
id = "eye"
kind = "simulated"
source = ["dark.png"]
spectrum = "ir"
beside = "front"
"""


def loaded(tmp_path, text):
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return load_config(path).config


def test_what_follows_is_reported_unless_the_config_says_more(tmp_path):
    settings = kiosk_settings(loaded(tmp_path, BASE), "boot")
    report = CueTerm(AttackCue.REPORT, 0.5)
    assert settings.cues == CueTerms(report, report, report)
    assert (settings.lanes[0].infrared, settings.requirements.liveness) == (False, False)
    words = (
        '[face]\nliveness_cue = "deny"\nscreen_cue = "off"\nir_cue = "deny"\nir_threshold = 0.7\n'
    )
    settings = kiosk_settings(loaded(tmp_path, BASE + EYE + words), "boot")
    assert settings.cues.infrared == CueTerm(AttackCue.DENY, 0.7)
    assert settings.cues.screen.word is AttackCue.OFF
    assert (settings.lanes[0].infrared, settings.requirements.liveness) == (True, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE + EYE.replace('beside = "front"\n', ""), "beside: is missing"),
        (BASE + EYE.replace('"front"', '"frnt"'), "did you mean 'front'"),
        (BASE + EYE.replace('beside = "front"', 'beside = "eye"'), "no visible camera 'eye'"),
        (BASE + EYE + EYE.replace('"eye"', '"eye2"'), "has an infrared one beside it already"),
        (BASE.replace('camera = "front"', 'camera = "eye"') + EYE, "recognises nobody"),
        (BASE + EYE.replace('"ir"', '"visible"'), "is for an infrared camera"),
        (BASE + '[face]\nir_cue = "deny"\n', "none stands beside camera 'front'"),
    ],
)
def test_an_infrared_camera_stands_beside_a_visible_one(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)
