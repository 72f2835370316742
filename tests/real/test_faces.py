"""The default pack on real photographs and a real video: who is found, who is known, who is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.domain.access.agreement import Requirements, agree
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import DetectedFace, Frame, Image
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve, operating_point
from agent.domain.sight.track import Observation
from agent.vision.face.acquire import acquire, acquire_all
from agent.vision.face.engine import PackFaceEngine, load_engine
from agent.vision.face.quality import ENROLMENT, EVALUATION, GATE
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.packs import InstalledPack
from agent.vision.stills.images import read_image

MARGIN = 0.03
PROBES = {
    "alex_lacamoire1.jpg": {"lacamoire"},
    "johnsnow_test1.jpg": set(),
    "kit_with_rose.jpg": {"leslie"},
    "lowe_2.jpg": {"lowe"},
    "obama1.jpg": {"obama"},
    "obama_and_biden.jpg": {"obama", "biden"},
    "two_people.jpg": {"obama", "biden"},
}


@pytest.fixture(scope="module")
def engine(dlib_pack: InstalledPack) -> PackFaceEngine:
    return load_engine(dlib_pack)


@pytest.fixture(scope="module")
def portraits(shared_faces: Path) -> dict[str, Image]:
    return {path.stem: read_image(path) for path in sorted((shared_faces / "gallery").iterdir())}


@pytest.fixture(scope="module")
def index(engine: PackFaceEngine, portraits: dict[str, Image]) -> ReferenceIndex:
    """Every portrait, as enrolment would take it."""
    templates = []
    for name, portrait in portraits.items():
        acquired = acquire(engine, portrait, ENROLMENT)
        assert acquired.reason is None, name
        assert acquired.face is not None
        templates.append(acquired.face.template)
    names = [HolderId(name) for name in portraits]
    return ReferenceIndex(names, np.array(templates), Metric.EUCLIDEAN, revision=1)


@pytest.fixture(scope="module")
def threshold(dlib_pack: InstalledPack, portraits: dict[str, Image]) -> float:
    """The gate's, for so many holders."""
    points = [
        CurvePoint(point.fmr, point.threshold) for point in dlib_pack.manifest.comparison.curve
    ]
    return operating_point(ThresholdCurve(tuple(points)), len(portraits)).threshold


@pytest.mark.parametrize("probe", PROBES)
def test_the_enrolled_are_known_and_strangers_are_not(
    engine: PackFaceEngine,
    index: ReferenceIndex,
    threshold: float,
    shared_faces: Path,
    probe: str,
) -> None:
    known = set()
    for face in acquire_all(engine, read_image(shared_faces / "probe" / probe), GATE):
        best, other = index.search(face.template)
        assert best is not None
        assert other is not None
        if face.shortfall is None and best.score >= max(threshold, other.score + MARGIN):
            known.add(str(best.holder))
    assert known == PROBES[probe]


@pytest.mark.parametrize(
    ("photograph", "reason"),
    [
        ("no_face.png", "no_face"),
        ("blur.jpg", "blurred"),
        ("t1_six_faces.jpg", "several_faces"),
    ],
)
def test_what_cannot_be_enrolled_says_why(
    engine: PackFaceEngine, shared_faces: Path, photograph: str, reason: str
) -> None:
    image = read_image(shared_faces / "hard" / photograph)
    assert acquire(engine, image, ENROLMENT).reason == reason


