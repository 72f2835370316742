"""The face's way through a frame, beside the bare runs of the models that it takes.

Bare is one call of a model's own library with its input prepared: OpenCV's cascade or ONNX
Runtime's run of YuNet; the shape predictor's two walks, for it is a model too, evaluated by us; and
ONNX Runtime's runs of the embedder, as many as a probe takes.
"""

from collections.abc import Callable

from agent.domain.sight.image import DetectedFace, Image
from agent.errors import UnavailableError
from agent.lab.bench.timing import Timings, measure, stage
from agent.vision.face.detect import HaarCascade
from agent.vision.face.engine import PackFaceEngine
from agent.vision.face.landmarks import LEVELS_OF_A_GUESS
from agent.vision.face.yunet import Yunet, any_size
from agent.vision.face.zone import search_widths
from agent.vision.packs.manifest import YunetDetector
from agent.vision.packs.onnx import open_session
from agent.vision.packs.packs import InstalledPack

MIN_FACE_PX = 80
PATH_TO_BARE_LIMIT = 1.10
_ROUNDS = 60
_BARE = ("bare_detect", "bare_landmarks", "bare_embed")


def face_stages(
    pack: InstalledPack, engine: PackFaceEngine, image: Image
) -> dict[str, dict[str, float]]:
    """Detection, landmarks, embedding and the whole ``path``, beside what they cannot avoid.

    The near search of ``vision.face.watch`` is what runs: the image shows a face at arm's length.

    Raises:
        UnavailableError: the pack finds no face in the image.
    """
    near = search_widths(MIN_FACE_PX)[0]
    face = next(iter(engine.detect(image, near)), None)
    located = None if face is None else engine.locate(image, face)
    if face is None or located is None:
        raise UnavailableError("the pack finds no face in the portrait that is measured with")

    def path() -> None:
        found = engine.locate(image, engine.detect(image, near)[0])
        assert found is not None
        engine.embed(image, found)

    # A network leaves nothing of the one before in the processor's caches. So the bare runs come in
    # the order of the path, each after the one that it follows there, and not after itself.
    deeds: dict[str, Callable[[], object] | None] = {
        "detect": lambda: engine.detect(image, near),
        "landmarks": lambda: engine.locate(image, face),
        "embed": lambda: engine.embed(image, located),
        "bare_detect": _bare_detection(pack, engine, image, near),
        "bare_landmarks": _bare_landmarks(engine, image, face),
        "bare_embed": _bare_embedding(engine, image, located),
        "path": path,
    }
    return _summed(measure({name: deed for name, deed in deeds.items() if deed}, _ROUNDS))


def _summed(times: Timings) -> dict[str, dict[str, float]]:
    found = {
        name: stage(times[name], times.get(f"bare_{name}"))
        for name in ("detect", "landmarks", "embed")
    }
    bare = [sum(one) for one in zip(*(times[name] for name in _BARE if name in times), strict=True)]
    return {**found, "path": stage(times["path"], bare)}


def _bare_detection(
    pack: InstalledPack, engine: PackFaceEngine, image: Image, near: int
) -> Callable[[], object]:
    detector, settings = engine.detector, pack.manifest.detector
    if isinstance(detector, HaarCascade):
        grey = detector.searched(image, near)
        return lambda: detector.bare(grey, near)
    assert isinstance(detector, Yunet)
    assert isinstance(settings, YunetDetector)
    # The network as its file has it: what our search adds to the graph is not bare.
    network = any_size(pack.path(settings.file)).SerializeToString()
    session = open_session(network, settings.file)
    given = {session.get_inputs()[0].name: detector.searched(image, near).planes}
    return lambda: session.run(None, given)


def _bare_landmarks(
    engine: PackFaceEngine, image: Image, face: DetectedFace
) -> Callable[[], object] | None:
    landmarks = engine.landmarks
    if landmarks is None:
        return None
    predict = landmarks.predictor.predict
    first, second = landmarks.boxes(image, face)

    def bare() -> None:
        predict(image, first, LEVELS_OF_A_GUESS)
        predict(image, second)

    return bare


def _bare_embedding(
    engine: PackFaceEngine, image: Image, face: DetectedFace
) -> Callable[[], object]:
    batch = engine.embedder.probe_batch(engine.crop(image, face))
    return lambda: engine.embedder.runs(batch)
