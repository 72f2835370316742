"""A camera's day: what its frames may be, what is told of it, and that nothing grows."""

import tracemalloc
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest
from scenery import corridor, noisy

from agent.adapters.manual_clock import ManualClock
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.senses.camera import CameraReader, CameraWatcher
from agent.app.threads.senses.symbols import SymbolWatcher
from agent.app.threads.worker import Slot
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.domain.access.part import PartKind
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import DetectedFace, Frame
from agent.domain.sight.track import Box, Observation
from agent.errors import UnavailableError
from agent.vision.face.quality import AcquisitionLimits
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.frames.motion import MotionGate
from agent.vision.packs.manifest import read_manifest
from agent.vision.pad.infrared import Aim, InfraredEye

SMALL = corridor(120, 160)
LIVING = noisy(SMALL, 7)


class Script:
    """A camera that shows these pictures, ten a second; an error among them is raised."""

    def __init__(self, pictures):
        self.pictures = iter(pictures)
        self.number = 0
        self.closed = 0

    def read(self, _timeout_s):
        self.number += 1
        picture = next(self.pictures, None)
        if isinstance(picture, Exception):
            raise picture
        return None if picture is None else Frame(picture, self.number / 10, self.number)

    def close(self):
        self.closed += 1


def told(pictures):
    """What is said of the camera, and how many frames were handed on."""
    said: list[Any] = []
    passed: list[Frame] = []
    slot = cast(Slot[Frame], SimpleNamespace(put=passed.append, close=lambda: None))
    camera = Script(pictures)
    reader = CameraReader("front", camera, lambda: camera, [slot], said.append, 1.0)
    reader._stopping = cast(Any, SimpleNamespace(is_set=lambda: False, wait=lambda _s: False))
    reader.work()
    return [(type(one), one.part) for one in said], len(passed)


def living(count):
    return [LIVING[i % len(LIVING)] for i in range(count)]


CAMERA, LENS = PartKind.CAMERA.part("front"), PartKind.LENS.part("front")


def test_a_living_camera_says_nothing_of_itself():
    assert told(living(300)) == ([], 300)


@pytest.mark.parametrize(
    "strange",
    [
        np.zeros((120, 160), np.uint8),
        np.zeros((120, 160, 4), np.uint8),
        np.zeros((120, 160, 3), np.float32),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
    ],
)
def test_frames_that_are_no_pictures_are_a_fault_until_one_is(strange):
    said, passed = told([*living(5), *[strange] * 29, *living(5)])
    assert (said, passed) == ([], 10)
    said, passed = told([*living(5), *[strange] * 40, *living(5)])
    assert said == [(FaultRaised, CAMERA), (FaultCleared, CAMERA)]
    assert passed == 10


def test_a_camera_that_is_unplugged_comes_back():
    gone = UnavailableError("the camera sends no frame")
    said, passed = told([*living(20), gone, *living(20)])
    assert said == [(FaultRaised, CAMERA), (FaultCleared, CAMERA)]
    assert passed == 40


def test_a_camera_that_repeats_one_frame_is_a_fault_until_it_does_not():
    said, _ = told([*living(20), *[LIVING[0]] * 70, *living(10)])
    assert said == [(FaultRaised, CAMERA), (FaultCleared, CAMERA)]


def test_a_covered_lens_is_told_and_is_no_fault_of_the_camera():
    black = noisy(np.full(SMALL.shape, 4, np.uint8), 6)
    said, passed = told([*living(20), *(black * 25), *living(10)])
    assert said == [(FaultRaised, LENS), (FaultCleared, LENS)]
    assert passed == 180


def test_frames_may_change_their_shape_in_mid_stream():
    shapes = [(120, 160), (160, 120), (121, 161), (90, 160), (16, 16), (480, 640)]
    pictures = [
        np.asarray(cv2.resize(one, shape[::-1]), np.uint8)
        for shape in shapes * 4
        for one in living(6)
    ]
    said, passed = told(pictures)
    assert (said, passed) == ([], len(pictures))


class Engine:
    """Finds a face wherever the picture is bright; its people differ by the second."""

    manifest = read_manifest("retail")

    def detect(self, image, smallest_face_px=None):
        rows, columns = np.nonzero(image[::8, ::8, 0] > 250)
        if len(rows) == 0:
            return []
        box = Box(int(columns.min()) * 8, int(rows.min()) * 8, 90, 90)
        return [DetectedFace(box, 1.0, np.zeros((5, 2), np.float32))]

    def locate(self, image, face):
        return face

    def crop(self, image, face):
        return np.ascontiguousarray(image[:64, :64])

    def embed_crop(self, aligned):
        return np.full(16, float(aligned.mean()) / 255, np.float32)

    def templates(self, aligned):
        raise NotImplementedError

    def embed(self, image, face):
        raise NotImplementedError


def watcher(engine=None):
    tracker = Tracker(Metric.EUCLIDEAN, -0.57)
    limits = AcquisitionLimits(0, 0.0, 0.0)
    return Watcher(cast(Any, engine or Engine()), "front", Zone(), tracker, limits)


EMPTY = ReferenceIndex.empty(16, Metric.EUCLIDEAN)