def test_a_small_face_cannot_be_enrolled(
    engine: PackFaceEngine, portraits: dict[str, Image]
) -> None:
    small = cv2.resize(portraits["biden"], None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    scene = np.full((300, 400, 3), 90, dtype=np.uint8)
    scene[50 : 50 + small.shape[0], 60 : 60 + small.shape[1]] = small
    assert acquire(engine, scene, ENROLMENT).reason == "face_too_small"


def test_a_photograph_without_contrast_cannot_be_enrolled(
    engine: PackFaceEngine, portraits: dict[str, Image]
) -> None:
    pale = (portraits["obama"] // 3).astype(np.uint8)
    assert acquire(engine, pale, ENROLMENT).reason == "low_contrast"


def tight(engine: PackFaceEngine, portrait: Image, width: float, turn_deg: float) -> Image:
    """The face alone, grey, 92 x 112: ``width`` in distances between the eyes' outer corners."""
    face = located(engine, portrait)
    assert face.landmarks is not None
    eyes, nose = face.landmarks[[0, 2]], face.landmarks[4]
    middle = eyes.mean(axis=0) + (nose - eyes.mean(axis=0)) * 0.9
    scale = 92.0 / (width * float(np.hypot(*(eyes[0] - eyes[1]))))
    x, y = (float(v) for v in middle)
    move = cv2.getRotationMatrix2D((x, y), turn_deg, scale)
    move[:, 2] += np.array([46.0 - x, 56.0 - y])
    small = cv2.warpAffine(portrait, move, (92, 112), flags=cv2.INTER_AREA)
    return np.repeat(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)


def located(engine: PackFaceEngine, image: Image) -> DetectedFace:
    for face in engine.detect(image):
        found = engine.locate(image, face)
        if found is not None:
            return found
    pytest.fail("no face")


@pytest.mark.parametrize("width", [1.5, 1.9])
@pytest.mark.parametrize("turn_deg", [-8.0, 0.0, 8.0])
def test_a_tight_grey_crop_is_acquired_and_still_the_same_person(
    engine: PackFaceEngine,
    index: ReferenceIndex,
    portraits: dict[str, Image],
    width: float,
    turn_deg: float,
) -> None:
    for name, portrait in portraits.items():
        acquired = acquire(engine, tight(engine, portrait, width, turn_deg), EVALUATION)
        assert acquired.reason is None, name
        assert acquired.face is not None
        best, _ = index.search(acquired.face.template)
        assert best is not None
        assert best.holder == name


def test_chips_are_those_of_dlib(engine: PackFaceEngine, portraits: dict[str, Image]) -> None:
    dlib = pytest.importorskip("dlib", reason="dlib-bin, a development tool, is not installed")
    for name, portrait in portraits.items():
        face = located(engine, portrait)
        assert face.landmarks is not None
        # dlib knows whole pixels only.
        points = np.round(face.landmarks)
        parts = [dlib.point(int(x), int(y)) for x, y in points]
        shape = dlib.full_object_detection(dlib.rectangle(0, 0, 9, 9), parts)
        expected = dlib.get_face_chip(np.ascontiguousarray(portrait[:, :, ::-1]), shape)[:, :, ::-1]
        chip = engine.crop(portrait, replace(face, landmarks=points))
        assert np.abs(chip.astype(int) - expected).mean() < 1.5, name
        one = engine.embedder.embed(chip)
        other = engine.embedder.embed(np.ascontiguousarray(expected))
        assert np.linalg.norm(one - other) < 0.04, name


@pytest.fixture
def watch(engine: PackFaceEngine) -> Callable[..., Watcher]:
    return lambda zone=Zone(): Watcher(  # noqa: B008 - frozen
        engine, "entry", zone, Tracker(Metric.EUCLIDEAN, -0.57)
    )


def scene(portrait: Image, x: int = 160, height: int = 400) -> Image:
    """The portrait in a frame of 640 x 480."""
    scale = height / portrait.shape[0]
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 90, dtype=np.uint8)
    width = min(small.shape[1], 640 - x)
    frame[40 : 40 + small.shape[0], x : x + width] = small[:, :width]
    return frame


def frames(images: list[Image]) -> list[Frame]:
    """As a living camera has them, each a little different, 0.1 s apart."""
    random = np.random.default_rng(1)
    noisy = [
        np.clip(image + random.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
        for image in images
    ]
    return [Frame(image, i / 10, i) for i, image in enumerate(noisy)]


@pytest.mark.parametrize("step", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_the_video_shows_miranda_and_nobody_else(
    watch: Callable[..., Watcher],
    index: ReferenceIndex,
    threshold: float,
    shared_faces: Path,
    step: int,
) -> None:
    watcher = watch()
    video = cv2.VideoCapture(str(shared_faces / "video" / "short_hamilton_clip.mp4"))
    agreed, samples, number = set(), 0, 0
    while True:
        more, image = video.read()
        if not more:
            break
        number += 1
        if number % step:
            continue
        frame = Frame(np.asarray(image, dtype=np.uint8), number / 30.0, number)
        track = watcher.observe(frame, index).track
        if track is None or not track.samples:
            continue
        samples += track.samples[-1].captured_s == frame.captured_s
        evidence = agree(track, threshold, Requirements(margin=MARGIN))
        if evidence is not None:
            agreed.add(str(evidence.holder))
    video.release()
    assert agreed == {"miranda"}
    # She is seen for three and a half seconds, of which ten frames a second are embedded at most.
    assert samples >= 80 // max(step, 2)


def test_a_second_person_in_the_same_place_is_a_new_presentation(
    watch: Callable[..., Watcher], index: ReferenceIndex, portraits: dict[str, Image]
) -> None:
    watcher = watch()
    first, second = scene(portraits["obama"], height=430), scene(portraits["biden"], 110, 430)
    seen = [watcher.observe(frame, index) for frame in frames([first] * 4 + [second] * 4)]
    tracks = [one.track for one in seen]
    assert all(track is not None for track in tracks)
    before, after = tracks[3], tracks[-1]
    assert before is not None
    assert after is not None
    assert before.box.overlap(after.box) > 0.2
    assert {s.best.holder for s in before.samples if s.best} == {"obama"}
    assert {s.best.holder for s in after.samples if s.best} == {"biden"}
    assert after.id != before.id


def observed(watcher: Watcher, index: ReferenceIndex, images: list[Image]) -> list[Observation]:
    return [watcher.observe(frame, index) for frame in frames(images)]


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        (Zone(), True),
        (Zone(min_face_px=400), False),
        (Zone(x=0.0, width=0.2), False),
        (Zone(x=0.2, width=0.6), True),
        (Zone(y=0.8, height=0.2), False),
    ],
)
def test_only_a_face_in_the_zone_is_a_presentation(
    watch: Callable[..., Watcher],
    index: ReferenceIndex,
    portraits: dict[str, Image],
    zone: Zone,
    *,
    found: bool,
) -> None:
    (seen,) = observed(watch(zone), index, [scene(portraits["obama"])])
    assert (seen.track is not None) is found
    assert ("embed" in seen.stage_ms) is found
    assert (seen.camera, seen.gallery_revision) == ("entry", 1)


def test_samples_compared_with_an_older_gallery_do_not_count(
    watch: Callable[..., Watcher], index: ReferenceIndex, portraits: dict[str, Image]
) -> None:
    watcher = watch()
    before = observed(watcher, index, [scene(portraits["obama"])] * 3)[-1]
    assert before.track is not None
    assert len(before.track.samples) == 3
    nobody = ReferenceIndex.empty(128, Metric.EUCLIDEAN, revision=2)
    after = watcher.observe(Frame(scene(portraits["obama"]), 0.3, 3), nobody)
    assert after.gallery_revision == 2
    assert after.track is not None
    assert after.track.id == before.track.id
    assert [s.best for s in after.track.samples] == [None]


def test_a_settled_presentation_is_compared_now_and_then_only(
    watch: Callable[..., Watcher], index: ReferenceIndex, portraits: dict[str, Image]
) -> None:
    watcher = watch()
    series = frames([scene(portraits["obama"])] * 14)
    first = watcher.observe(series[0], index)
    assert first.track is not None
    watcher.settle(first.track.id)
    rest = [watcher.observe(frame, index) for frame in series[1:]]
    assert [i for i, one in enumerate(rest, 1) if "embed" in one.stage_ms] == [5, 10]
    assert {one.track.id for one in rest if one.track} == {first.track.id}


def test_a_frozen_camera_repeats_the_content(
    watch: Callable[..., Watcher], index: ReferenceIndex, portraits: dict[str, Image]
) -> None:
    watcher, still = watch(), scene(portraits["obama"])
    frozen = [watcher.observe(Frame(still, i / 10, i), index) for i in range(3)][-1]
    living = observed(watch(), index, [still] * 3)[-1]
    assert frozen.track is not None
    assert living.track is not None
    assert len({s.content for s in frozen.track.samples}) == 1
    assert len({s.content for s in living.track.samples}) == 3
