"""From the start of ``gate-agent run`` to its first decision: a process of its own, as a user's.

One resident is enrolled and stands before a simulated camera; the relay is a simulated pin. The
face pack is the installed one; attack detection is left out, for the resident is a photograph.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from agent.adapters.pins.simulated import PinBank
from agent.app.desk.people import enrol_holder
from agent.app.open.files.keys import make_key
from agent.app.open.files.state import FOLDER_MODE
from agent.app.open.site import site_of
from agent.domain.sight.image import Image
from agent.errors import InternalError
from agent.lab.demo.world import portrait
from agent.operations.people.enrol import EnrolmentRequest
from agent.vision.packs.place import packs_dir

MOST_START_S = 2.0
_PIN = 17
_WARM_STARTS = 3
_TIMEOUT_S = 60.0
_POLL_S = 0.01
_STOP_S = 10.0
_RUN = """
import sys
from agent.lab.child import end_with
end_with(int(sys.argv.pop(1)))
from agent.cli.main import main
raise SystemExit(main())
"""
_CONFIG = """
[kiosk]
community = "bench"
grid = "g1"
id = "north-1"
[[camera]]
id = "front"
kind = "simulated"
source = ["scene.png"]
loop = true
[[door]]
id = "turnstile"
kind = "gpio"
pin = {pin}
active_high = true
pin_factory = "simulated"
pins_file = "pins.bin"
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "turnstile"
[[rule]]
categories = ["resident"]
[face]
pack = "{pack}"
accept_no_pad = true
[clock]
trust_system_clock = true
"""


def start_to_first_decision_s(state: Path, pack: str, scene: Image) -> float:
    """Seconds from the start of the process to the relay's change; the median of warm starts.

    Warm: after a first start, which is not counted.

    Raises:
        UnavailableError: the pack or the portrait cannot be had.
        InternalError: the gate does not start, or grants nothing.
    """
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as name:
        folder = Path(name)
        own = folder / "state"
        own.mkdir(mode=FOLDER_MODE)
        shutil.copytree(packs_dir(state) / pack, packs_dir(own) / pack)
        config = folder / "gate.toml"
        config.write_text(_CONFIG.format(pin=_PIN, pack=pack), "utf-8")
        cv2.imwrite(str(folder / "scene.png"), scene)
        site = site_of(own, config)
        make_key(site)
        resident = EnrolmentRequest(
            id="resident", name="Resident", category="resident", files=(str(portrait("collins")),)
        )
        enrol_holder(site, resident, by="bench")
        found = [_start_s(folder, config, own) for _ in range(1 + _WARM_STARTS)]
    return round(float(np.median(found[1:])), 3)


def _start_s(folder: Path, config: Path, state: Path) -> float:
    (folder / "pins.bin").unlink(missing_ok=True)
    pins = PinBank(folder / "pins.bin")
    # Bytecode is kept as an installed agent's is, whatever this process was told.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _RUN, str(os.getpid()), "run", "--config", str(config)]
    with (folder / "log").open("wb") as log:
        start_s = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and command
            [*command, "--state-dir", str(state)], env=environment, stdout=log, stderr=log
        )
        try:
            while not pins.changes(_PIN):
                if process.poll() is not None or time.monotonic() - start_s > _TIMEOUT_S:
                    raise InternalError(f"the gate granted nothing: {_last(folder / 'log')}")
                time.sleep(_POLL_S)
            return pins.changed_s(_PIN) - start_s
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _last(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no word"
