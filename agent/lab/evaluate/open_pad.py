"""Opens attack detection as at the gate and hands it to ``lab.evaluate.pad``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.app.open.engine import engine_of
from agent.app.open.pad import open_pad
from agent.config import FaceConfig
from agent.domain.sight.image import DetectedFace, FivePoints
from agent.errors import ImageError, UnavailableError
from agent.lab.evaluate.faces import Progress
from agent.lab.evaluate.pad import PadMethod, evaluate_pad
from agent.operations.packs.choice import installed_pad_packs, pack_of
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
from agent.vision.stills.cores import Lent, cores
from agent.vision.stills.images import read_image

_Tools = tuple[FaceEngine, PadScorer]


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
    finder = load_pack(face_pack or installed_finder(state), state)
    names = tuple(packs) or installed_pad_packs(state)
    if not names:
        raise UnavailableError(
            "no attack detection is installed",
            "gate-agent models install minifasnet --from DIR, and antispoof",
        )

    def tools() -> _Tools:
        scorer = open_pad(state, finder.manifest.landmarks, names=names)
        assert scorer is not None
        return engine_of(finder, threads=1), scorer

    method = PadMethod(
        names, finder.manifest.name, FaceConfig().pad_threshold, Lent(tools, _score), cores()
    )
    return evaluate_pad(folder, method, progress).as_json()


def installed_finder(state: Path) -> str:
    """The face pack that is in use where none is named, else the first one installed."""
    default = pack_of(None, state)
    if is_installed(default, state):
        return default
    manifests = [read_any_manifest(name) for name in manifest_names() if is_installed(name, state)]
    ours = [
        one.name
        for one in manifests
        if isinstance(one, Manifest) and not isinstance(one.detector, InsightfaceDetector)
    ]
    return ours[0] if ours else default


def _score(tools: _Tools, path: Path) -> float | None:
    """The score of a picture's largest face, None where none was found."""
    engine, scorer = tools
    try:
        image = read_image(path)
        found = acquire(engine, image, EVALUATION)
    except ImageError:
        return None
    if found.face is None or found.reason is not None:
        return None
    face = DetectedFace(found.face.box, found.face.score)
    if engine.manifest.landmarks.kind is not FivePoints.DLIB:
        return scorer.score(image, face)
    located = engine.locate(image, face)
    return None if located is None else scorer.score(image, located)
