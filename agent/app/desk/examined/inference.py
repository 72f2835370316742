"""One inference of each pack in use on a drawn picture, beside what it answered when it was made.

A runtime or a processor that computes something else is seen by no hash of a file. The picture is
drawn by a formula: it shows nobody, and is the same everywhere.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from agent.config import ConfigFile
from agent.domain.sight.image import Image
from agent.operations.examination.facts import InferenceFact
from agent.operations.packs.choice import in_use
from agent.vision.face.embed import FaceEmbedder
from agent.vision.packs.onnx import OnnxModel
from agent.vision.packs.packs import InstalledPack, InstalledPadPack, load_pack, load_pad_pack
from agent.vision.pad.score import PackPad

_KEPT = 8
"""Of a template's numbers."""
_SIDE_PX = 240
_BOX = (60.0, 60.0, 120.0, 120.0)
ANSWERS: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("retail", "1"): (-0.005, 0.013, -0.088, -0.062, 0.065, -0.004, -0.038, -0.021),
    ("minifasnet", "1"): (0.095, 0.475),
    ("antispoof", "1"): (0.561,),
    ("dlib", "1"): (-0.051, 0.097, 0.05, -0.011, -0.029, -0.046, -0.049, -0.013),
}
"""By pack and version: a template's first numbers, or each model's probability of a living face."""


def inference_facts(file: ConfigFile, state: Path) -> tuple[InferenceFact, ...]:
    """Of the face pack and of each attack detection pack.

    Raises:
        ModelPackError: one is not whole, or cannot be run.
    """
    used = in_use(file.config.face.pack, state)
    faces = [face_answer(load_pack(used.pack, state))]
    return (*faces, *(pad_answer(load_pad_pack(one, state)) for one in used.attack_detection))


def face_answer(pack: InstalledPack) -> InferenceFact:
    """The template of the drawn picture in place of an aligned face."""
    settings = pack.manifest.embedder
    embedder = FaceEmbedder(settings, OnnxModel(pack.path(settings.file)))
    begin_s = time.monotonic()
    found = embedder.embed(drawn(settings.width_px, settings.height_px))
    took_s = time.monotonic() - begin_s
    length = float(np.linalg.norm(found)) or 1.0
    numbers = tuple(float(one) for one in found[:_KEPT] / length)
    return _judged(pack.manifest.name, pack.manifest.version, numbers, took_s)


def pad_answer(pack: InstalledPadPack) -> InferenceFact:
    """What each of its models says of a square in the drawn picture."""
    opened = PackPad(pack)
    begin_s = time.monotonic()
    picture = drawn(_SIDE_PX, _SIDE_PX)
    found = tuple(model.probability(picture, _BOX) for model in opened.models)
    took_s = time.monotonic() - begin_s
    return _judged(pack.manifest.name, pack.manifest.version, found, took_s)


def drawn(width: int, height: int) -> Image:
    """Waves in three colours that cross each other."""
    across, down = np.meshgrid(np.linspace(0.0, 1.0, width), np.linspace(0.0, 1.0, height))
    waves = [np.sin(9.0 * across + 5.0 * colour * down * down + colour) for colour in (1, 2, 3)]
    return np.rint(np.stack(waves, axis=-1) * 90.0 + 128.0).astype(np.uint8)


def _judged(name: str, version: str, found: tuple[float, ...], took_s: float) -> InferenceFact:
    known = ANSWERS.get((name, version))
    off = None if known is None else max(abs(a - b) for a, b in zip(found, known, strict=True))
    return InferenceFact(name, took_s, bool(np.isfinite(found).all()), off, found)
