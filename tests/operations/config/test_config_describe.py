"""What a config says in words: its summary, and warnings of what it needs beside itself."""

from pathlib import Path
from typing import Any

from config_parts import warnings
from places import ROOT

from agent.config import ConfigFile, load_config
from agent.operations.config.describe import summary

EXAMPLE = ROOT / "config" / "gate.example.toml"


def load(tmp_path: Path, *changes: tuple[str, str]) -> ConfigFile:
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "gate.toml"
    file.write_text(text)
    return load_config(file)


def summed_up(tmp_path: Path, *changes: tuple[str, str]) -> dict[str, Any]:
    return summary(load(tmp_path, *changes).config)


def test_the_summary_tells_every_part_in_its_order(tmp_path: Path):
    assert list(summed_up(tmp_path)) == [
        *("kiosk", "access_points", "cameras", "doors", "indicators", "inputs"),
        *("readers", "areas"),
        *("schedules", "rules", "categories", "thermometer", "command_keys", "registry_keys"),
        *("false_grants", "id_reader", "voice", "clock", "broker", "pack"),
    ]


def test_the_summary_tells_lights_by_their_access_point(tmp_path: Path):
    assert summed_up(tmp_path)["indicators"] == ["north-entry (lgpio)"]
    table = EXAMPLE.read_text().partition("[[indicator]]")[2].partition("[[rule]]")[0]
    assert summed_up(tmp_path, ("[[indicator]]" + table, ""))["indicators"] == []


def test_the_summary_tells_the_reader_of_documents(tmp_path: Path):
    assert summed_up(tmp_path)["id_reader"] == "none"
    reader = '[id_reader]\nkind = "ga467"\nport = "/dev/ttyUSB0"\naccess_point = "north-entry"\n'
    table = "[id_reader]" + EXAMPLE.read_text().partition("[id_reader]")[2].partition("[voice]")[0]
    assert summed_up(tmp_path, (table, reader))["id_reader"] == "ga467"


def test_a_language_without_texts_is_told_before_the_start(tmp_path: Path):
    voice = 'kind = "simulated"\naccess_point = "north-entry"\nlanguages = ["fr"]  #'
    text = EXAMPLE.read_text().partition("[voice]")[2].partition("languages")[0]
    found = warnings(load(tmp_path, (text + "languages", f"\n{voice}")))
    assert "the voice is simulated: nobody hears it" in found
    assert any("'fr'" in one and "starting" in one for one in found)


def test_who_may_pass_is_warned_of_before_all_else(tmp_path: Path):
    found = warnings(load(tmp_path, ('["face", "pass+face"]', '["face", "pass"]')))
    assert [one.partition(" opens")[0] for one in found[:2]] == ["face alone", "a pass alone"]
    assert "[broker] has no ca_file" in found[2]
