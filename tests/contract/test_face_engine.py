"""One suite for every ``vision.face.engine.FaceEngine``: our own on three packs, and insightface.

Packs and photographs are not in the repository: what is absent skips by name.
"""

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from places import SHARED

from agent.adapters.insightface_engine import InsightfaceEngine
from agent.domain.sight.image import DetectedFace, Image, Template
from agent.errors import GateAgentError, UnavailableError
from agent.operations.packs.install import install
from agent.vision.face.embed import FaceEmbedder
from agent.vision.face.engine import FaceEngine, load_engine
from agent.vision.packs.manifest import read_manifest
from agent.vision.packs.onnx import OnnxModel
from agent.vision.packs.packs import InstalledPack, load_pack, verify_file
from agent.vision.stills.images import read_image

INSIGHTFACE_MODELS = "GATE_AGENT_INSIGHTFACE_MODELS"


def dlib() -> FaceEngine:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    state = Path(os.environ.get("GATE_AGENT_STATE_DIR") or Path(home) / "gate-agent")
    if not (state / "models" / "dlib").is_dir():
        pytest.skip(f"the model pack dlib is not installed in {state}")
    return load_engine(load_pack("dlib", state))


def yunet_mobilefacenet() -> FaceEngine:
    manifest = read_manifest("yunet-mobilefacenet")
    folder = SHARED / "models" / manifest.name
    if not folder.is_dir():
        pytest.skip(f"../shared/models/{manifest.name} is absent")
    files = {file.name: folder / file.name for file in manifest.file}
    for file in manifest.file:
        assert file.sha256 is not None
        verify_file(files[file.name], file.sha256, file.size_bytes, "")
    return load_engine(InstalledPack(manifest, folder, files))


def retail() -> FaceEngine:
    folder = SHARED / "models" / "retail"
    if not folder.is_dir():
        pytest.skip("../shared/models/retail is absent")
    with tempfile.TemporaryDirectory() as state:
        install("retail", Path(state), folder)
        return load_engine(load_pack("retail", Path(state)))


def insightface() -> FaceEngine:
    pytest.importorskip("insightface", reason="insightface, an optional extra, is not installed")
    folder = os.environ.get(INSIGHTFACE_MODELS)
    if folder is None:
        pytest.skip(f"{INSIGHTFACE_MODELS} names no folder of insightface models")
    return InsightfaceEngine(Path(folder), read_manifest("yunet-mobilefacenet"))


@pytest.fixture(scope="module", params=[dlib, retail, yunet_mobilefacenet, insightface])
def engine(request: pytest.FixtureRequest) -> FaceEngine:
    opened: FaceEngine = request.param()
    return opened


@pytest.fixture(scope="module")
def faces() -> Path:
    folder = SHARED / "faces"
    if not folder.is_dir():
        pytest.skip("../shared/faces is absent")
    return folder


def located(engine: FaceEngine, image: Image) -> DetectedFace:
    """The largest face that landmarks confirm."""
    for face in engine.detect(image):
        found = engine.locate(image, face)
        if found is not None:
            return found
    pytest.fail("no face")


def template(engine: FaceEngine, image: Image) -> Template:
    return engine.embed(image, located(engine, image))


def likeness(one: Template, other: Template) -> float:
    return -float(np.linalg.norm(one - other))


def test_nothing_is_found_where_nothing_is(engine: FaceEngine) -> None:
    assert engine.detect(np.full((480, 640, 3), 128, dtype=np.uint8)) == []


def test_faces_come_by_falling_area(engine: FaceEngine, faces: Path) -> None:
    found = engine.detect(read_image(faces / "hard" / "t1_six_faces.jpg"))
    areas = [face.box.area for face in found]
    assert len(areas) >= 3
    assert areas == sorted(areas, reverse=True)


def test_landmarks_lie_on_the_face(engine: FaceEngine, faces: Path) -> None:
    image = read_image(faces / "gallery" / "obama.jpg")
    face = located(engine, image)
    assert face.landmarks is not None
    assert face.landmarks.shape == (5, 2)
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    assert (x > face.box.x).all()
    assert (x < face.box.x + face.box.width).all()
    assert (y > face.box.y).all()
    assert (y < face.box.y + face.box.height).all()


def test_a_template_is_the_same_each_time(engine: FaceEngine, faces: Path) -> None:
    image = read_image(faces / "gallery" / "biden.jpg")
    before = image.copy()
    one, other = template(engine, image), template(engine, image)
    assert one.dtype == np.float32
    assert one.ndim == 1
    assert np.isfinite(one).all()
    assert np.array_equal(one, other)
    assert np.array_equal(image, before), "an engine changed the image"


def test_one_person_is_more_alike_than_two(engine: FaceEngine, faces: Path) -> None:
    obama = template(engine, read_image(faces / "gallery" / "obama.jpg"))
    again = template(engine, read_image(faces / "probe" / "obama1.jpg"))
    biden = template(engine, read_image(faces / "gallery" / "biden.jpg"))
    assert likeness(obama, again) > likeness(obama, biden) + 0.2
    assert likeness(obama, again) > likeness(again, biden) + 0.2


@pytest.mark.parametrize("scale", [0.4, 1.7])
def test_size_changes_little(engine: FaceEngine, faces: Path, scale: float) -> None:
    image = read_image(faces / "gallery" / "miranda.png")
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    other = template(engine, read_image(faces / "gallery" / "obama.jpg"))
    same = likeness(template(engine, image), template(engine, resized))
    assert same > likeness(template(engine, image), other) + 0.3


def test_a_face_that_was_not_located_is_not_embedded(engine: FaceEngine, faces: Path) -> None:
    image = read_image(faces / "gallery" / "obama.jpg")
    found = engine.detect(image)[0]
    with pytest.raises(GateAgentError):
        engine.embed(image, DetectedFace(found.box, found.score))


def test_insightface_downloads_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UnavailableError) as caught:
            InsightfaceEngine(folder, read_manifest("yunet-mobilefacenet"))
        assert str(folder) in str(caught.value)
        assert caught.value.fix is not None
    assert list(tmp_path.iterdir()) == []


def test_insightface_with_models_that_are_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "none.onnx").write_bytes(b"no model")
    with pytest.raises(UnavailableError) as caught:
        InsightfaceEngine(tmp_path, read_manifest("yunet-mobilefacenet"))
    assert caught.value.fix is not None


def test_insightface_gives_the_templates_of_our_own_engine_on_the_same_weights(
    faces: Path,
) -> None:
    pytest.importorskip("insightface", reason="insightface, an optional extra, is not installed")
    named = os.environ.get(INSIGHTFACE_MODELS)
    if named is None:
        pytest.skip(f"{INSIGHTFACE_MODELS} names no folder of insightface models")
    manifest = read_manifest("buffalo_sc")
    engine = InsightfaceEngine(Path(named), manifest)
    own = FaceEmbedder(manifest.embedder, OnnxModel(Path(named) / manifest.embedder.file))
    for name in ("biden.jpg", "lowe.jpg", "obama.jpg"):
        image = read_image(faces / "gallery" / name)
        face = located(engine, image)
        assert face.landmarks is not None
        aligned = engine.crop(image, face)
        assert np.abs(own.crop(image, face.landmarks).astype(int) - aligned).max() <= 1
        assert np.abs(own.embed(aligned) - engine.embed_crop(aligned)).max() < 1e-4
