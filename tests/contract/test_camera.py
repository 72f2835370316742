"""One suite for every ``ports.Camera``: a file, a stream, photographs, and picamera2 on a Pi."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from video_sources import MotionJpeg, picture, write_video

from agent.adapters.camera.picamera2 import Picamera2Camera
from agent.adapters.camera.simulated import SimulatedCamera
from agent.adapters.camera.video import FileCamera, LiveCamera
from agent.ports import Camera

TIMEOUT_S = 10.0


@dataclass
class Subject:
    camera: Camera
    now_s: Callable[[], float]


class Hands:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.s = 500.0

    def now_s(self) -> float:
        return self.s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0.0
        self.s += seconds


@pytest.fixture
def stream() -> Iterator[MotionJpeg]:
    served = MotionJpeg()
    yield served
    served.close()


@pytest.fixture(
    params=["file", "stream", "simulated", pytest.param("picamera2", marks=pytest.mark.hardware)]
)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    hands = Hands()
    if request.param == "file":
        path = write_video(tmp_path / "film.avi", frames=20, fps=10.0)
        opened = Subject(FileCamera(path, now_s=hands.now_s, sleep=hands.sleep), hands.now_s)
    elif request.param == "stream":
        stream: MotionJpeg = request.getfixturevalue("stream")
        opened = Subject(LiveCamera(stream.url), time.monotonic)
    elif request.param == "simulated":
        scenes = [picture(0), picture(1)]
        camera = SimulatedCamera(scenes, fps=10.0, now_s=hands.now_s, sleep=hands.sleep)
        opened = Subject(camera, hands.now_s)
    else:
        if find_spec("picamera2") is None:
            pytest.skip("needs a Raspberry Pi with a camera and apt's python3-picamera2")
        opened = Subject(Picamera2Camera(0, width=640, height=480, fps=15.0), time.monotonic)
    yield opened
    opened.camera.close()


def test_frames_are_bgr_images_of_whole_bytes_that_the_reader_owns(subject: Subject) -> None:
    frame = subject.camera.read(TIMEOUT_S)
    assert frame is not None
    assert frame.image.dtype == np.uint8
    assert frame.image.ndim == 3
    assert frame.image.shape[2] == 3
    assert frame.image.flags.c_contiguous
    kept = frame.image.copy()
    for _ in range(3):
        assert subject.camera.read(TIMEOUT_S) is not None
    assert np.array_equal(frame.image, kept)


def test_frames_are_numbered_and_captured_one_after_the_other(subject: Subject) -> None:
    frames = [subject.camera.read(TIMEOUT_S) for _ in range(5)]
    seen = [frame for frame in frames if frame is not None]
    assert len(seen) == 5
    for before, after in pairwise(seen):
        assert after.number > before.number
        assert after.captured_s > before.captured_s


def test_a_frame_is_captured_before_it_is_read_and_not_long_before(subject: Subject) -> None:
    for _ in range(5):
        frame = subject.camera.read(TIMEOUT_S)
        now_s = subject.now_s()
        assert frame is not None
        assert now_s - 5.0 < frame.captured_s <= now_s + 1e-9


def test_frames_of_a_living_camera_differ(subject: Subject) -> None:
    first, second = subject.camera.read(TIMEOUT_S), subject.camera.read(TIMEOUT_S)
    assert first is not None
    assert second is not None
    assert not np.array_equal(first.image, second.image)


def test_close_may_be_called_twice(subject: Subject) -> None:
    subject.camera.close()
    subject.camera.close()
