"""``gate-agent bench``: every stage of a frame's way beside the bare cost of its work.

The measuring runs in a process of its own, because numpy's BLAS reads its number of threads when it
is loaded: one thread for all, ours, the models' and the libraries'.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from agent.adapters.camera.simulated import fit_scene
from agent.domain.sight.image import Image
from agent.errors import InternalError
from agent.lab.bench.large import (
    MOST_CHANGED_S,
    MOST_COMPARED_S,
    MOST_RESIDENT_MB,
    large_figures,
)
from agent.lab.bench.start import MOST_START_S, start_to_first_decision_s
from agent.lab.bench.verdict import verdict
from agent.lab.bench.versus import own_accuracy, peer_rows
from agent.lab.child import python
from agent.lab.demo.world import portrait
from agent.lab.evaluate.faces import Progress
from agent.vision.face.engine import PackFaceEngine, load_engine
from agent.vision.packs.packs import load_pack
from agent.vision.stills.images import read_image

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"), "1"
)
_SIZE = (640, 480)
_FACE_PX = 150
_TIMEOUT_S = 600.0


def run_bench(
    state: Path,
    pack: str,
    *,
    peers: Sequence[str] = (),
    images: Path | None = None,
    large: bool = False,
    progress: Progress,
) -> dict[str, Any]:
    """The figures of this machine as JSON values; keys are only ever added.

    With ``large``, those of a gate with 100,000 references too, which take a minute to make.
    With ``images``, one folder a person, accuracy too, of the pack and the peers alike. A peer that
    cannot be had says so in its row.

    Raises:
        UnavailableError: the pack, the portrait or the images cannot be had.
        RefusedError: ``images`` holds no folders of images.
    """
    engine = load_engine(load_pack(pack, state))
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
        scene = Path(folder) / "scene.npy"
        image = _scene(engine, read_image(portrait("collins")))
        np.save(scene, image)
        progress("measuring", 0, 1)
        found = _measure(state, pack, scene)
    found["start_to_first_decision_s"] = start_to_first_decision_s(state, pack, image)
    found["limits"]["start_to_first_decision_s"] = MOST_START_S
    if large:
        found |= large_figures(state, engine.manifest)
        found["limits"]["rss_100k_mb"] = MOST_RESIDENT_MB
        found["limits"]["self_comparison_before_serving_s"] = MOST_COMPARED_S
        found["limits"]["change_100k_s"] = MOST_CHANGED_S
    if images is not None:
        found["accuracy"] = own_accuracy(images, state, pack, progress)
    if peers:
        ours_ms = found["face_path"]["median_ms"]
        found["peers"] = peer_rows(peers, state, image, ours_ms, images, ONE_THREAD, progress)
    found["verdict"] = verdict(found)
    return found


def _scene(engine: PackFaceEngine, photograph: Image) -> Image:
    """The photograph as a gate's camera sees somebody at arm's length: 640 x 480, one face.

    A face of 15 cm at 50 cm fills 150 of 640 pixels behind a lens of 66 degrees.
    """
    face = engine.detect(photograph)[0].box
    scale = _FACE_PX / face.width
    size = (round(photograph.shape[1] * scale), round(photograph.shape[0] * scale))
    photograph = np.asarray(cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC))
    x, y = (
        round((v + side / 2) * scale) for v, side in ((face.x, face.width), (face.y, face.height))
    )
    width, height = _SIZE
    left = min(max(x - width // 2, 0), max(size[0] - width, 0))
    top = min(max(y - height // 2, 0), max(size[1] - height, 0))
    return fit_scene(photograph[top : top + height, left : left + width], width, height)


def _measure(state: Path, pack: str, scene: Path) -> dict[str, Any]:
    command = python("agent.lab.bench.stages", str(state), pack, str(scene))
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        command,
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        raise InternalError(f"the measuring process failed: {last[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
