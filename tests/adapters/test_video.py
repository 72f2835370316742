"""Films paced by their own timestamps, and live sources that end, hang or are not there."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from video_sources import MotionJpeg, closed_port, number_in, picture, write_video

from agent.adapters import video as module
from agent.adapters.capture import capture_time_s, public_name
from agent.adapters.video import FileCamera, LiveCamera
from agent.errors import UnavailableError
from agent.ports import Frame

PATIENCE_S = 20.0
TIMEOUT_S = 5.0


class Hands:
    """Time that passes by sleeping, and by ``work_s`` with each look at it."""

    def __init__(self, work_s: float = 0.0) -> None:
        self.s = 500.0
        self.work_s = work_s
        self.slept_s: list[float] = []

    def now_s(self) -> float:
        self.s += self.work_s
        return self.s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0.0
        self.slept_s.append(seconds)
        self.s += seconds


def play(path: Path, hands: Hands, *, loop: bool = False, timeout_s: float = TIMEOUT_S):
    camera = FileCamera(path, loop=loop, now_s=hands.now_s, sleep=hands.sleep)

    def read() -> Frame | None:
        return camera.read(timeout_s)

    return read


def all_of(read: Callable[[], Frame | None]) -> list[Frame]:
    frames = []
    while (frame := read()) is not None:
        frames.append(frame)
    return frames


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.avi", frames=12, fps=10.0)


def test_a_file_plays_every_frame_in_order_at_its_own_pace_and_ends(film: Path) -> None:
    hands = Hands()
    read = play(film, hands)
    frames = all_of(read)
    assert [number_in(frame.image) for frame in frames] == list(range(12))
    assert [frame.number for frame in frames] == list(range(1, 13))
    gaps = [after.captured_s - before.captured_s for before, after in pairwise(frames)]
    assert gaps == pytest.approx([0.1] * 11)
    assert sum(hands.slept_s) == pytest.approx(1.1)
    assert read() is None


@pytest.mark.parametrize("fps", [5.0, 15.0, 30.0])
def test_the_pace_is_the_files(tmp_path: Path, fps: float) -> None:
    hands = Hands()
    frames = all_of(play(write_video(tmp_path / "film.avi", frames=8, fps=fps), hands))
    assert frames[-1].captured_s - frames[0].captured_s == pytest.approx(7 / fps, rel=0.01)


def test_late_frames_come_at_once_with_the_time_they_should_have_had(film: Path) -> None:
    hands = Hands()
    read = play(film, hands)
    first = read()
    hands.s += 0.35
    frames = [read() for _ in range(3)]
    assert hands.slept_s == []
    assert first is not None
    times = [f.captured_s - first.captured_s for f in frames if f is not None]
    assert times == pytest.approx([0.1, 0.2, 0.3])
    assert read() is not None
    assert hands.slept_s == pytest.approx([0.05])


def test_a_player_far_behind_goes_on_from_where_it_is(film: Path) -> None:
    hands = Hands()
    read = play(film, hands)
    read()
    hands.s += 60.0
    frame = read()
    assert frame is not None
    assert frame.captured_s == hands.s
    following = read()
    assert following is not None
    assert following.captured_s - frame.captured_s == pytest.approx(0.1)


def test_a_decoder_too_slow_for_the_film_delivers_no_stale_frame(film: Path) -> None:
    hands = Hands(work_s=0.4)
    camera = FileCamera(film, now_s=hands.now_s, sleep=hands.sleep)
    ages = []
    while (frame := camera.read(TIMEOUT_S)) is not None:
        ages.append(hands.s - frame.captured_s)
    assert len(ages) == 12
    assert max(ages) < 0.5


def test_a_gap_longer_than_the_timeout_is_cut_to_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "slow.avi", frames=4, fps=0.5)
    hands = Hands()
    frames = all_of(play(path, hands, timeout_s=0.5))
    assert len(frames) == 4
    assert max(hands.slept_s) <= 0.5 + 1e-9
    assert all(frame.captured_s <= hands.s + 1e-9 for frame in frames)
    gaps = [after.captured_s - before.captured_s for before, after in pairwise(frames)]
    assert gaps == pytest.approx([0.5] * 3)


def test_a_loop_goes_on_in_numbers_time_and_pace(film: Path) -> None:
    read = play(film, Hands(), loop=True)
    frames = [frame for frame in (read() for _ in range(30)) if frame is not None]
    assert [number_in(frame.image) for frame in frames] == [n % 12 for n in range(30)]
    assert [frame.number for frame in frames] == list(range(1, 31))
    gaps = [after.captured_s - before.captured_s for before, after in pairwise(frames)]
    assert gaps == pytest.approx([0.1] * 29)


class Timestamps:
    """A capture whose container says what it likes about time."""

    def __init__(self, stamps_ms: list[float], fps: float) -> None:
        self.stamps_ms = stamps_ms
        self.fps = fps
        self.at = -1

    def read(self) -> tuple[bool, Any]:
        self.at += 1
        return self.at < len(self.stamps_ms), picture(self.at)

    def get(self, what: int) -> float:
        return self.fps if what == module.cv2.CAP_PROP_FPS else self.stamps_ms[self.at]  # type: ignore[attr-defined] # cv2 as the module has it

    def release(self) -> None:
        pass


@pytest.mark.parametrize(
    ("stamps_ms", "fps", "gaps_s"),
    [
        ([0, 40, 120, 130], 25.0, [0.04, 0.08, 0.01]),  # a variable rate is kept
        ([0, 0, 0, 0], 10.0, [0.1, 0.1, 0.1]),  # none at all: the rate
        ([0, 0, 0, 0], 0.0, [0.04, 0.04, 0.04]),  # nor a rate: 25 a second
        ([0, 0, 0, 0], 90_000.0, [0.04, 0.04, 0.04]),  # a time base is no rate
        ([0, 100, 50, 60], 10.0, [0.1, 0.1, 0.1]),  # back in time
        ([0, 100, 9_000_000, 200], 10.0, [0.1, 0.1, 0.1]),  # a leap
        ([7000, 7100, 7200, 7300], 10.0, [0.1, 0.1, 0.1]),  # a cut from a longer film
        ([0, float("nan"), 1, 2], 10.0, [0.1, 0.1, 0.1]),
    ],
)
def test_broken_timestamps_fall_back_to_the_rate(
    monkeypatch: pytest.MonkeyPatch,
    stamps_ms: list[float],
    fps: float,
    gaps_s: list[float],
) -> None:
    monkeypatch.setattr(module, "open_capture", lambda *_: Timestamps(stamps_ms, fps))
    frames = all_of(play(Path("film"), Hands()))
    gaps = [after.captured_s - before.captured_s for before, after in pairwise(frames)]
    assert gaps == pytest.approx(gaps_s)


@pytest.mark.parametrize("content", [None, b"", b"no film\n" * 1000, b"RIFF\x00\x00\x00\x00AVI "])
def test_what_is_no_film_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "film.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnavailableError, match=r"film\.avi") as failure:
        FileCamera(path)
    assert failure.value.fix


def test_a_film_cut_short_plays_what_is_there(film: Path) -> None:
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    frames = all_of(play(film, Hands()))
    assert 0 < len(frames) < 12
    assert [number_in(frame.image) for frame in frames] == list(range(len(frames)))


def test_a_film_that_vanishes_while_it_loops_is_a_failure(film: Path) -> None:
    read = play(film, Hands(), loop=True)
    for _ in range(12):
        read()
    film.unlink()
    with pytest.raises(UnavailableError, match=r"film\.avi"):
        read()


# --- live sources ---------------------------------------------------------------------------------


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
        ("rtsp://cam.example/a@b", "rtsp://cam.example/a@b"),
    ],
)
def test_an_address_is_named_without_what_is_secret_in_it(source: int | str, name: str) -> None:
    assert public_name(source) == name
