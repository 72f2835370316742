"""Opens attack detection as at the gate and hands it to ``lab.evaluate.pad``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.app.open.engine import engine_of
from agent.app.open.pad import open_pad
from agent.config import FaceConfig
from agent.domain.sight.image import DetectedFace
from agent.errors import ImageError, UnavailableError
from agent.lab.evaluate.faces import Progress
from agent.lab.evaluate.pad import PadMethod, ScoreOf, evaluate_pad
from agent.operations.packs.choice import pack_of
from agent.vision.face.acquire import acquire
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import EVALUATION
from agent.vision.packs.manifest import (
    InsightfaceDetector,
    Manifest,
    manifest_names,
    read_any_manifest,
)
from agent.vision.packs.packs import is_installed, load_pack
from agent.vision.pad.score import PadScorer
from agent.vision.stills.images import read_image


def evaluate_folder(
    folder: Path,
    state: Path,
    packs: Sequence[str],
    progress: Progress,
    face_pack: str | None = None,
) -> dict[str, Any]:
    """``lab.evaluate.pad.evaluate_pad`` with ``packs``, or all that are installed.

    ``face_pack`` finds the faces; without one the default, or whichever is installed.

    Raises:
        ModelPackError: a pack that is named is not installed, or wrong.
        RefusedError: the folder is not as it should be.
        UnavailableError: no attack detection, or nothing that finds faces, is installed.
    """
    finder = load_pack(face_pack or _installed_finder(state), state)
    scorers: list[ScoreOf] = []
    names: tuple[str, ...] = ()
    for _ in range(max(len(os.sched_getaffinity(0)), 1)):
        scorer = open_pad(state, finder.manifest.landmarks, names=packs or None)
        if scorer is None:
            raise UnavailableError(
                "no attack detection is installed",
                "gate-agent models install minifasnet --from DIR, and antispoof",
            )
        names = tuple(pack.name for pack in scorer.packs)
        scorers.append(_score_of(engine_of(finder, threads=1), scorer))
    threshold = FaceConfig().pad_threshold
    method = PadMethod(names, finder.manifest.name, threshold, tuple(scorers))
    return evaluate_pad(folder, method, progress).as_json()


def _installed_finder(state: Path) -> str:
    """The face pack that was chosen, else the first one installed."""
    default = pack_of(FaceConfig().pack, state)
    if is_installed(default, state):
        return default
    manifests = [read_any_manifest(name) for name in manifest_names() if is_installed(name, state)]
    ours = [
        one.name
        for one in manifests
        if isinstance(one, Manifest) and not isinstance(one.detector, InsightfaceDetector)
    ]
    return ours[0] if ours else default


def _score_of(engine: FaceEngine, scorer: PadScorer) -> ScoreOf:
    def score_of(path: Path) -> float | None:
        try:
            image = read_image(path)
            found = acquire(engine, image, EVALUATION)
        except ImageError:
            return None
        if found.face is None or found.reason is not None:
            return None
        face: DetectedFace | None = DetectedFace(found.face.box, found.face.score)
        if face is not None and engine.manifest.landmarks.kind == "dlib5":
            face = engine.locate(image, face)
        return None if face is None else scorer.score(image, face)

    return score_of
