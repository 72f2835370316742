"""Live sources: streams and devices that end, hang or are not there."""

import threading
import time
from typing import Any

import pytest
from video_sources import MotionJpeg, closed_port, picture

from agent.adapters.camera import video as module
from agent.adapters.camera.capture import capture_time_s, public_name
from agent.adapters.camera.video import LiveCamera
from agent.errors import UnavailableError

PATIENCE_S = 60.0
TIMEOUT_S = 5.0


def failure_of(camera: LiveCamera, timeout_s: float) -> str:
    """What the camera says when its frames run out."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        try:
            camera.read(timeout_s)
        except UnavailableError as error:
            return str(error)
    raise AssertionError("frames without end")


def test_a_stream_gives_its_newest_frame_only() -> None:
    stream = MotionJpeg()
    try:
        camera = LiveCamera(stream.url)
        first = camera.read(TIMEOUT_S)
        time.sleep(0.4)
        second = camera.read(TIMEOUT_S)
        camera.close()
    finally:
        stream.close()
    assert first is not None
    assert second is not None
    assert second.number - first.number > 1
    assert second.captured_s > first.captured_s


def test_a_stream_that_goes_silent_costs_the_readers_timeout_and_no_more() -> None:
    stream = MotionJpeg(frames=3, hang=True)
    try:
        camera = LiveCamera(stream.url)
        camera.read(TIMEOUT_S)
        assert "sends no frame" in failure_of(camera, 0.2)
        assert camera._thread.is_alive()
        camera.close()
    finally:
        stream.close()


def test_a_stream_that_ends_is_gone_and_can_be_opened_again() -> None:
    stream = MotionJpeg(frames=5)
    try:
        camera = LiveCamera(stream.url)
        failure_of(camera, PATIENCE_S)
        camera.close()
        again = LiveCamera(stream.url)
        assert again.read(TIMEOUT_S) is not None
        again.close()
    finally:
        stream.close()


def test_a_stream_that_is_not_there_is_named_without_its_password() -> None:
    url = f"http://porter:s3cret@127.0.0.1:{closed_port()}/live?token=s3cret"
    with pytest.raises(UnavailableError) as failure:
        LiveCamera(url)
    assert "s3cret" not in str(failure.value)
    assert f"127.0.0.1:{url.rpartition(':')[2].partition('/')[0]}/live" in str(failure.value)
    assert not any("s3cret" in thread.name for thread in threading.enumerate())


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(UnavailableError, match="/dev/video98") as failure:
        LiveCamera("/dev/video98")
    assert failure.value.fix is not None
    assert "ls /dev/video*" in failure.value.fix


class Device:
    """A V4L2 device: settings, timestamps, and a driver that may hang."""

    def __init__(self) -> None:
        self.settings: dict[int, float] = {}
        self.hangs = threading.Event()
        self.goes_on = threading.Event()
        self.age_s = 0.0
        self.released = False

    def set(self, what: int, value: float) -> bool:
        self.settings[what] = value
        return True

    def get(self, what: int) -> float:
        return (time.monotonic() - self.age_s) * 1000.0

    def read(self) -> tuple[bool, Any]:
        time.sleep(0.005)
        if self.hangs.is_set():
            self.goes_on.wait(PATIENCE_S)
            return False, None
        return True, picture(1)

    def release(self) -> None:
        self.released = True


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    there = Device()
    monkeypatch.setattr(module, "open_capture", lambda *_: there)
    monkeypatch.setattr(module, "_JOIN_S", 0.05)
    return there


def test_a_device_is_set_up_as_configured(device: Device) -> None:
    camera = LiveCamera("/dev/video97", width=320, height=240, fps=12.0)
    camera.read(TIMEOUT_S)
    camera.close()
    assert sorted(device.settings.values()) == [12.0, 240, 320]
    assert device.released


def test_a_frame_that_waited_in_the_driver_shows_its_age(device: Device) -> None:
    device.age_s = 2.0
    camera = LiveCamera(97)
    frame = camera.read(TIMEOUT_S)
    camera.close()
    assert frame is not None
    assert time.monotonic() - frame.captured_s >= 2.0


def test_a_driver_that_hangs_is_left_behind_and_no_second_one_started(device: Device) -> None:
    camera = LiveCamera("/dev/video96")
    camera.read(TIMEOUT_S)
    device.hangs.set()
    time.sleep(0.05)
    failure_of(camera, 0.1)
    camera.close()
    with pytest.raises(UnavailableError, match="still hangs") as failure:
        LiveCamera("/dev/video96")
    assert failure.value.fix is not None
    device.goes_on.set()
    camera._thread.join(PATIENCE_S)
    device.hangs.clear()
    LiveCamera("/dev/video96").close()


def test_a_driver_that_fails_in_its_own_way_is_a_camera_without_frames(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = LiveCamera("/dev/video95")

    def fails() -> tuple[bool, Any]:
        raise ValueError("driver")

    monkeypatch.setattr(device, "read", fails)
    assert "ValueError" in failure_of(camera, PATIENCE_S)
    assert device.released


def test_opening_that_hangs_costs_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()
    there = Device()

    def hangs(*_: object) -> Device:
        ends.wait(PATIENCE_S)
        return there

    monkeypatch.setattr(module, "open_capture", hangs)
    monkeypatch.setattr(module, "OPEN_TIMEOUT_S", 0.05)
    with pytest.raises(UnavailableError, match="no frame"):
        LiveCamera("/dev/video94")
    ends.set()
    end_s = time.monotonic() + PATIENCE_S
    while not there.released and time.monotonic() < end_s:
        time.sleep(0.01)
    assert there.released


@pytest.mark.parametrize(
    ("stamp_s", "captured_s"),
    [
        (99.9, 99.9),
        (100.0, 100.0),
        (95.1, 95.1),
        (94.9, 100.0),  # another clock
        (100.1, 100.0),  # the future
        (0.0, 100.0),  # none
        (1.7e9, 100.0),  # the time of day
        (float("nan"), 100.0),
    ],
)
def test_a_devices_stamp_counts_where_it_can_be_the_monotonic_clocks(
    stamp_s: float, captured_s: float
) -> None:
    assert capture_time_s(stamp_s * 1000.0, 100.0) == pytest.approx(captured_s)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (0, "camera 0"),
        ("/dev/video0", "/dev/video0"),
        ("rtsp://u:p@cam.example:554/a/b?pw=1", "rtsp://cam.example:554/a/b"),
        ("rtsp://u:p@ss@cam.example", "rtsp://cam.example"),
        ("rtsp://admin:pa/ss@cam.example/a?x", "rtsp://cam.example/a"),
        ("rtsp://admin:p?s/s#@cam.example/a", "rtsp://cam.example/a"),
        ("http://cam.example/a#token", "http://cam.example/a"),
        ("rtsp://cam.example:554/user=u&password=p&channel=1", "rtsp://cam.example:554"),
        ("rtsp://cam.example/a/u=1_p=2.sdp?real", "rtsp://cam.example/a"),
        ("rtsp://cam.example/a@b", "rtsp://b"),  # it may be a password that ends there
    ],
)
def test_an_address_is_named_without_what_is_secret_in_it(source: int | str, name: str) -> None:
    assert public_name(source) == name
