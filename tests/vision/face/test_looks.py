"""How a photograph is looked at: enlarged, reduced, turned; and where a box lies in it."""

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.image import DetectedFace, FivePoints
from agent.domain.sight.track import Box
from agent.vision.face.looks import Look, looks
from agent.vision.face.quality import ENROLMENT, EVALUATION, GATE
from agent.vision.packs.manifest import YunetDetector

YUNET = YunetDetector(
    kind="yunet", file="y.onnx", least_score=0.8, overlap=0.3, search_px=36, smallest_face_px=40
)


class Engine:
    """Finds the white square, where it stands on the side that is up."""

    def __init__(self, kind: FivePoints = FivePoints.DETECTOR) -> None:
        self.manifest: Any = SimpleNamespace(landmarks=SimpleNamespace(kind=kind), detector=YUNET)
        self.asked: list[tuple[tuple[int, ...], int]] = []

    def detect(self, image, smallest_face_px=None):
        self.asked.append((image.shape[:2], smallest_face_px))
        white = (image[:, :, 0] > 128).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(white)
        if width == 0 or y + height / 2 > image.shape[0] / 2:
            return []
        return [DetectedFace(Box(x, y, width, height), 0.9)]


def scene(height: int, width: int, square: tuple[int, int, int]) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    x, y, side = square
    image[y : y + side, x : x + side] = 255
    return image


def seen(engine: Any, image: np.ndarray, limits: Any) -> list[tuple[Look, list[DetectedFace]]]:
    return list(looks(engine, image, limits))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_box_comes_back_from_a_turned_look(turns: int) -> None:
    image = scene(300, 500, (40, 200, 60))
    look = Look(image, 1.0) if turns == 0 else Look(image, 1.0).turned(turns)
    x, y, width, height = cv2.boundingRect((look.image[:, :, 0] > 0).astype(np.uint8))
    assert look.original(Box(x, y, width, height)) == Box(40, 200, 60, 60)


@given(st.integers(1, 3), st.integers(0, 300), st.integers(0, 200), st.integers(1, 90))
def test_turning_back_is_turning_on(turns: int, x: int, y: int, side: int) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    box = Box(x, y, side, side // 2 + 1)
    turned = Look(image, 1.0).turned(turns)
    back = Look(turned.image, 1.0).turned(4 - turns)
    assert back.original(turned.original(box)) == box


def test_a_small_photograph_is_enlarged_first() -> None:
    engine = Engine()
    (look, found), (plain, _), *_ = seen(engine, scene(112, 92, (20, 10, 40)), EVALUATION)
    assert min(look.image.shape[:2]) >= 320
    assert plain.scale == 1.0
    assert engine.asked[0][1] <= 0.15 * 320  # no wider than 0.15 of the side
    box = look.original(found[0].box)
    assert max(abs(box.x - 20), abs(box.y - 10), abs(box.width - 40)) <= 1


def test_a_larger_one_is_looked_at_as_it_is() -> None:
    (look, found), *_ = seen(Engine(), scene(250, 400, (20, 10, 90)), EVALUATION)
    assert (look.scale, look.rim_px, look.turns) == (1.0, 0, 0)
    assert look.original(found[0].box) == Box(20, 10, 90, 90)


@pytest.mark.parametrize("size", [(300, 400), (2000, 1500), (110, 200)])
def test_one_that_lies_on_its_side_is_turned(size: tuple[int, int]) -> None:
    height, width = size
    side = min(size) // 3
    image = scene(height, width, (width // 8, height - side - height // 9, side))
    found = [(look, faces) for look, faces in seen(Engine(), image, GATE) if faces]
    assert found[0][0].turns in (1, 2)
    for look, faces in found:
        box = look.original(faces[0].box)
        assert abs(box.x - width // 8) <= 6
        assert abs(box.y - (height - side - height // 9)) <= 6
        assert abs(box.width - side) <= 8


@pytest.mark.parametrize("size", [(16, 16), (16, 16_000), (5000, 6000), (250, 251)])
def test_every_look_is_bounded(size: tuple[int, int]) -> None:
    engine = Engine()
    found = seen(engine, np.zeros((*size, 3), np.uint8), EVALUATION)
    assert all(faces == [] for _, faces in found)
    assert len(engine.asked) == 5
    for (height, width), smallest in engine.asked:
        assert max(height, width) <= 1280 * 1.5
        assert smallest >= 20


def test_other_cascades_look_only_where_points_are_predicted() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    assert len(seen(Engine(), image, EVALUATION)) == 2
    assert len(seen(Engine(FivePoints.DLIB), image, ENROLMENT)) == 4
    assert len(seen(Engine(FivePoints.DLIB), image, EVALUATION)) == 5
    assert len(seen(Engine(FivePoints.DLIB), image, GATE)) == 2


class Doubtful(Engine):
    """Sees the square in every look, and is sure of it on the side that is up only."""

    def detect(self, image, smallest_face_px=None):
        self.asked.append((image.shape[:2], smallest_face_px))
        x, y, width, height = cv2.boundingRect((image[:, :, 0] > 128).astype(np.uint8))
        up = y + height < image.shape[0] / 2 and x + width < image.shape[1] / 2
        return [DetectedFace(Box(x, y, width, height), 0.95 if up else 0.85)]


@pytest.mark.parametrize(
    ("x", "y", "turns"), [(10, 10, 0), (10, 160, 1), (290, 160, 2), (290, 10, 3)]
)
def test_the_look_in_which_the_detector_is_surest_counts(x: int, y: int, turns: int) -> None:
    image = scene(300, 400, (x, y, 100))
    (look, found), *_ = seen(Doubtful(), image, GATE)
    assert look.turns == turns
    assert look.original(found[0].box) == Box(x, y, 100, 100)
    kept = seen(Doubtful(FivePoints.DLIB), image, GATE)[0][0]
    assert kept.turns == 0
