"""The default pack against dlib itself: the same templates, the same points.

dlib reads only its own files, which the installed pack no longer has: they come from the folder
GATE_AGENT_DLIB_FILES, else by pip as an install fetches them, once, into pytest's cache.
"""

import os
import shutil
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest

from agent.errors import UnavailableError
from agent.operations.packs.fetch import fetch
from agent.operations.packs.pack_files import check_original, convert, unpack
from agent.vision.face.shape_predictor import ShapePredictor
from agent.vision.packs.packs import InstalledPack

dlib = pytest.importorskip("dlib", reason="dlib-bin, a development tool, is not installed")

PHOTOGRAPHS = (
    "gallery/biden.jpg",
    "gallery/lowe.jpg",
    "gallery/miranda.png",
    "gallery/obama.jpg",
    "hard/t1_six_faces.jpg",
    "probe/kit_with_rose.jpg",
)
FIRST_AND_OTHERS = [
    PHOTOGRAPHS[0],
    *(pytest.param(one, marks=pytest.mark.slow) for one in PHOTOGRAPHS[1:]),
]


@pytest.fixture(scope="session")
def dlib_files(dlib_pack: InstalledPack, pytestconfig: pytest.Config) -> Path:
    """A folder of the pack's originals, each checked."""
    brought = os.environ.get("GATE_AGENT_DLIB_FILES")
    assert pytestconfig.cache is not None
    folder = Path(brought) if brought else pytestconfig.cache.mkdir("dlib-files")
    manifest = dlib_pack.manifest
    if not all((folder / file.original).is_file() for file in manifest.file):
        working = Path(tempfile.mkdtemp(dir=folder))
        try:
            archive = fetch(manifest.download[0], working, None, lambda progress: None, "")
            for file in manifest.file:
                part = working / f"{file.original}.part"
                part.write_bytes(unpack(file, archive, ""))
                part.replace(folder / file.original)
        except UnavailableError as error:
            pytest.skip(f"dlib's own files cannot be had: {error}")
        finally:
            shutil.rmtree(working)
    for file in manifest.file:
        check_original(file, (folder / file.original).read_bytes(), "")
    return folder


@pytest.fixture(scope="session")
def predictor(dlib_pack: InstalledPack) -> ShapePredictor:
    file = dlib_pack.manifest.landmarks.file
    assert file is not None
    return ShapePredictor.from_bytes(dlib_pack.path(file).read_bytes())


@pytest.fixture(scope="session")
def dlib_predictor(dlib_files: Path) -> Any:
    return dlib.shape_predictor(str(dlib_files / "shape_predictor_5_face_landmarks.dat"))


def boxes_in(image: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Found faces, and boxes anywhere, some of them half outside."""
    rows, columns = image.shape[:2]
    cascade = cv2.CascadeClassifier(
        cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml"  # type: ignore[attr-defined] # absent from cv2's types
    )
    found = [(x, y, x + w - 1, y + h - 1) for x, y, w, h in cascade.detectMultiScale(image)]
    random = np.random.default_rng(rows * columns)
    for _ in range(20):
        side = int(random.integers(20, min(rows, columns)))
        left = int(random.integers(-side // 2, columns - side // 2))
        top = int(random.integers(-side // 2, rows - side // 2))
        found.append((left, top, left + side, top + side))
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in found]


@pytest.mark.parametrize("photograph", FIRST_AND_OTHERS)
def test_points_are_those_of_dlib(
    shared_faces: Path, predictor: ShapePredictor, dlib_predictor: Any, photograph: str
) -> None:
    image = cv2.imread(str(shared_faces / photograph))
    assert image is not None
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    for box in boxes_in(image):
        shape = dlib_predictor(rgb, dlib.rectangle(*box))
        expected = np.array([(part.x, part.y) for part in shape.parts()])
        points = predictor.predict(image.astype(np.uint8), box)
        # dlib rounds to whole pixels: half a pixel is the rounding, the rest is the difference.
        assert np.abs(points - expected).max() < 0.55, box


@pytest.mark.parametrize("photograph", FIRST_AND_OTHERS)
def test_templates_are_those_of_dlib(
    shared_faces: Path,
    dlib_pack: InstalledPack,
    dlib_files: Path,
    dlib_predictor: Any,
    photograph: str,
) -> None:
    network = dlib.face_recognition_model_v1(
        str(dlib_files / "dlib_face_recognition_resnet_model_v1.dat")
    )
    embedder = dlib_pack.manifest.embedder
    session = onnxruntime.InferenceSession(str(dlib_pack.path(embedder.file)))
    image = cv2.imread(str(shared_faces / photograph))
    assert image is not None
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    for box in boxes_in(image)[:8]:
        chip = dlib.get_face_chip(rgb, dlib_predictor(rgb, dlib.rectangle(*box)))
        expected = np.array(network.compute_face_descriptor(chip))
        mean, scale = (np.array(v, np.float32) for v in (embedder.mean, embedder.scale))
        value = ((chip.astype(np.float32) - mean) * scale).transpose(2, 0, 1)
        both = np.stack([value, value[:, :, ::-1]])
        name = session.get_inputs()[0].name
        templates = session.run(None, {name: both})[0]
        assert np.abs(templates[0] - expected).max() < 1e-5
        mirrored = np.array(network.compute_face_descriptor(np.ascontiguousarray(chip[:, ::-1])))
        assert np.abs(templates[1] - mirrored).max() < 1e-5


def test_conversion_gives_the_pinned_bytes_every_time(
    dlib_pack: InstalledPack, dlib_files: Path
) -> None:
    for file in dlib_pack.manifest.file:
        original = (dlib_files / file.original).read_bytes()
        for _ in range(2):
            assert sha256(convert(file, original)).hexdigest() == file.sha256


def test_points_are_found_fast(predictor: ShapePredictor) -> None:
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    taken_s = []
    for _ in range(50):
        started_s = time.perf_counter()
        predictor.predict(image, (200, 100, 400, 300))
        taken_s.append(time.perf_counter() - started_s)
    assert min(taken_s) < 0.02  # some ten times what a desktop takes
