"""Guided enrolment on real photographs before a simulated camera, in simulated time."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.adapters.camera.simulated import Scene, SimulatedCamera, fit_scene
from agent.adapters.store.keys import init_key
from agent.app.desk.guided import Seen, enrol_at_camera, look_at, take_photographs
from agent.app.open.engine import open_engine
from agent.app.open.files.stores import Key, read_registry
from agent.app.open.site import Site, site_of
from agent.domain.sight.image import DetectedFace, Frame, Image, Template
from agent.errors import EnrolmentRefusedError, UnavailableError
from agent.operations.people.enrol import EnrolmentRequest
from agent.operations.people.guide import PATIENCE_S, SHORTFALL_HINTS, Guide, Hint, Step
from agent.ports import Camera
from agent.vision.face.engine import FaceEngine
from agent.vision.packs.packs import InstalledPack
from agent.vision.stills.images import read_image


class Clock:
    """Time passes only where the camera waits."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def read(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(tmp_path: Path, dlib_pack: InstalledPack) -> Site:
    state = tmp_path / "state"
    state.mkdir()
    (state / "models").symlink_to(dlib_pack.directory.parent)
    init_key(state / "gallery.key")
    found = site_of(state, None)
    return replace(found, store=found.store.model_copy(update={"keep_photographs": True}))


def camera(clock: Clock, folder: Path, **scenes: float) -> SimulatedCamera:
    """Two frames a second of these photographs, each so long."""
    names = {one.stem: one for one in folder.rglob("*.jpg")}
    shown = [
        Scene(fit_scene(read_image(names[name]), 640, 480), seconds)
        for name, seconds in scenes.items()
    ]
    return SimulatedCamera(shown, fps=2.0, now_s=clock.read, sleep=clock.sleep)


def test_a_head_straight_and_to_both_sides_is_three_photographs(
    site: Site, clock: Clock, shared_faces: Path
) -> None:
    engine = open_engine(site.state, "dlib")
    before = camera(clock, shared_faces, biden=1.4, obama=1.4, obama1=3.0)
    steps: list[Step] = []

    def watch(was: Guide, now: Guide, seen: Seen | None) -> None:
        assert seen is not None
        if was.step is not now.step:
            steps.append(now.step)

    photographs, settled = take_photographs(before, engine, 30.0, watch, clock.read)
    assert steps == [Step.ONE_SIDE, Step.OTHER_SIDE, Step.DONE]
    assert settled == 0
    straight, one, other = (photograph.figures["yaw_deg"] for photograph in photographs)
    assert abs(straight) < 12.0
    assert one * other < 0.0


def test_whoever_cannot_look_straight_is_enrolled_as_well_and_no_photograph_is_kept(
    site: Site, clock: Clock, shared_faces: Path
) -> None:
    before = camera(clock, shared_faces, obama=PATIENCE_S + 3.0, obama1=3.0)
    request = EnrolmentRequest("obama", "A Name", "resident", ())

    @contextlib.contextmanager
    def opened() -> Iterator[Camera]:
        yield before

    made, settled = enrol_at_camera(
        site, request, opened, 60.0, lambda *_: None, by="uid:0 root", now_s=clock.read
    )
    assert settled >= 1
    assert sum(made.parts) == 3
    with read_registry(site, Key.IF_ANY) as registry:
        assert registry.photographs(made.holder.id) == []
        [reference] = registry.owned_by(made.holder.id, "dlib", "1")
    assert len(reference.photographs) == 3


def test_a_still_picture_a_short_film_and_nobody_leave_nothing(
    site: Site, clock: Clock, shared_faces: Path
) -> None:
    engine = open_engine(site.state, "dlib")
    hung = camera(clock, shared_faces, biden=60.0)
    hung.frozen = True
    with pytest.raises(EnrolmentRefusedError, match="0 of 3") as refusal:
        take_photographs(hung, engine, 5.0, lambda *_: None, clock.read)
    assert refusal.value.reason == "timed_out"
    with pytest.raises(UnavailableError, match="ended after 1 of 3"):
        take_photographs(
            camera(clock, shared_faces, biden=1.4), engine, 5.0, lambda *_: None, clock.read
        )


@pytest.mark.parametrize(
    ("scale", "offset", "shortfall"), [(0.08, 10.0, "low_contrast"), (0.08, 225.0, "too_bright")]
)
def test_too_little_light_is_told_from_too_much(
    site: Site, shared_faces: Path, scale: float, offset: float, shortfall: str
) -> None:
    engine = open_engine(site.state, "dlib")
    image = fit_scene(read_image(shared_faces / "gallery" / "biden.jpg"), 640, 480)
    flat = np.clip(image * scale + offset, 0, 255).astype(np.uint8)
    face = engine.detect(image)[0]
    located = engine.locate(image, face)
    assert located is not None
    seen = look_at(Frame(flat, 0.0, 1), _Finds(engine, located), differs=True)
    assert seen.look.shortfall == shortfall
    assert SHORTFALL_HINTS[shortfall] in (Hint.MORE_LIGHT, Hint.LESS_LIGHT)


class _Finds:
    """The engine, with the face of the picture as it was before its light went."""

    def __init__(self, engine: FaceEngine, face: DetectedFace) -> None:
        self._engine, self._face, self.manifest = engine, face, engine.manifest

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        return [self._face]

    def locate(self, image: Image, face: DetectedFace) -> DetectedFace:
        return face

    def crop(self, image: Image, face: DetectedFace) -> Image:
        return self._engine.crop(image, face)

    def embed(self, image: Image, face: DetectedFace) -> Template:
        return self._engine.embed(image, face)

    def embed_crop(self, aligned: Image) -> Template:
        return self._engine.embed_crop(aligned)

    def templates(self, aligned: Image) -> tuple[Template, Template]:
        return self._engine.templates(aligned)
