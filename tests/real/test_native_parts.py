"""What runs in native code for hours: it lets go of what it was given, and of nothing else.

A library that returns None without a reference of its own ends a CPython before 3.12 once all of
None's are used up, hours into the day; nothing else shows before.
"""

import gc
import resource
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno

from agent.adapters.int8_blocks import PackedBlock
from agent.app.open.pad import open_pad
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import Frame, Image
from agent.operations.packs.install import install
from agent.vision.face.engine import load_engine
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.packs import InstalledPack
from agent.vision.stills.images import read_image
from agent.vision.symbols.symbols import SymbolWatch

PADS = ("antispoof", "minifasnet")
_KIB_A_FRAME = 8


def code() -> Image:
    rows = [[0 if dark else 255 for dark in row] for row in segno.make("GATE", micro=False).matrix]
    small = np.asarray(rows, dtype=np.uint8)
    return np.kron(small, np.ones((8, 8), dtype=np.uint8))


def scene(face: Image) -> Image:
    """A person with a code beside the head."""
    picture = np.full((480, 640, 3), 120, dtype=np.uint8)
    height = 400
    width = min(420, face.shape[1] * height // face.shape[0])
    picture[40:440, :width] = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    picture[100:300, 430:630] = 255
    drawn = code()
    height, width = drawn.shape
    picture[120 : 120 + height, 450 : 450 + width] = drawn[:, :, None]
    return picture


def held() -> list[int]:
    gc.collect()  # what the imports left holds a few too, and goes at some time
    return [sys.getrefcount(one) for one in (None, True, False, ())]


@pytest.mark.parametrize("frames", [60, pytest.param(4_000, marks=pytest.mark.slow)])
def test_frames_of_a_day_use_nothing_up(
    frames: int,
    retail_pack: InstalledPack,
    shared_models: Path,
    shared_faces: Path,
    tmp_path: Path,
) -> None:
    """Detection, templates, search, attack detection and codes, on their real libraries."""
    for name in PADS:
        install(name, tmp_path, shared_models / name)
    engine = load_engine(retail_pack)
    pad = open_pad(tmp_path, engine.manifest.landmarks)
    assert pad is not None
    picture = scene(read_image(shared_faces / "gallery" / "obama.jpg"))
    [face, *_] = engine.detect(picture)
    located = engine.locate(picture, face)
    assert located is not None
    template = engine.embed(picture, located)
    holder = HolderId("lin.2")
    metric = Metric(engine.manifest.comparison.metric)
    index = ReferenceIndex([holder], template[None], metric, 1, PackedBlock)
    watcher = Watcher(engine, "front", Zone(), Tracker(metric, 0.5), pad=pad)
    symbols = SymbolWatch()
    random = np.random.default_rng(1)
    named = read = 0

    def look(number: int) -> None:
        nonlocal named, read
        noise = random.integers(-2, 3, picture.shape, dtype=np.int16)
        image = np.clip(picture + noise, 0, 255).astype(np.uint8)
        seen = watcher.observe(Frame(image, number / 4, number), index)
        if seen.track is not None and seen.track.samples:
            best = seen.track.samples[-1].best
            named += best is not None and best.holder == holder
        read += bool(symbols.look(image))

    warm = 40
    for number in range(warm):
        look(number)
    named = read = 0
    before, memory = held(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(warm, warm + frames):
        look(number)
    after = held()
    assert named > frames // 2
    assert read > frames // 2
    assert all(abs(b - a) < frames // 4 for a, b in zip(before, after, strict=True)), (
        before,
        after,
    )
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert grown_kib < 20_000 + _KIB_A_FRAME * frames // 100
