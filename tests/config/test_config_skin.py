"""What of the config says how skin is measured: its findings, and the domain values made of it."""

from pathlib import Path

import pytest
from config_parts import GOOD

from agent.app.open.settings import kiosk_settings
from agent.config import load_config
from agent.controller.settings import KioskSettings
from agent.domain.access.rule import Elevated, WhenUnreliable
from agent.domain.skin.optics import Optics
from agent.domain.skin.thermal_cue import AttackCue
from agent.errors import ConfigError

PART = '[thermometer]\nkind = "simulated"\n'
SPOT = '[thermometer]\nkind = "mlx90614"\nfield_of_view_deg = 5\naccess_point = "north-entry"\n'
LIMIT = "temperature_limit_c = 37.3\n"
AT_ENTRY = f'access_points = ["north-entry"]\n{LIMIT}'


def load(tmp_path: Path, *changes: tuple[str, str]) -> KioskSettings:
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return kiosk_settings(load_config(path).config, "boot")


# Each row: changes, and what must be found.
FINDINGS: list[tuple[list[tuple[str, str]], str]] = [
    ([(PART, f"{PART}samples_min = 9\n")], "thermometer.samples_min"),
    ([(PART, f"{PART}skin_min_c = 35\n")], "thermometer.skin_min_c"),
    ([(PART, f"{PART}skin_max_c = 37.5\n")], "thermometer.skin_max_c"),
    (
        [(PART, f"{PART}skin_max_c = 39\n"), (LIMIT, "temperature_limit_c = 39.0\n")],
        "rule[0].temperature_limit_c: is not below [thermometer] skin_max_c",
    ),
    ([(PART, f"{PART}ambient_min_c = 40.0\n")], "thermometer.ambient_min_c: is not below"),
    ([(PART, f'{PART}access_point = "north-enty"\n')], "did you mean 'north-entry'"),
    ([(PART, f'{PART}access_point = "north-entry"\n')], "asks at 'north-exit' too"),
    ([(PART, SPOT.replace('access_point = "north-entry"\n', ""))], "there are 2 access points"),
    ([(PART, f"{PART}interval_s = 0.5\n")], "10 samples take 5 s"),
    ([(PART, f"{PART}samples_min = 40\n")], "set it to 4.0 or more"),
    (
        [
            (PART, SPOT.replace("mlx90614", "mlx90640").replace("= 5", "= 55")),
            (LIMIT, AT_ENTRY),
        ],
        "set it to 6.0 or more, or refresh_hz higher",
    ),
    ([(LIMIT, ""), (PART, '[thermometer]\nattack_cue = "deny"\n')], "needs a kind of thermometer"),
    ([(LIMIT, 'elevated = "warn"\n')], "rule[0].elevated: goes with temperature_limit_c"),
    ([(LIMIT, f'{LIMIT}elevated = "warm"\n')], "rule[0].elevated"),
    ([(LIMIT, f"{LIMIT}baseline_delta_c = 9.0\n")], "rule[0].baseline_delta_c"),
]


@pytest.mark.parametrize(("changes", "said"), FINDINGS, ids=[said for _, said in FINDINGS])
def test_what_could_never_be_measured_is_found(tmp_path, changes, said) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, *changes)
    assert said in str(raised.value)


def test_where_no_thermometer_is_a_rule_may_warn(tmp_path) -> None:
    part = f'{PART}access_point = "north-entry"\nunreliable = "warn"\n'
    settings = load(tmp_path, (PART, part))
    assert settings.rules[0].unreliable is WhenUnreliable.WARN
    assert settings.thermal.camera == "front"


def test_a_rule_overrides_what_the_thermometer_says(tmp_path) -> None:
    part = f'{PART}elevated = "second_reading"\nsecond_reading_after_s = 9.0\nunreliable = "warn"\n'
    settings = load(tmp_path, (PART, part))
    rule = settings.rules[0]
    assert (rule.elevated, rule.second_reading_after_s) == (Elevated.SECOND_READING, 9.0)
    words = (
        f'{LIMIT}elevated = "warn"\nsecond_reading_after_s = 2.0\nunreliable = "deny"\n'
        "baseline_delta_c = 1.2\n"
    )
    settings = load(tmp_path, (PART, part), (LIMIT, words))
    rule = settings.rules[0]
    assert (rule.elevated, rule.second_reading_after_s) == (Elevated.WARN, 2.0)
    assert (rule.unreliable, rule.baseline_delta_c) == (WhenUnreliable.DENY, 1.2)


def test_the_words_become_settings(tmp_path) -> None:
    part = SPOT + (
        "samples_min = 12\nmeasure_timeout_s = 4.0\nspread_max_c = 0.8\nambient_min_c = 5.0\n"
        "ambient_max_c = 35.0\nambient_reference_c = 22.0\nambient_correction = 0.02\n"
        'baseline_hours = 2.0\nattack_cue = "deny"\nattack_threshold = 0.3\naim_x_deg = 2.0\n'
    )
    thermal = load(tmp_path, (PART, part), (LIMIT, AT_ENTRY)).thermal
    skin = thermal.skin
    assert (skin.samples_min, skin.spread_max_c) == (12, 0.8)
    assert (skin.ambient_min_c, skin.ambient_max_c) == (5.0, 35.0)
    assert (skin.ambient_reference_c, skin.ambient_offset_c_per_c) == (22.0, 0.02)
    assert (thermal.measure_timeout_s, thermal.baseline_hours) == (4.0, 2.0)
    assert (thermal.attack_cue, thermal.attack_threshold) == (AttackCue.DENY, 0.3)
    assert thermal.optics["front"] == Optics(640, 480, 66.0, 5, aim_x_deg=2.0)


def test_an_array_has_columns_and_a_height(tmp_path) -> None:
    part = SPOT.replace("mlx90614", "mlx90640").replace("= 5", "= 55") + "refresh_hz = 16\n"
    thermal = load(tmp_path, (PART, part), (LIMIT, AT_ENTRY)).thermal
    optics = thermal.optics["front"]
    assert (optics.thermometer_fov_v_deg, optics.columns) == (35.0, 32)


def test_without_a_thermometer_no_cue_is_asked_for(tmp_path) -> None:
    thermal = load(tmp_path, (PART, ""), (LIMIT, "")).thermal
    assert (thermal.attack_cue, thermal.optics) == (AttackCue.OFF, {})
