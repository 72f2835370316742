"""The recommended pack against OpenVINO itself, on faces as the gate aligns them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.operations.packs.pack_files import convert
from agent.vision.face.engine import PackFaceEngine, load_engine
from agent.vision.packs.onnx import OnnxModel
from agent.vision.packs.packs import InstalledPack

ORIGINAL = "retail/face-reidentification-retail-0095"
PHOTOGRAPHS = (
    "gallery/biden.jpg",
    "gallery/lowe.jpg",
    "gallery/miranda.png",
    "gallery/obama.jpg",
    "hard/t1_six_faces.jpg",
    "probe/kit_with_rose.jpg",
)


@pytest.fixture(scope="session")
def engine(retail_pack: InstalledPack) -> PackFaceEngine:
    return load_engine(retail_pack)


@pytest.fixture(scope="session")
def chips(engine: PackFaceEngine, shared_faces: Path) -> np.ndarray:
    """Each face of the photographs and its mirror image, as the network takes them."""
    batches = []
    for photograph in PHOTOGRAPHS:
        image = np.asarray(cv2.imread(str(shared_faces / photograph)), dtype=np.uint8)
        for face in engine.detect(image):
            chip = engine.crop(image, face)
            batches.append(engine.embedder.batch([chip, np.ascontiguousarray(chip[:, ::-1])]))
    assert len(batches) >= len(PHOTOGRAPHS)
    return np.concatenate(batches)


def test_templates_are_those_of_openvino(
    retail_pack: InstalledPack, shared_models: Path, chips: np.ndarray
) -> None:
    openvino = pytest.importorskip("openvino", reason="openvino, a development tool, is absent")
    core = openvino.Core()
    network = core.compile_model(
        core.read_model(str(shared_models / f"{ORIGINAL}.xml")),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32"},
    )
    model = OnnxModel(retail_pack.path(retail_pack.manifest.embedder.file))
    assert model.takes_batches
    expected = np.stack([network([chip[None]])[0].ravel() for chip in chips])
    found = model.run(chips)
    assert found.shape == (len(chips), retail_pack.manifest.embedder.components)
    assert np.abs(found - expected).max() < 1e-5
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((found * expected).sum(axis=1) / lengths).min() > 1 - 1e-6


def test_conversion_gives_the_pinned_bytes_every_time(
    retail_pack: InstalledPack, shared_models: Path
) -> None:
    file = retail_pack.manifest.file[0]
    original, weights = (
        (shared_models / f"{ORIGINAL}.{end}").read_bytes() for end in ("xml", "bin")
    )
    assert convert(file, original, weights) == convert(file, original, weights)
    assert retail_pack.path(file.name).read_bytes() == convert(file, original, weights)


def test_people_of_the_gallery_are_told_apart(
    engine: PackFaceEngine, retail_pack: InstalledPack, shared_faces: Path
) -> None:
    def template(photograph: str) -> np.ndarray:
        image = np.asarray(cv2.imread(str(shared_faces / photograph)), dtype=np.uint8)
        return engine.embed(image, engine.detect(image)[0])

    highest = retail_pack.manifest.comparison.curve[-1].threshold
    obama = template("gallery/obama.jpg")
    assert obama @ template("probe/obama1.jpg") > highest
    others = ("biden.jpg", "lowe.jpg", "leslie.jpg", "baye.jpg", "miranda.png", "lacamoire.png")
    assert max(float(obama @ template(f"gallery/{name}")) for name in others) < highest
