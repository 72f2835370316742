"""The attack detection packs on public photographs: four pictures of attacks and their like.

They prove that the models are fed as they were trained, and next to nothing about attacks.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.app.open.pad import open_pad
from agent.cli.main import main
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import DetectedFace, Frame, Image
from agent.domain.sight.track import Box
from agent.errors import ModelPackError
from agent.operations.packs.choice import installed_pad_packs
from agent.operations.packs.install import install
from agent.vision.face.engine import PackFaceEngine, load_engine
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.packs import InstalledPack, load_pack, load_pad_pack
from agent.vision.pad.score import FusedPad, PackPad
from agent.vision.stills.images import read_image

PADS = ("antispoof", "minifasnet")
FINDER = "yunet-mobilefacenet"
ATTACKS = ("image_F1.jpg", "image_F2.jpg", "rgb_fake.jpg")


@pytest.fixture(scope="module")
def state(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packs, and a face pack that finds the faces."""
    folder = tmp_path_factory.mktemp("state")
    for name in PADS:
        install(name, folder, shared_models / name)
    install(FINDER, folder, shared_models / FINDER, accept_licence="LicenseRef-none-stated")
    return folder


@pytest.fixture(scope="module", params=[FINDER, "dlib"])
def engine(request: pytest.FixtureRequest, state: Path, dlib_pack: InstalledPack) -> PackFaceEngine:
    return load_engine(dlib_pack if request.param == "dlib" else load_pack(FINDER, state))


@pytest.fixture(scope="module")
def pad(engine: PackFaceEngine, state: Path) -> FusedPad:
    opened = open_pad(state, engine.manifest.landmarks)
    assert opened is not None
    return opened


def faces(engine: PackFaceEngine, image: Image) -> Iterator[DetectedFace]:
    for face in engine.detect(image, 60):
        located = engine.locate(image, face)
        if located is not None:
            yield located


def test_photographs_of_people_are_told_from_pictures_of_pictures(engine, pad, shared_faces):
    bona_fide = [*(shared_faces / "gallery").iterdir(), *(shared_faces / "probe").iterdir()]
    living, attacks = [], []
    for path in [*bona_fide, shared_faces / "spoof" / "image_T1.jpeg"]:
        image = read_image(path)
        living += [pad.score(image, face) for face in faces(engine, image)]
    for name in ATTACKS:
        image = read_image(shared_faces / "spoof" / name)
        attacks += [pad.score(image, face) for face in faces(engine, image)][:1]
    assert len(living) >= 15
    assert len(attacks) >= 2
    assert min(living) > 0.9
    assert max(attacks) < 0.1


def test_every_sample_of_a_track_has_a_score(state, shared_faces):
    engine = load_engine(load_pack(FINDER, state))
    pad = open_pad(state, engine.manifest.landmarks)
    metric = Metric(engine.manifest.comparison.metric)
    index = ReferenceIndex.empty(engine.manifest.embedder.components, metric, 1)
    seen = []
    for name, scorer in (("image_T1.jpeg", pad), ("image_F2.jpg", pad), ("image_T1.jpeg", None)):
        watcher = Watcher(engine, "front", Zone(), Tracker(metric, 0.0), pad=scorer)
        image = read_image(shared_faces / "spoof" / name)
        track = watcher.observe(Frame(image, 1.0, 1), index).track
        assert track is not None
        (sample,) = track.samples
        seen.append(sample.pad_score)
    living, picture, unseen = seen
    assert living is not None
    assert picture is not None
    assert living > 0.5 > picture
    assert unseen is None


def test_what_is_wrong_with_a_pack_stops_and_is_told(state, tmp_path):
    landmarks = load_pack(FINDER, state).manifest.landmarks
    assert installed_pad_packs(tmp_path) == ()
    assert open_pad(tmp_path, landmarks) is None
    with pytest.raises(ModelPackError, match="models install antispoof"):
        open_pad(tmp_path, landmarks, names=("antispoof",))
    shutil.copytree(state / "models", tmp_path / "models")
    (changed,) = (tmp_path / "models" / "antispoof").glob("*.onnx")
    changed.write_bytes(changed.read_bytes()[:-1])
    assert installed_pad_packs(tmp_path) == PADS
    with pytest.raises(ModelPackError, match="is not the file its manifest declares"):
        open_pad(tmp_path, landmarks)


def test_a_manifest_of_another_network_is_told(state):
    pack = load_pad_pack("antispoof", state)
    pad = pack.manifest.pad
    for change in ({"classes": 3}, {"width_px": 64}):
        model = pad.model[0].model_copy(update=change)
        other = pack.manifest.model_copy(update={"pad": pad.model_copy(update={"model": (model,)})})
        with pytest.raises(ModelPackError):
            PackPad(replace(pack, manifest=other))


def test_a_part_without_a_number_has_no_score(state, monkeypatch):
    pack = PackPad(load_pad_pack("minifasnet", state))
    nothing = np.full((1, 3), np.nan, dtype=np.float32)
    for model in pack.models:
        monkeypatch.setattr(model, "run", lambda _: nothing)
    landmarks = load_pack(FINDER, state).manifest.landmarks
    face = DetectedFace(Box(10, 10, 50, 50), 1.0)
    score = FusedPad([pack], landmarks).score(np.zeros((90, 90, 3), dtype=np.uint8), face)
    assert score is not None
    assert np.isnan(score)


def test_a_folder_is_evaluated_with_all_that_is_installed(state, shared_faces, tmp_path, capsys):
    for kind, names in (("bona_fide", ("image_T1.jpeg",)), ("attack", ATTACKS)):
        (tmp_path / kind).mkdir()
        for name in names:
            shutil.copy(shared_faces / "spoof" / name, tmp_path / kind)
    (tmp_path / "bona_fide" / "none.jpg").write_bytes(b"no picture")
    given = ["evaluate", "pad", str(tmp_path), "--state-dir", str(state), "--json"]
    assert main(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["packs"], found["face_pack"]) == (list(PADS), FINDER)
    assert found["failed_to_acquire"] == ["bona_fide/none.jpg"]
    assert (found["bona_fide"], found["attacks"]) == (2, {"attack": 3})
    assert (found["bpcer"], found["apcer"], found["auc"]) == (0.0, {"attack": 0.0}, 1.0)
    assert main([*given, "--pack", FINDER]) == 69
