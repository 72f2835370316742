"""A running agent under a service manager's watchdog: what may hang around it, and what may not."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from in_process import run_here
from tls import make_authority
from video_sources import MotionJpeg, closed_port

from agent.adapters.pins.simulated import PinBank
from agent.vision.packs.packs import InstalledPack

DOOR, WAY_OUT = 17, 13
PATIENCE_S = 60.0
PINS = 'pin_factory = "simulated"\npins_file = "pins.bin"\n'
CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
[[camera]]
id = "front"
{camera}
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
id = "way-out"
kind = "rex"
pin = 13
active_high = false
pull = "up"
door = "gate"
{pins}
[face]
pack = "dlib"
accept_no_pad = true
"""
BROKER = '[broker]\nhost = "127.0.0.1"\nport = {port}\nca_file = "{ca}"\n'
# The agent as it is, but that what looks at faces hangs from the first frame on.
HANGS = """
import sys, threading
from agent.app.gate import senses
from agent.app.threads.senses.camera import CameraWatcher
from agent.cli.main import main
senses.HUNG_S = 1.0
CameraWatcher._look = lambda self, frame: threading.Event().wait()
sys.argv = ["gate-agent", "run"]
sys.exit(main())
"""


class Manager:
    """The service manager's end: it counts the beats of the watchdog."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self.beats = 0
        self.ready = False
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        while (said := self._socket.recv(4096)) != b"end":
            self.ready = self.ready or said == b"READY=1"
            self.beats += said == b"WATCHDOG=1"

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", self.address)
        self._thread.join(PATIENCE_S)
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


@pytest.fixture
def site(tmp_path: Path, dlib_pack: InstalledPack) -> Path:
    """A folder with a state, a key and the pins' file."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "models").symlink_to(dlib_pack.directory.parent)
    PinBank(tmp_path / "pins.bin").set_input(WAY_OUT, True)
    return tmp_path


def environment(site: Path, manager: Manager) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GATE_AGENT")}
    paths = {"STATE_DIR": str(site / "state"), "CONFIG": str(site / "gate.toml")}
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"}
    return {**kept, **told, **{f"GATE_AGENT_{name}": path for name, path in paths.items()}}


def write(site: Path, manager: Manager, camera: str, broker: str = "") -> None:
    (site / "gate.toml").write_text(CONFIG.format(camera=camera, pins=PINS) + broker)
    done = run_here("key", "init", environment=environment(site, manager))
    assert done.returncode == 0, done.stderr


def until(true: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < end_s:
        time.sleep(0.05)
    return true()


@pytest.mark.parametrize(
    "broker",
    ["a TLS that says nothing", pytest.param("none that listens", marks=pytest.mark.slow)],
)
def test_neither_camera_nor_broker_restarts_it_or_holds_up_the_way_out(
    site: Path, manager: Manager, broker: str
) -> None:
    bank, log = PinBank(site / "pins.bin"), site / "log"
    camera = MotionJpeg(frames=20, hang=True)
    mute = socket.create_server(("127.0.0.1", 0))  # it is connected to, and never answers
    port = mute.getsockname()[1] if "TLS" in broker else closed_port()
    ca = make_authority(site / "authority").ca
    write(
        site,
        manager,
        f'kind = "opencv"\nsource = "{camera.url}"\ntimeout_s = 0.5',
        BROKER.format(port=port, ca=ca),
    )
    with log.open("w") as said:
        agent = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from agent.cli.main import main; raise SystemExit(main())",
                "run",
            ],
            env=environment(site, manager),
            stdout=said,
            stderr=said,
        )
    try:
        assert until(lambda: manager.ready), log.read_text()
        # The camera has gone, and that was told.
        assert until(lambda: "camera:front" in log.read_text()), log.read_text()
        beats = manager.beats
        bank.set_input(WAY_OUT, False)
        assert until(lambda: bank.changes(DOOR) > 0), log.read_text()
        bank.set_input(WAY_OUT, True)
        assert until(lambda: bank.changes(DOOR) == 2)
        assert until(lambda: manager.beats > beats + 3)
        assert agent.poll() is None
    finally:
        agent.send_signal(signal.SIGTERM)
        code = agent.wait(PATIENCE_S)
        camera.close()
        mute.close()
    assert code == 0, log.read_text()
    assert not bank.level(DOOR)
    assert "thread_hangs" not in log.read_text()


def test_what_looks_at_faces_and_hangs_ends_the_agent(
    site: Path, manager: Manager, shared_faces: Path
) -> None:
    portrait = shared_faces / "gallery" / "obama.jpg"
    write(site, manager, f'kind = "simulated"\nsource = ["{portrait}"]\nloop = true')
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        env=environment(site, manager),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 70, done.stderr
    assert '"thread": "watch front"' in done.stderr
    # Where it hangs stands in the journal of the system.
    assert re.search(r'File ".*test|File "<string>", line \d+ in <lambda>', done.stderr)
    assert not PinBank(site / "pins.bin").level(DOOR)
