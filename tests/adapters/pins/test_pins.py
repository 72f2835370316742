"""Pins that outlive a killed process, and what secures them then: the service's own command."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from places import ROOT

from agent.adapters.pins.simulated import PinBank
from agent.errors import UnavailableError
from agent.operations.places import OUTPUTS_RECORD
from agent.operations.secure_outputs import (
    OutputLine,
    merge_outputs,
    record_outputs,
    recorded_outputs,
    secure_outputs,
)

UNIT = ROOT / "systemd" / "gate-agent.service"
PATIENCE_S = 60.0
MAXIMUM_S = 30.0

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
pin = {pin}
active_high = {active_high}
pull_resistor = true
max_pulse_s = 30.0
pin_factory = "simulated"
pins_file = "header.pins"
[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"
"""
# What the agent does with its doors, and nothing else of it.
AGENT = """
import sys, time
from pathlib import Path
from agent.adapters.clock import SystemClock
from agent.app.open.doors import open_doors
from agent.app.open.outputs import remember_outputs
from agent.config import load_config
file = load_config(Path(sys.argv[1]))
remember_outputs(file, Path(sys.argv[2]))
door = open_doors(file, SystemClock())["gate"]
door.release(30.0)
print("energised", flush=True)
time.sleep(600)
"""


class Gate:
    """A config, its pins, and an agent that is killed during a pulse."""

    def __init__(self, folder: Path, *, active_high: bool = True) -> None:
        self.folder = folder
        self.config = folder / "gate.toml"
        self.write(17, active_high=active_high)
        self.bank = PinBank(folder / "header.pins")
        self.energised = active_high

    def write(self, pin: int, *, active_high: bool) -> None:
        self.config.write_text(CONFIG.format(pin=pin, active_high=str(active_high).lower()))

    def kill_during_a_pulse(self) -> float:
        """When the pin was energised by a process that is dead now, on the monotonic clock."""
        command = [sys.executable, "-c", AGENT, str(self.config), str(self.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as agent:
            watchdog = threading.Timer(PATIENCE_S, agent.kill)
            watchdog.start()
            assert agent.stdout is not None
            said = agent.stdout.readline()
            agent.send_signal(signal.SIGKILL)
            watchdog.cancel()
        assert said == "energised\n"
        assert agent.returncode == -signal.SIGKILL
        return self.bank.changed_s(17)

    def stop_post(self) -> subprocess.CompletedProcess[str]:
        """The command of the unit's ExecStopPost, as systemd would run it."""
        lines = UNIT.read_text().splitlines()
        (line,) = [text for text in lines if text.startswith("ExecStopPost=")]
        program, *arguments = shlex.split(line.partition("=")[2])
        assert program == "/opt/gate-agent/.venv/bin/gate-agent"
        return subprocess.run(
            [Path(sys.executable).with_name("gate-agent"), *arguments],
            env={
                **os.environ,
                "GATE_AGENT_CONFIG": str(self.config),
                "STATE_DIRECTORY": str(self.folder),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATE_AGENT_CONFIG", "GATE_AGENT_STATE_DIR", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("active_high", [True, False])
def test_a_killed_agents_pulse_goes_on_until_the_service_ends_it(
    tmp_path: Path, *, active_high: bool
) -> None:
    gate = Gate(tmp_path, active_high=active_high)
    energised_s = gate.kill_during_a_pulse()
    assert gate.bank.level(17) is active_high
    done = gate.stop_post()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert gate.bank.level(17) is not active_high
    assert gate.bank.changed_s(17) - energised_s < MAXIMUM_S
    # Secured by one change, with no blink in between.
    changes = gate.bank.changes(17)
    assert gate.stop_post().returncode == 0
    assert gate.bank.changes(17) == changes


def test_a_config_broken_meanwhile_leaves_nothing_energised(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.kill_during_a_pulse()
    gate.config.write_text("[kiosk\n")
    done = gate.stop_post()
    assert done.returncode == 78
    assert not gate.bank.level(17)


def test_a_pin_changed_meanwhile_leaves_the_old_one_at_rest(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.kill_during_a_pulse()
    gate.write(27, active_high=True)
    assert gate.stop_post().returncode == 0
    assert not gate.bank.level(17)


def test_a_polarity_mended_meanwhile_is_the_one_that_counts(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.kill_during_a_pulse()
    gate.write(17, active_high=False)
    assert gate.stop_post().returncode == 0
    assert gate.bank.level(17)


@pytest.mark.parametrize("record", ["", "{", "[1]", '[{"door": 3}]', "null", "\x00"])
def test_a_record_that_cannot_be_read_is_told(tmp_path: Path, record: str) -> None:
    (tmp_path / OUTPUTS_RECORD).write_text(record)
    with pytest.raises(UnavailableError, match=OUTPUTS_RECORD):
        recorded_outputs(tmp_path)


@pytest.mark.parametrize("record", ["", '[{"door": 3}]'])
def test_a_record_that_cannot_be_read_hides_no_output_of_the_config(
    tmp_path: Path, record: str
) -> None:
    gate = Gate(tmp_path)
    gate.bank.drive(17, level=True)
    (tmp_path / OUTPUTS_RECORD).write_text(record)
    assert gate.stop_post().returncode == 0
    assert not gate.bank.level(17)


def test_pins_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    (tmp_path / "header.pins").write_text("somebody's notes")
    done = gate.stop_post()
    assert done.returncode == 69
    assert "gate: " in done.stderr
    assert (tmp_path / "header.pins").read_text() == "somebody's notes"


# --- the use case ---------------------------------------------------------------------------------

OUTPUT = OutputLine("gate", 17, active_high=True, pin_factory="simulated", pins_file="/p")


class FakeDoor:
    """Records that it was secured, fails, or hangs."""

    def __init__(self, log: list[str], name: str, ends: threading.Event | None = None) -> None:
        self.log = log
        self.name = name
        self.ends = ends

    def release(self, pulse_s: float) -> None:
        raise AssertionError("nobody releases here")

    def hold(self, for_s: float) -> None:
        raise AssertionError("nobody holds here")

    def secure(self) -> None:
        if self.name == "fails":
            raise OSError("chip gone")
        if self.ends is not None:
            self.ends.wait(PATIENCE_S)
        self.log.append(self.name)

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


def test_one_output_that_fails_or_hangs_spares_no_other() -> None:
    log: list[str] = []
    ends = threading.Event()
    outputs = [replace(OUTPUT, door=name) for name in ("first", "fails", "hangs", "last")]
    failed = secure_outputs(
        outputs,
        lambda output: FakeDoor(log, output.door, ends if output.door == "hangs" else None),
        timeout_s=0.2,
    )
    assert log == ["first", "first closed", "last", "last closed"]
    assert failed == {"fails": "chip gone", "hangs": "GPIO 17 did not answer within 0.2 s"}
    ends.set()


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert recorded_outputs(tmp_path) == ()
    outputs = (OUTPUT, replace(OUTPUT, pin=27, active_high=False, pins_file=None))
    record_outputs(tmp_path / "state", outputs)
    assert recorded_outputs(tmp_path / "state") == outputs
    record_outputs(tmp_path / "state", outputs[:1])
    assert recorded_outputs(tmp_path / "state") == outputs[:1]
    assert [path.name for path in (tmp_path / "state").iterdir()] == [OUTPUTS_RECORD]


def test_without_a_record_no_output_may_be_driven(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(UnavailableError, match=OUTPUTS_RECORD):
        record_outputs(tmp_path / "state", [OUTPUT])


def test_the_config_has_the_last_word_on_a_line_and_only_on_it() -> None:
    mended = replace(OUTPUT, active_high=False)
    other = replace(OUTPUT, pin=27)
    elsewhere = replace(OUTPUT, pins_file="/q")
    assert merge_outputs([mended], [OUTPUT, other, elsewhere]) == (mended, other, elsewhere)


# --- the pins -------------------------------------------------------------------------------------


def test_a_bank_begins_low_and_keeps_what_is_driven(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "header.pins"
    bank = PinBank(path)
    assert not any(bank.level(pin) for pin in range(28))
    before_s = time.monotonic()
    bank.drive(5, level=True)
    bank.drive(5, level=True)
    again = PinBank(path)
    assert [pin for pin in range(28) if again.level(pin)] == [5]
    assert again.changes(5) == 1
    assert before_s <= again.changed_s(5) <= time.monotonic()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"GATEPIN", b"\x7fELF....", json.dumps([1]).encode()])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match="no pins file"):
        PinBank(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_pins_file(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="pins_file"):
        PinBank(tmp_path)
