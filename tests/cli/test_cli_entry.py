"""The short way of secure-outputs: what it imports, and when it is not gone."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from places import ROOT

from agent.adapters.pins.simulated import PinBank
from agent.app.desk.secure_known import secure_known
from agent.cli import entry
from agent.operations.places import OUTPUTS_RECORD
from agent.operations.secure_outputs import OutputLine, record_outputs, recorded_of

PATIENCE_S = 120.0
# Each of these alone takes longer to import than the pins and the interpreter together.
HEAVY = {"numpy", "pydantic", "structlog", "typer", "rich", "cv2", "onnxruntime", "cryptography"}
CONFIG = """
[kiosk]
community = "c"
grid = "g"
id = "k"
[[camera]]
id = "front"
kind = "opencv"
source = 0
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
pull_resistor = true
pin_factory = "simulated"
pins_file = "header.pins"
[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"
"""
PROGRAM = """
import json, sys
from agent.cli.entry import main
code = main(["secure-outputs"])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


class Gate:
    """A config, an energised pin, and the record that a dead agent left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "gate.toml"
        self.config.write_text(CONFIG)
        self.bank = PinBank(folder / "header.pins")
        self.bank.drive(17, level=True)
        self.line = OutputLine(
            "gate",
            17,
            True,
            "simulated",
            str(folder / "header.pins"),
        )
        record_outputs(folder, [self.line], self.config.read_bytes())

    def known(self) -> bool:
        return secure_known(self.config, self.folder)

    def run(self) -> tuple[int, set[str], str]:
        """The exit code, what was imported, and what was said, of a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "GATE_AGENT_CONFIG": str(self.config),
                "STATE_DIRECTORY": str(self.folder),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        code, modules = json.loads(done.stdout)
        return code, set(modules), done.stderr


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_it_imports_pins_and_little_else(gate: Gate) -> None:
    code, modules, said = gate.run()
    assert (code, said, gate.bank.level(17)) == (0, "", False)
    assert modules & HEAVY == set()
    assert "gpiozero" in modules


def test_of_another_config_the_long_way_is_gone(gate: Gate) -> None:
    gate.config.write_text(CONFIG.replace("pin = 17", "pin = 27"))
    gate.bank.drive(27, level=True)
    code, modules, _ = gate.run()
    assert (code, gate.bank.level(17), gate.bank.level(27)) == (0, False, False)
    assert "pydantic" in modules


def test_pins_that_cannot_be_had_are_told_by_the_long_way(gate: Gate) -> None:
    (gate.folder / "header.pins").write_text("somebody's notes")
    code, _, said = gate.run()
    assert code == 69
    assert "not secured: gate: " in said


@pytest.mark.parametrize(
    "record", ["", "{", "[1]", "null", "{}", "[]", '[{"door": "gate"}]', '[{"config": 1}]']
)
def test_a_record_that_says_nothing_is_no_word_about_the_outputs(gate: Gate, record: str) -> None:
    (gate.folder / OUTPUTS_RECORD).write_text(record)
    assert not gate.known()
    assert gate.bank.level(17)


def test_a_record_of_an_earlier_version_is_no_word_either(gate: Gate) -> None:
    record_outputs(gate.folder, [gate.line])
    assert not gate.known()


def test_a_config_that_is_gone_is_for_the_long_way(gate: Gate) -> None:
    gate.config.unlink()
    assert not gate.known()


def test_every_output_must_be_had(gate: Gate) -> None:
    lost = replace(gate.line, door="other", pin=3, pins_file=str(gate.folder))
    record_outputs(gate.folder, [lost, gate.line], gate.config.read_bytes())
    assert not gate.known()
    # The one that could be had is at rest all the same.
    assert not gate.bank.level(17)


def test_what_is_recorded_of_a_config_is_what_was_written(gate: Gate) -> None:
    assert recorded_of(gate.folder, gate.config) == (gate.line,)


def test_options_and_other_commands_go_the_long_way(
    gate: Gate, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(gate.folder))
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(gate.config))
    assert entry.main(["secure-outputs", "--help"]) == 0
    assert "Put every output into its safe state" in capsys.readouterr().out
    assert gate.bank.level(17)
