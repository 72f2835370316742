"""From the config to the pin: an output at rest, released, and after the death of the agent."""

from dataclasses import replace
from pathlib import Path

import pytest
from config_parts import GOOD

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.simulated import PinBank
from agent.app.desk.secure import secure_all
from agent.app.open.doors import PinFactories, open_doors
from agent.app.open.outputs import outputs_of
from agent.app.open.settings import kiosk_settings
from agent.config import ConfigFile, load_config
from agent.domain.access.part import PartKind
from agent.errors import ConfigError

DOOR = """[[door]]
id = "in"
kind = "gpio"
pin = 17
active_high = true
"""


def file_of(tmp_path: Path, door: str = "", *, keep: str = DOOR) -> ConfigFile:
    text = GOOD.replace(DOOR, keep + door + 'pin_factory = "simulated"\npins_file = "pins.bin"\n')
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return load_config(path)


@pytest.mark.parametrize(
    ("active_high", "lock", "energised", "rests_high"),
    [
        (True, "fail_secure", "released", False),
        (False, "fail_secure", "released", True),
        (True, "fail_safe", "released", False),
        (False, "fail_safe", "released", True),
        (True, "fail_safe", "secured", True),
        (False, "fail_safe", "secured", False),
    ],
)
def test_the_pin_rests_and_moves_as_lock_and_relay_are_wired(
    tmp_path, active_high, lock, energised, rests_high
):
    # Low is at rest where the pull of power-on is up, and the other way round.
    pin = 17 if active_high else 4
    keep = DOOR.replace("17", str(pin)).replace("= true", f"= {str(active_high).lower()}")
    file = file_of(tmp_path, f'lock = "{lock}"\nenergised = "{energised}"\n', keep=keep)
    clock = ManualClock()
    doors = open_doors(file, clock, PinFactories())
    bank = PinBank(tmp_path / "pins.bin")
    assert bank.level(pin) is rests_high
    doors["in"].release(2.0)
    assert bank.level(pin) is not rests_high
    clock.advance(2.0)
    assert bank.level(pin) is rests_high
    doors["in"].hold(5.0)
    assert bank.level(pin) is not rests_high
    # The agent dies here, and nobody ends the hold.
    assert secure_all(file.path, tmp_path / "state") == 0
    assert PinBank(tmp_path / "pins.bin").level(pin) is rests_high


def test_a_dead_kiosk_that_would_open_a_fail_secure_lock_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="whenever the kiosk is dead"):
        file_of(tmp_path, 'energised = "secured"\n')


def test_a_turnstile_has_an_output_for_each_direction(tmp_path):
    keep = DOOR.replace('"gpio"', '"turnstile"') + "exit_pin = 27\n"
    file = file_of(tmp_path, keep=keep)
    assert [(one.door, one.pin) for one in outputs_of(file)][:2] == [
        ("in.entry", 17),
        ("in.exit", 27),
    ]
    settings = kiosk_settings(file.config, "boot")
    assert [lane.door for lane in settings.lanes] == ["in.entry", "out"]
    assert [door.door for door in settings.doors] == ["in.entry", "in.exit", "out"]
    doors = open_doors(file, ManualClock(), PinFactories())
    doors["in.exit"].release(1.0)
    bank = PinBank(tmp_path / "pins.bin")
    assert (bank.level(17), bank.level(27)) == (False, True)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (DOOR.replace('"gpio"', '"turnstile"'), "exit_pin goes with kind = 'turnstile'"),
        (DOOR + "exit_pin = 27\n", "exit_pin goes with kind = 'turnstile'"),
        (DOOR.replace('"gpio"', '"turnstile"') + "exit_pin = 17\n", "pin 17 is already"),
    ],
)
def test_a_turnstile_that_is_not_whole_is_a_finding(tmp_path, text, finding):
    with pytest.raises(ConfigError, match=finding):
        file_of(tmp_path, keep=text)


def test_no_door_is_called_like_an_output_of_a_turnstile(tmp_path):
    keep = DOOR.replace('"gpio"', '"turnstile"') + "exit_pin = 27\n"
    path = file_of(tmp_path, keep=keep).path
    path.write_text(path.read_text().replace('"out"', '"in.exit"'))
    with pytest.raises(ConfigError, match=r"'in\.exit' is an output of 'in' too"):
        load_config(path)


def test_areas_that_nobody_declared_are_findings(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(GOOD.replace('door = "in"\n\n', 'door = "in"\nto_area = "gardn"\n\n', 1))
    with pytest.raises(ConfigError, match="no 'gardn'; did you mean 'garden'"):
        load_config(path)


def test_what_the_config_says_reaches_the_controller(tmp_path):
    file = file_of(tmp_path, "passage_window_s = 8.0\nheld_open_s = 12.0\n")
    settings = kiosk_settings(file.config, "boot")
    door = settings.doors[0]
    assert (door.window_s, door.held_open_s, door.contact) == (8.0, 12.0, True)
    assert replace(door, contact=False).monitored is False
    assert settings.degrade.denies == ("feedback:",)


def test_every_part_that_the_config_may_deny_by_has_its_kind(tmp_path):
    words = ["journal", "disk", "tamper", "feedback", "inputs", "latches", "gallery"]
    path = tmp_path / "gate.toml"
    path.write_text(f"{GOOD}\n[faults]\ndeny = {words}\n")
    settings = kiosk_settings(load_config(path).config, "boot")
    kinds = [*words[:2], "tamper:", "feedback:", *words[4:]]
    assert settings.degrade.denies == tuple(map(PartKind, kinds))
