"""The running agent and the wires at its header: a button, a housing that opens, a forced door."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import run_here

from agent.adapters.pins.simulated import PinBank
from agent.vision.packs.packs import InstalledPack

DOOR, CONTACT, WAY_OUT, HOUSING = 17, 6, 13, 26
PATIENCE_S = 60.0
PINS = 'pin_factory = "simulated"\npins_file = "pins.bin"\n'
CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
[[camera]]
id = "front"
kind = "simulated"
source = ["{portrait}"]
loop = true
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
pulse_s = 1
{pins}
[[access_point]]
id = "north-exit"
direction = "exit"
camera = "front"
door = "gate"
[[input]]
id = "contact"
kind = "contact"
pin = 6
active_high = true
pull = "up"
door = "gate"
{pins}
[[input]]
id = "way-out"
kind = "rex"
pin = 13
active_high = false
pull = "up"
door = "gate"
{pins}
[[input]]
id = "housing"
kind = "tamper"
pin = 26
active_high = true
pull = "up"
{pins}
"""


class Gate:
    """A running agent, its header, and what it has written down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bank = PinBank(folder / "pins.bin")

    def command(self, *words: str) -> str:
        done = run_here(*words, environment=self.environment())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GATE_AGENT")}
        paths = {"STATE_DIR": self.folder / "state", "CONFIG": self.folder / "gate.toml"}
        return {**kept, **{f"GATE_AGENT_{name}": str(path) for name, path in paths.items()}}

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.command("events", "list", "--json").splitlines()]

    def until(self, true: Callable[[], bool]) -> bool:
        end_s = time.monotonic() + PATIENCE_S
        while not true() and time.monotonic() < end_s:
            time.sleep(0.05)
        return true()

    def said(self, kind: str) -> bool:
        return any(event["type"] == f"gate.{kind}" for event in self.events())


@pytest.fixture
def gate(tmp_path: Path, dlib_pack: InstalledPack, shared_faces: Path) -> Iterator[Gate]:
    """A closed door in a closed housing, and nobody at the button."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "models").symlink_to(dlib_pack.directory.parent)
    portrait = shared_faces / "gallery" / "obama.jpg"
    (tmp_path / "gate.toml").write_text(CONFIG.format(portrait=portrait, pins=PINS))
    one = Gate(tmp_path)
    one.command("key", "init")
    one.bank.set_input(CONTACT, False)
    one.bank.set_input(WAY_OUT, True)
    one.bank.set_input(HOUSING, False)
    with (tmp_path / "log").open("w") as log:
        agent = subprocess.Popen(
            [Path(sys.executable).parent / "gate-agent", "run"],
            env=one.environment(),
            stdout=log,
            stderr=log,
        )
        try:
            assert one.until((state / "control.sock").exists), (tmp_path / "log").read_text()
            yield one
            assert agent.poll() is None, (tmp_path / "log").read_text()
        finally:
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(PATIENCE_S) == 0


def test_the_wires_are_heard_and_what_follows_is_written_down(gate: Gate) -> None:
    assert gate.bank.changes(DOOR) == 0
    # The exit button, until it is noticed: how soon that is at the latest no loaded machine tells.
    gate.bank.set_input(WAY_OUT, False)
    assert gate.until(lambda: gate.bank.changes(DOOR) > 0)
    gate.bank.set_input(WAY_OUT, True)
    assert gate.until(lambda: gate.bank.changes(DOOR) == 2)
    assert not gate.bank.level(DOOR)
    (released,) = [one["data"] for one in gate.events() if one["type"] == "gate.door.released"]
    assert released["cause"] == "rex"
    # The housing, and then the door with nobody let through.
    gate.bank.set_input(HOUSING, True)
    assert gate.until(lambda: gate.said("fault.raised"))
    assert "tamper:housing" in json.loads(gate.command("status", "--json"))["faults"]
    gate.bank.set_input(CONTACT, True)
    assert gate.until(lambda: gate.said("door.forced"))
    assert gate.bank.changes(DOOR) == 2