def day(looks, frames, start=0):
    """People come and go every few seconds, and the light changes."""
    for number in range(start, start + frames):
        picture = LIVING[number % len(LIVING)].copy()
        if number % 50 > 20:
            x = (number * 3) % 60
            picture[20:100, x : x + 80] = 255 - number % 4
        looks(Frame(picture, number / 15, number))


@pytest.mark.parametrize("frames", [600, pytest.param(100_000, marks=pytest.mark.slow)])
def test_memory_stays_as_it_is(frames):
    one = watcher()
    reader = CameraReader("front", Script([]), lambda: Script([]), [], lambda _: None, 1.0)

    def looks(frame):
        assert reader._usable(frame)
        seen = one.observe(frame, EMPTY)
        if seen.track is not None and frame.number % 40 == 0:
            one.settle(seen.track.id)

    day(looks, 300)
    tracemalloc.start()
    try:
        day(looks, 200, 300)
        before, _ = tracemalloc.get_traced_memory()
        day(looks, frames, 500)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


def test_what_is_no_picture_is_unreadable_to_the_watcher_too():
    with pytest.raises(ValueError, match="2 dimensions"):
        watcher().observe(Frame(np.zeros((9, 9), np.uint8), 0.0, 1), EMPTY)


def test_an_empty_scene_is_looked_at_twice_a_second_and_whoever_comes_at_once():
    class Counted(Engine):
        looks = 0

        def detect(self, image, smallest_face_px=None):
            self.looks += 1
            return super().detect(image, smallest_face_px)

    engine = Counted()
    one = watcher(engine)
    for number in range(60):
        one.observe(Frame(LIVING[number % 7], number / 15, number), EMPTY)
    before = engine.looks
    for number in range(60, 90):
        one.observe(Frame(LIVING[number % 7], number / 15, number), EMPTY)
    assert engine.looks - before <= 2 * 5  # two widths each
    bright = LIVING[0].copy()
    bright[20:100, 40:120] = 255
    for number in range(90, 96):
        seen = one.observe(Frame(bright, number / 15, number), EMPTY)
        assert seen.track is not None
        assert seen.track.last_seen_s == number / 15


@pytest.mark.parametrize("heads", [True, False])
def test_a_camera_that_hangs_upside_down_is_told_and_cleared(heads):
    said: list[Any] = []
    frames = [Frame(LIVING[0], float(number), number) for number in range(4)]
    slot = SimpleNamespace(take=lambda _s: frames.pop(0) if frames else None, finished=True)

    def observe(frame, _index):
        upside_down = heads and frame.number < 3
        track = None if upside_down else cast(Any, "a face")
        return Observation("front", frame.captured_s, track, upside_down=upside_down)

    watches = SimpleNamespace(observe=observe, settle=print, compare=lambda _claim: None)
    CameraWatcher(
        cast(Any, watches),
        cast(Slot[Frame], slot),
        lambda: EMPTY,
        said.append,
        lambda: None,
        FaultLine(CAMERA, said.append),
        mount=FaultLine(PartKind.MOUNT.part("front"), said.append),
    ).work()
    faults = [type(one) for one in said if isinstance(one, FaultRaised | FaultCleared)]
    assert faults == ([FaultRaised, FaultCleared] if heads else [])


def test_codes_are_looked_for_where_something_moves_and_twice_a_second_else():
    looks: list[float] = []
    found: list[Any] = []
    frames = [Frame(LIVING[number % 7], number / 15, number) for number in range(45)]
    slot = SimpleNamespace(take=lambda _s: frames.pop(0) if frames else None, finished=True)

    def look(image):
        looks.append(float(image[0, 0, 0]))
        return found

    reader = cast(Any, SimpleNamespace(look=look, unread=[]))
    nothing = cast(Any, None)
    symbols = SymbolWatcher("entry", reader, cast(Slot[Frame], slot), nothing, ManualClock(), print)
    symbols.codes = cast(Any, SimpleNamespace(look=lambda *_: []))
    symbols.motion = MotionGate()
    symbols.work()
    assert 5 <= len(looks) <= 8
    found.append("a code")
    frames += [Frame(LIVING[number % 7], number / 15, number) for number in range(45, 60)]
    symbols.work()
    assert len(looks) >= 5 + 7


def test_an_infrared_camera_may_well_see_nothing_and_its_end_is_its_eyes():
    said: list[Any] = []
    eye = InfraredEye(Aim())
    camera = Script([np.full((120, 160, 3), 3 + i % 3, np.uint8) for i in range(300)])
    reader = CameraReader("eye", camera, lambda: camera, [eye], said.append, 1.0, infrared=True)
    reader.work()
    assert PartKind.LENS.part("eye") not in [one.part for one in said]
    assert eye.score((480, 640, 3), Box(0, 0, 100, 100), 30.0, lambda _image, _px: []) is None


def test_a_dead_infrared_camera_is_a_fault_of_its_own():
    said: list[Any] = []
    camera = Script([UnavailableError("gone", "plug it in"), LIVING[0]])
    reader = CameraReader(
        "eye", camera, lambda: camera, [InfraredEye(Aim())], said.append, 1.0, infrared=True
    )
    reader._stopping = cast(Any, SimpleNamespace(is_set=lambda: False, wait=lambda _s: False))
    reader.work()
    assert [(type(one), one.part) for one in said] == [
        (FaultRaised, PartKind.CAMERA.part("eye")),
        (FaultCleared, PartKind.CAMERA.part("eye")),
    ]
