"""YuNet by ONNX Runtime beside OpenCV's own detector, on the same pixels."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from places import SHARED

from agent.domain.sight.image import DetectedFace, Image
from agent.errors import ModelPackError
from agent.vision.face.looks import Look, looks
from agent.vision.face.quality import GATE
from agent.vision.face.yunet import Yunet
from agent.vision.packs.manifest import YunetDetector, read_manifest
from agent.vision.stills.images import read_image

TOLERANCE_PX = 0.01
MODEL = SHARED / "models" / "yunet-mobilefacenet" / "face_detection_yunet_2023mar.onnx"
PHOTOGRAPHS = ("t1_six_faces.jpg", "left_face.jpeg", "lower_face.jpeg", "mask2.jpg", "no_face.png")
SMALLEST_PX = 40
"""Of a photograph that is 640 pixels long."""


def settings_of(**other: object) -> YunetDetector:
    detector = read_manifest("yunet-mobilefacenet").detector
    assert isinstance(detector, YunetDetector)
    return detector.model_copy(update=other)


@pytest.fixture(scope="module")
def yunet() -> Yunet:
    if not MODEL.is_file():
        pytest.skip("../shared/models is absent")
    return Yunet(settings_of(), MODEL)


def photograph(name: str, longest_px: int) -> Image:
    path = SHARED / "faces" / "hard" / name
    if not path.is_file():
        pytest.skip("../shared/faces is absent")
    image = read_image(path)
    scale = longest_px / max(image.shape[:2])
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def opencv(image: Image) -> np.ndarray:
    settings = settings_of()
    size = (image.shape[1], image.shape[0])
    theirs = cv2.FaceDetectorYN.create(
        str(MODEL), "", size, settings.least_score, settings.overlap
    ).detect(image)[1]
    return np.empty((0, 15), np.float32) if theirs is None else theirs


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("longest_px", [150, 320, 417, 640])
def test_the_answers_are_opencvs(yunet: Yunet, name: str, longest_px: int) -> None:
    image = photograph(name, longest_px)
    theirs = opencv(image)
    ours = yunet.detect(image, 10)  # so small that nothing is reduced
    theirs = np.array([row for row in theirs if round(float(row[2])) >= 10]).reshape(-1, 15)
    assert len(ours) == len(theirs)
    for row in theirs:
        middle = row[:2] + row[2:4] / 2
        face = min(
            ours,
            key=lambda one: np.hypot(
                one.box.x + one.box.width / 2 - middle[0],
                one.box.y + one.box.height / 2 - middle[1],
            ),
        )
        assert face.landmarks is not None
        assert np.abs(face.landmarks - row[4:14].reshape(5, 2)).max() < TOLERANCE_PX
        assert abs(face.score - row[14]) < 1e-4
        sides = (face.box.x, face.box.y, face.box.width, face.box.height)
        assert np.abs(np.array(sides) - row[:4]).max() <= 0.5 + TOLERANCE_PX


def test_hard_faces_are_found_at_the_size_of_the_gate(yunet: Yunet) -> None:
    names = ("blur.jpg", "left_face.jpeg", "lower_face.jpeg", "mask2.jpg", "rise_face.jpeg")
    for name in names:
        image = photograph(name, 640)
        assert yunet.searched(image, 80).planes.shape[2:] <= (320, 320)
        assert len(yunet.detect(image, 80)) == 1, name
    # The smallest of the six is some 50 pixels wide: nothing is found by another size of the input.
    assert len(yunet.detect(photograph("t1_six_faces.jpg", 640), SMALLEST_PX)) == 6


@pytest.mark.parametrize("smallest_px", [40, 60, 90])
def test_a_reduced_search_finds_the_same_faces(yunet: Yunet, smallest_px: int) -> None:
    image = photograph("t1_six_faces.jpg", 1280)
    whole = [face for face in yunet.detect(image, 36) if face.box.width >= 1.1 * smallest_px]
    reduced = yunet.detect(image, smallest_px)
    assert yunet.searched(image, smallest_px).scale == pytest.approx(36 / smallest_px)
    moved = []
    for face in whole:
        best = max(reduced, key=lambda one: one.box.overlap(face.box))
        assert best.box.overlap(face.box) > 0.6
        assert best.landmarks is not None
        assert face.landmarks is not None
        moved.append(np.abs(best.landmarks - face.landmarks).mean() / face.box.width)
    # One head leans far over, and its points depend on the scale more than the others' do.
    assert np.median(moved) < 0.05
    assert max(moved) < 0.12


@pytest.mark.parametrize("size", [(16, 16), (1, 700), (700, 1), (33, 31), (480, 640)])
def test_any_size_is_looked_at(yunet: Yunet, size: tuple[int, int]) -> None:
    blank = np.full((*size, 3), 128, np.uint8)
    before = blank.copy()
    assert yunet.detect(blank) == []
    assert np.array_equal(blank, before)
    height, width = yunet.searched(blank, 36).planes.shape[2:]
    assert (height % 32, width % 32) == (0, 0)


def test_what_is_no_yunet_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "none.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelPackError):
        Yunet(settings_of(), broken)
    other = MODEL.parent / "mobilefacenet_casia_112x96.onnx"
    if not other.is_file():
        pytest.skip("../shared/models is absent")
    with pytest.raises(ModelPackError, match="is not YuNet"):
        Yunet(settings_of(), other)


def first_found(engine: Any, image: Image) -> tuple[Look, list[DetectedFace]]:
    return next((look, faces) for look, faces in looks(engine, image, GATE) if faces)


@pytest.mark.parametrize("name", ["obama.jpg", "lowe.jpg", "miranda.png"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_portrait_that_lies_is_looked_at_upright(yunet: Yunet, name: str, turns: int) -> None:
    path = SHARED / "faces" / "gallery" / name
    if not path.is_file():
        pytest.skip("../shared/faces is absent")
    image = read_image(path)
    manifest = read_manifest("yunet-mobilefacenet")
    engine: Any = SimpleNamespace(manifest=manifest, detect=yunet.detect)
    _, (standing, *_) = first_found(engine, image)
    look, (face, *_) = first_found(engine, np.ascontiguousarray(np.rot90(image, turns)))
    assert look.turns == turns  # counter-clockwise before, clockwise back
    assert face.score == pytest.approx(standing.score, abs=0.03)
