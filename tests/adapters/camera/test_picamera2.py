"""The picamera2 driver against the real class's signatures: by hand, and by the real wheel (slow).

A double stands for the camera: its methods have the parameters of ``picamera2.Picamera2`` and it
keeps requests the way the real event loop does, so a call that the real class would refuse, a
request that is never returned and a ``stop`` that would wait for ever all fail here.
"""

import ast
import inspect
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.adapters.camera import picamera2 as module
from agent.adapters.camera.picamera2 import Picamera2Camera, captured_s
from agent.errors import UnavailableError

PATIENCE_S = 60.0
RELEASE = "0.3.38"


class Request:
    """One completed request: an image, its metadata, and a buffer that must be returned."""

    def __init__(self, camera: "Picamera2", number: int) -> None:
        self.camera = camera
        self.number = number

    def make_array(self, name: str) -> Any:
        assert name == "main"
        if self.camera.fails_at == "make_array":
            raise RuntimeError("failed to find buffer")
        width, height = self.camera.configured["main"]["size"]
        # Padded rows, as the ISP makes them: not contiguous.
        return np.full((height, width + 16, 3), self.number, dtype=np.uint8)[:, :width]

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": self.camera.stamp_ns, "ExposureTime": 10_000}

    def release(self) -> None:
        self.camera.held -= 1


class Picamera2:
    """The real class's parameters, and as much of its behaviour as the driver relies on."""

    def __init__(
        self,
        camera_num: int = 0,
        verbose_console: Any = None,
        tuning: Any = None,
        allocator: Any = None,
    ) -> None:
        self.log: list[str] = []
        self.jobs: list[dict[str, Request]] = []
        self.frames = 0
        self.held = 0
        self.delivers = True
        self.fails_at = ""
        self.stamp_ns = 0
        self.stop_waits = threading.Event()
        self.configured: dict[str, Any] = {}

    def create_video_configuration(  # noqa: PLR0917 - the real class's parameters
        self,
        main: Any = None,
        lores: Any = None,
        raw: Any = None,
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: Any = None,
        display: str = "main",
        encode: str = "main",
        queue: Any = True,  # noqa: FBT002 - the real class's default
        sensor: Any = None,
        use_case: str = "video",
    ) -> dict[str, Any]:
        return {"main": main, "buffer_count": buffer_count, "controls": controls, "queue": queue}

    def configure(self, camera_config: Any = None) -> None:
        self.fail("configure")
        self.configured = camera_config

    def start(self, config: Any = None, show_preview: Any = False) -> None:  # noqa: FBT002 - as above
        self.fail("start")
        self.log.append("start")

    def capture_request(
        self, wait: Any = None, signal_function: Any = None, flush: Any = None
    ) -> dict[str, Request]:
        self.fail("capture_request")
        assert wait is False, "only a job can be waited for again after its time is out"
        job: dict[str, Request] = {}
        self.jobs.append(job)
        return job

    def wait(self, job: dict[str, Request], timeout: Any = None) -> Request:
        assert timeout is not None, "nothing waits without a timeout"
        assert job in self.jobs
        if not self.delivers:
            raise TimeoutError
        self.jobs.remove(job)
        self.frames += 1
        self.held += 1
        return Request(self, self.frames)

    def cancel_all_and_flush(self) -> None:
        self.log.append("cancel")
        self.jobs.clear()

    def stop(self) -> None:
        self.fail("stop")
        if self.jobs:
            self.stop_waits.wait(PATIENCE_S)
        self.log.append("stop")

    def close(self) -> None:
        self.log.append("close")

    def fail(self, at: str) -> None:
        if self.fails_at == at:
            raise RuntimeError(f"{at} failed")


