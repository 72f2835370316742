"""What ``gate-agent init`` wrote on a machine without a gate runs, and grants."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from mosquitto import wait_until

from agent.adapters.pins.simulated import PinBank
from agent.config import load_config
from agent.vision.packs.packs import InstalledPack

PROGRAM = Path(sys.executable).parent / "gate-agent"


def test_the_gate_of_init_opens_for_whom_one_enrolled(
    tmp_path: Path, dlib_pack: InstalledPack, shared_faces: Path
) -> None:
    state, portrait = tmp_path / "state", shared_faces / "gallery" / "lowe.jpg"
    (state / "models").mkdir(parents=True)
    # Alone, so that no attack detection looks at what is a photograph.
    (state / "models" / "dlib").symlink_to(dlib_pack.directory)
    known = {k: v for k, v in os.environ.items() if not k.startswith("GATE_AGENT")}
    environment = {**known, "GATE_AGENT_STATE_DIR": str(state)}

    def command(*words: object) -> None:
        done = subprocess.run(
            [str(PROGRAM), *map(str, words)],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    words = ("--camera", portrait, "--pins", "simulated", "--accept-no-pad")
    command("init", "--yes", *words)
    place = ("--config", "gate.toml")
    command("enrol", "r-1", "--name", "Rob", "--category", "resident", *place, portrait)
    (door,) = load_config(tmp_path / "gate.toml").config.door
    process = subprocess.Popen(
        [str(PROGRAM), "run", *place], env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        assert wait_until(lambda: PinBank(tmp_path / "pins.bin").level(door.pin), 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(60)
