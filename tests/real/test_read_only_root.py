"""The whole agent where nothing can be written but its state, as on a root that is only read."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from in_process import run_here

from agent.adapters.pins.simulated import PinBank
from agent.vision.packs.packs import InstalledPack

pytestmark = pytest.mark.slow
PATIENCE_S = 120.0
CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
[[camera]]
id = "front"
kind = "simulated"
source = ["{portrait}"]
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
pin_factory = "simulated"
pins_file = "state/pins.bin"
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "gate"
[[rule]]
categories = ["resident"]
[face]
pack = "dlib"
accept_no_pad = true
"""
PROGRAM = "from agent.cli.main import main; raise SystemExit(main())"


def test_it_serves_and_ends_with_its_state_alone_to_write_to(
    tmp_path: Path, dlib_pack: InstalledPack, shared_faces: Path
) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "models").symlink_to(dlib_pack.directory.parent)
    PinBank(state / "pins.bin")
    portrait = shared_faces / "gallery" / "obama.jpg"
    (tmp_path / "gate.toml").write_text(CONFIG.format(portrait=portrait))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GATE_AGENT")}
    environment = {
        **kept,
        "GATE_AGENT_STATE_DIR": str(state),
        "GATE_AGENT_CONFIG": str(tmp_path / "gate.toml"),
        "HOME": str(tmp_path),
    }
    done = run_here("key", "init", environment=environment)
    assert done.returncode == 0, done.stderr
    where = shlex.quote(str(state))
    # The state becomes a mount of its own; every other one is read only, here and nowhere else.
    script = (
        f"mount --bind {where} {where} &&"
        " for at in $(findmnt -rno TARGET -t ext4,overlay,xfs,btrfs,tmpfs); do"
        f' [ "$at" = {where} ] || mount -o remount,bind,ro "$at" || exit 9; done;'
        f" cd {where} && touch ../anything 2>/dev/null && exit 8;"
        f" exec {shlex.quote(sys.executable)} -c {shlex.quote(PROGRAM)} run"
    )
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if ran.returncode in {8, 9}:
        pytest.skip(f"the root cannot be made read-only here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    listed = run_here("events", "list", "--json", environment=environment)
    kinds = [json.loads(line)["type"] for line in listed.stdout.splitlines()]
    assert {"gate.agent.started", "gate.agent.stopped"} <= set(kinds)
    assert "Read-only file system" not in ran.stderr
    assert not (tmp_path / "anything").exists()