class Board:
    """Opens doubles, and remembers the last."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.numbers: list[int] = []
        self.camera = Picamera2()

    def __call__(self, number: int) -> Picamera2:
        self.numbers.append(number)
        if self.fails_at == "open":
            cause = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from cause
        self.camera = Picamera2(number)
        self.camera.fails_at = self.fails_at
        return self.camera


@pytest.fixture
def board() -> Board:
    return Board()


def camera_on(board: Board) -> Picamera2Camera:
    return Picamera2Camera(1, width=64, height=48, fps=20.0, driver=board)


def test_it_is_configured_for_bgr_at_its_size_and_rate(board: Board) -> None:
    camera_on(board)
    assert board.numbers == [1]
    assert board.camera.configured == {
        "main": {"size": (64, 48), "format": "RGB888"},
        "buffer_count": 4,
        "controls": {"FrameDurationLimits": (50_000, 50_000)},
        "queue": True,
    }
    assert board.camera.log == ["start"]


def test_a_frame_is_a_contiguous_copy_and_its_request_returned(board: Board) -> None:
    camera = camera_on(board)
    for number in (1, 2, 3):
        frame = camera.read(1.0)
        assert frame.number == number
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.flags.c_contiguous
        assert frame.image[0, 0, 0] == number
    assert board.camera.held == 0
    assert board.camera.jobs == []


def test_a_frame_is_as_old_as_its_sensor_says(board: Board) -> None:
    camera = camera_on(board)
    before_s = time.monotonic()
    board.camera.stamp_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 300_000_000
    stamped_s = time.monotonic()
    frame = camera.read(1.0)
    assert before_s - 0.301 <= frame.captured_s <= stamped_s - 0.299


def test_a_read_that_times_out_leaves_one_job_for_the_next(board: Board) -> None:
    camera = camera_on(board)
    board.camera.delivers = False
    for _ in range(3):
        with pytest.raises(UnavailableError, match="sends no frame") as failure:
            camera.read(0.01)
        assert failure.value.fix is not None
        assert "rpicam-hello --list-cameras" in failure.value.fix
    assert len(board.camera.jobs) == 1
    board.camera.delivers = True
    assert camera.read(0.01).number == 1
    assert board.camera.jobs == []
    assert board.camera.held == 0


def test_close_cancels_what_waits_before_it_stops(board: Board) -> None:
    camera = camera_on(board)
    board.camera.delivers = False
    with pytest.raises(UnavailableError):
        camera.read(0.01)
    camera.close()
    camera.close()
    assert board.camera.log == ["start", "cancel", "stop", "close"]
    with pytest.raises(UnavailableError, match="closed"):
        camera.read(0.01)


def test_a_camera_that_cannot_stop_is_still_let_go(board: Board) -> None:
    camera = camera_on(board)
    board.camera.fails_at = "stop"
    camera.close()
    assert board.camera.log == ["start", "cancel", "close"]


def test_a_camera_that_hangs_on_its_way_out_is_left_behind(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CLOSE_S", 0.05)
    camera = camera_on(board)
    board.camera.jobs.append({})
    monkeypatch.setattr(board.camera, "cancel_all_and_flush", lambda: None)
    camera.close()
    assert board.camera.log == ["start"]
    board.camera.stop_waits.set()


@pytest.mark.parametrize("step", ["capture_request", "make_array"])
def test_a_failure_while_reading_returns_the_request_and_has_its_fix(
    board: Board, step: str
) -> None:
    camera = camera_on(board)
    board.camera.fails_at = step
    with pytest.raises(UnavailableError, match="camera 1 has failed") as failure:
        camera.read(1.0)
    assert failure.value.fix
    assert board.camera.held == 0


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("open", "Device or resource busy"),
        ("configure", "configure failed"),
        ("start", "start failed"),
    ],
)
def test_a_camera_that_cannot_start_says_why_and_is_let_go(step: str, said: str) -> None:
    board = Board(step)
    with pytest.raises(UnavailableError, match=f"camera 1 cannot be started: .*{said}"):
        camera_on(board)
    assert board.camera.log == ([] if step == "open" else ["cancel", "stop", "close"])


@pytest.mark.parametrize(
    ("problem", "fix"),
    [
        (ImportError("No module named 'picamera2'"), "apt install"),
        (ValueError("numpy.dtype size changed, may indicate binary incompatibility"), "simplejpeg"),
        (OSError("libcamera.so.0.4: cannot open shared object file"), "apt install"),
    ],
)
def test_without_picamera2_the_message_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, fix: str
) -> None:
    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "picamera2":
                raise problem

    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(UnavailableError, match="no picamera2") as failure:
        Picamera2Camera(0, width=64, height=48, fps=20.0)
    assert failure.value.fix is not None
    assert fix in failure.value.fix


@pytest.mark.parametrize(
    ("metadata", "boot_ns", "expected_s"),
    [
        ({"SensorTimestamp": 4_900_000_000}, 5_000_000_000, 4.9),
        ({"SensorTimestamp": 9_900_000_000}, 10_000_000_000, 4.9),  # the machine slept for 5 s
        ({"SensorTimestamp": 4_900_000_000}, 10_000_000_000, -0.1),  # a driver on the other clock
        ({"SensorTimestamp": 5_100_000_000}, 5_000_000_000, 5.0),  # never in the future
        ({"SensorTimestamp": None}, 5_000_000_000, 5.0),
        ({}, 5_000_000_000, 5.0),
    ],
)
def test_the_start_of_the_exposure_on_the_monotonic_clock(
    metadata: dict[str, Any], boot_ns: int, expected_s: float
) -> None:
    assert captured_s(metadata, 5_000_000_000, boot_ns) == pytest.approx(expected_s)


# --- the real class -------------------------------------------------------------------------------


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.slow
def test_the_double_has_the_real_classes_parameters(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(tmp_path)]
    fetched = subprocess.run(
        [*asked, f"picamera2=={RELEASE}"], capture_output=True, text=True, check=False, timeout=120
    )
    if fetched.returncode:
        pytest.skip(f"the wheel of picamera2 {RELEASE} cannot be had: {fetched.stderr[-200:]}")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        camera = class_in(archive.read("picamera2/picamera2.py").decode(), "Picamera2")
        request = class_in(archive.read("picamera2/request.py").decode(), "CompletedRequest")
    for double, real in ((Picamera2, camera), (Request, request)):
        for name, function in vars(double).items():
            if inspect.isfunction(function) and name in real and name != "__init__":
                assert parameters(function) == real[name], name
    assert parameters(Picamera2.__init__) == camera["__init__"]
    assert {"cancel_all_and_flush", "capture_request", "wait", "stop", "close"} <= camera.keys()
    assert {"make_array", "get_metadata", "release"} <= request.keys()


def class_in(source: str, name: str) -> dict[str, list[str]]:
    """The methods of a class and their parameters; of overloads the last, which is the real one."""
    (found,) = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    return {
        node.name: [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        for node in found.body
        if isinstance(node, ast.FunctionDef)
    }
