"""Films paced by their own timestamps, whatever those are, and files that are no films."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from video_sources import number_in, picture, write_video

from agent.adapters.camera import video as module
from agent.adapters.camera.video import FileCamera
from agent.domain.sight.image import Frame
from agent.errors import UnavailableError

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
