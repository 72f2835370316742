"""Opens what looks at a face as at the gate and hands it to ``lab.evaluate.playback``."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.app.open.engine import engine_of
from agent.app.open.pad import open_pad
from agent.config import FaceConfig
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import Frame, Image
from agent.domain.sight.track import FaceSample
from agent.errors import ImageError, RefusedError
from agent.lab.demo.world import portrait
from agent.lab.evaluate.faces import Progress, images_below
from agent.lab.evaluate.open_pad import installed_finder
from agent.lab.evaluate.playback import MODELS, Look, PlaybackMethod, evaluate_playback
from agent.lab.evaluate.playback_scenes import Portrait, portrait_of
from agent.operations.packs.choice import installed_pad_packs
from agent.vision.face.engine import FaceEngine
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.packs import load_pack
from agent.vision.pad.beside import Beside
from agent.vision.pad.score import PadScorer
from agent.vision.stills.images import read_image

_DEMOS = ("collins", "hopper")


def evaluate_played_back(
    folder: Path | None,
    state: Path,
    rounds: int,
    seed: int,
    progress: Progress,
    face_pack: str | None = None,
) -> dict[str, Any]:
    """``lab.evaluate.playback.evaluate_playback`` with the portraits of ``folder``, or the demo's.

    Raises:
        ModelPackError: a pack is wrong.
        RefusedError: no face is found in any of the pictures.
        UnavailableError: there is no such folder, nothing that finds faces, or no demo portrait.
    """
    engine = engine_of(load_pack(face_pack or installed_finder(state), state), threads=1)
    paths = [portrait(name) for name in _DEMOS] if folder is None else list(images_below(folder))
    portraits = [one for path in paths if (one := _portrait(engine, path)) is not None]
    if not portraits:
        raise RefusedError("no_faces", "no face is found in any of the pictures")
    pad = open_pad(state, engine.manifest.landmarks)
    face = FaceConfig()
    method = PlaybackMethod(
        installed_pad_packs(state),
        engine.manifest.name,
        _look(engine, pad),
        {
            MODELS: face.pad_threshold,
            "liveness": face.liveness_threshold,
            "screen": face.screen_threshold,
        },
    )
    return evaluate_playback(
        portraits, rounds, seed, method, lambda done, total: progress("looking", done, total)
    )


def _portrait(engine: FaceEngine, path: Path) -> Portrait | None:
    try:
        image = read_image(path)
    except ImageError:
        return None
    for face in engine.detect(image, max(min(image.shape[:2]) // 6, 40)):
        located = engine.locate(image, face)
        if located is not None and located.landmarks is not None:
            return portrait_of(image, located.landmarks)
    return None


def _look(engine: FaceEngine, pad: PadScorer | None) -> Look:
    manifest = engine.manifest
    metric = Metric(manifest.comparison.metric)
    empty = ReferenceIndex.empty(manifest.embedder.components, metric, 1)
    same = manifest.comparison.curve[0].threshold

    def look(frames: Iterator[tuple[float, Image]]) -> Sequence[FaceSample]:
        watcher = Watcher(
            engine,
            "front",
            Zone(),
            Tracker(metric, same),
            pad=pad,
            beside=Beside(liveness=True, screen=True),
        )
        samples: Sequence[FaceSample] = ()
        for number, (at_s, image) in enumerate(frames):
            track = watcher.observe(Frame(image, 1.0 + at_s, number + 1), empty).track
            samples = track.samples if track is not None and track.samples else samples
        return samples

    return look
