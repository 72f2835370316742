"""A backup made beside a running agent, and a gate that starts with it in another folder."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backup_parts import WORDS
from in_process import run_here
from mosquitto import wait_until
from store_parts import holder
from test_passes_at_the_gate import FACES, NOBODY, PROGRAM, Gate, gate, phone, reasons

from agent.adapters.pins.simulated import PinBank
from agent.app.open.files.stores import Key, open_registry
from agent.app.open.site import instant
from agent.domain.credential.holder import HolderId

__all__ = ["gate"]
PIN = 17
FILM = (
    'kind = "opencv"\nsource = "film.avi"',
    f'kind = "simulated"\nsource = ["{FACES / "gallery" / "obama.jpg"}"]\nloop = true',
)


@pytest.mark.slow
def test_what_was_used_after_the_backup_opens_no_second_time(gate: Gate, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text(WORDS)
    where = {"GATE_AGENT_CONFIG": str(gate.folder / "gate.toml"), "PATH": "/bin"}

    def of(state: Path) -> dict[str, str]:
        return {**where, "GATE_AGENT_STATE_DIR": str(state)}

    def lines(*said: object, state: Path = gate.site.state) -> list[Any]:
        done = run_here(*said, "--json", environment=of(state))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def command(*said: object, state: Path = gate.site.state) -> Any:
        (answer,) = lines(*said, state=state)
        return answer

    def backed_up(name: str) -> Path:
        file = tmp_path / name
        command("backup", file, "--without-models", "--passphrase-file", words)
        return file

    with open_registry(gate.site, Key.NEEDED) as registry:
        registry.put(holder("lin.2"), by="test", now=instant(gate.site))
    once: dict[str, Any] = {"holder": HolderId("v-7"), "category": "visitor", "uses": 1}
    text = gate.pass_of(**once, kiosk="g3/north-1")
    config = gate.folder / "gate.toml"
    usual = config.read_text()
    config.write_text(usual.replace(*FILM))
    with subprocess.Popen([PROGRAM, "run"], env={**os.environ, **of(gate.site.state)}) as ran:
        try:
            assert wait_until(lambda: bool(lines("events", "list", "--type", "agent.started")), 60)
            before = backed_up("before.gate")
            assert ran.poll() is None
        finally:
            ran.terminate()
    config.write_text(usual)
    assert reasons(gate.run(phone(text), NOBODY)) == [None]

    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (other / "models").symlink_to(gate.site.state / "models")
    told = command("restore", before, "--passphrase-file", words, state=other)
    assert told["doubted"] == ["passes.sqlite"]
    assert [one["id"] for one in command("holders", "list", state=other)] == ["lin.2"]
    successor = Gate(gate.folder, replace(gate.site, state=other), gate.subscriber)
    assert reasons(successor.run(phone(text), NOBODY)) == ["CredentialReplayed"]
    assert not PinBank(gate.folder / "pins.bin").level(PIN)
    faults = [one["file"] for one in command("state", "show", state=other)["files"] if one["fault"]]
    assert faults == ["passes.sqlite"]
    epochs = {one["epoch"] for one in lines("events", "list", state=other)}
    assert len(epochs) > 1
