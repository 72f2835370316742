"""What is told of real photographs before the camera within a second, by each installed pack."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scenery import corridor, noisy

from agent.adapters.camera.simulated import fit_scene
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.image import Frame, Image
from agent.vision.face.engine import PackFaceEngine, load_engine
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.manifest import manifest_names
from agent.vision.packs.packs import load_pack
from agent.vision.stills.images import read_image

FPS = 15


@pytest.fixture(scope="module", params=["dlib", "retail"])
def engine(request: pytest.FixtureRequest, state_dir: Path) -> PackFaceEngine:
    if request.param not in manifest_names():
        pytest.skip(f"no manifest of the model pack {request.param}")
    if not (state_dir / "models" / request.param).is_dir():
        pytest.skip(f"the model pack {request.param} is not installed in {state_dir}")
    return load_engine(load_pack(request.param, state_dir), 1, 80)


def within_a_second(engine: PackFaceEngine, scene: Image) -> list[Hindrance | None]:
    """What a second of it says, after the same place was empty."""
    comparison = engine.manifest.comparison
    tracker = Tracker(Metric(comparison.metric), comparison.curve[0].threshold)
    watcher = Watcher(engine, "front", Zone(), tracker)
    index = ReferenceIndex.empty(engine.manifest.embedder.components, tracker.metric)
    before = noisy(corridor(), 3, 2.0)
    images = [*before, *noisy(scene, FPS, 2.0, seed=5)]
    frames = [Frame(image, number / FPS, number) for number, image in enumerate(images)]
    return [watcher.observe(frame, index).hindrance for frame in frames][len(before) :]


def at_the_gate(portrait: Image, height: int) -> Image:
    """The portrait so high, in the corridor."""
    scale = height / portrait.shape[0]
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scene = corridor()
    scene[100 : 100 + height, 250 : 250 + small.shape[1]] = small[:, : 640 - 250]
    return scene


@pytest.mark.parametrize(
    ("photograph", "expected"),
    [
        ("hard/mask2.jpg", Hindrance.COVERED),
        ("hard/left_face.jpeg", Hindrance.TURNED),
        ("probe/two_people.jpg", Hindrance.SEVERAL),
        ("gallery/biden.jpg", None),
    ],
)
def test_whoever_cannot_be_judged_is_told_why(
    engine: PackFaceEngine, shared_faces: Path, photograph: str, expected: Hindrance | None
) -> None:
    scene = fit_scene(read_image(shared_faces / photograph), 640, 480)
    told = within_a_second(engine, scene)
    assert expected in told
    if expected is None:
        assert set(told) == {None}


def test_whoever_is_too_far_is_asked_to_come_closer(
    engine: PackFaceEngine, shared_faces: Path
) -> None:
    portrait = read_image(shared_faces / "gallery" / "biden.jpg")
    assert Hindrance.TOO_FAR in within_a_second(engine, at_the_gate(portrait, 110))


@pytest.mark.parametrize(
    ("light", "expected"), [(-1, Hindrance.TOO_DARK), (1, Hindrance.TOO_BRIGHT)]
)
def test_whoever_stands_in_the_dark_or_against_the_sun_is_told(
    engine: PackFaceEngine, shared_faces: Path, light: int, expected: Hindrance
) -> None:
    scene = at_the_gate(read_image(shared_faces / "gallery" / "biden.jpg"), 320)
    scene = scene // 14 if light < 0 else (scene // 9 + 225).astype(np.uint8)
    assert expected in within_a_second(engine, scene)


def test_an_empty_corridor_asks_for_nothing(engine: PackFaceEngine) -> None:
    assert set(within_a_second(engine, corridor())) == {None}
