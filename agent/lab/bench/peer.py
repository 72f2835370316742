"""The peers that ``gate-agent bench`` can be held against: how each is had, and what it is.

``face_recognition`` gets an environment of its own, built from the locked requirements into the
user's cache on first use: it needs packages that the agent must not have. ``opencv`` is what is
installed anyway. ``insightface`` and ``deepface`` run where somebody installed them; their weights
are not fetched here, since they come under licences of their own.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.domain.sight.comparison import Metric
from agent.errors import UnavailableError
from agent.lab.bench import peer_scripts
from agent.vision.packs.manifest import TemplateAlignment, YunetDetector
from agent.vision.packs.packs import InstalledPack, is_installed, load_pack

_BUILD_TIMEOUT_S = 1200.0
_REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements"
_INSIGHTFACE_PACKS = ("buffalo_s", "buffalo_sc")
_DEEPFACE_MODEL = "Facenet512"


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that can be started: its command, how its templates compare, and what it is."""

    command: tuple[str, ...]
    metric: Metric
    what: str


def find_peer(name: str, state: Path) -> Peer:
    """The peer of this name, its environment built where that is for us to do.

    Raises:
        UnavailableError: it cannot be had here; with the fix.
    """
    return _FINDERS[name](state)


def _face_recognition(_state: Path) -> Peer:
    command = (str(_environment()), "-c", peer_scripts.FACE_RECOGNITION)
    what = "dlib's HOG detector, 68 points and ResNet (the weights of the pack dlib), defaults"
    return Peer(command, Metric.EUCLIDEAN, what)


def _opencv(state: Path) -> Peer:
    if is_installed("opencv-zoo", state):
        pack = load_pack("opencv-zoo", state)
        told = _files(pack)
        what = "cv2.FaceDetectorYN and cv2.FaceRecognizerSF at their defaults (pack opencv-zoo)"
        return Peer(_own(peer_scripts.OPENCV_SFACE, told), Metric.COSINE, what)
    if not is_installed("retail", state):
        raise UnavailableError(
            "opencv cannot be measured: its networks are in none of the packs installed",
            "gate-agent models install opencv-zoo, or retail",
        )
    pack = load_pack("retail", state)
    embedder = pack.manifest.embedder
    assert isinstance(embedder.alignment, TemplateAlignment)
    told = {
        **_files(pack),
        "points": embedder.alignment.points,
        "size": (embedder.width_px, embedder.height_px),
        "channels": embedder.channels,
        "mean": embedder.mean,
        "scale": embedder.scale,
    }
    what = (
        "cv2.FaceDetectorYN, cv2.warpAffine and the embedder of the pack retail by cv2.dnn, without"
        " its mirror image; with opencv-zoo installed cv2.FaceRecognizerSF instead"
    )
    return Peer(_own(peer_scripts.OPENCV_EMBEDDER, told), Metric.COSINE, what)


def _insightface(state: Path) -> Peer:
    home = Path.home() / ".insightface"
    places = [(state, one) for one in _INSIGHTFACE_PACKS] + [(home, "buffalo_l")]
    for root, name in places:
        if any((root / "models" / name).glob("*.onnx")):
            command = _own(peer_scripts.INSIGHTFACE, {"root": str(root), "name": name})
            what = f"insightface.app.FaceAnalysis with {name} (non-commercial), defaults"
            return Peer(command, Metric.COSINE, what)
    raise UnavailableError(
        "insightface cannot be measured: its weights are not here, and they are not for commercial"
        " use",
        "read their licence, then gate-agent models install buffalo_s",
    )


def _deepface(_state: Path) -> Peer:
    home = Path(os.environ.get("DEEPFACE_HOME") or Path.home()) / ".deepface" / "weights"
    if not (home / f"{_DEEPFACE_MODEL.lower()}_weights.h5").is_file():
        raise UnavailableError(
            f"deepface cannot be measured: no weights of {_DEEPFACE_MODEL} are in its folder",
            "install deepface where this agent runs, and let it fetch them once",
        )
    what = f"DeepFace.represent with {_DEEPFACE_MODEL}, defaults"
    return Peer(_own(peer_scripts.DEEPFACE, {"model": _DEEPFACE_MODEL}), Metric.COSINE, what)


_FINDERS: Mapping[str, Callable[[Path], Peer]] = {
    "face_recognition": _face_recognition,
    "opencv": _opencv,
    "insightface": _insightface,
    "deepface": _deepface,
}
PEERS = tuple(_FINDERS)


def _own(script: str, told: Mapping[str, Any]) -> tuple[str, ...]:
    return (sys.executable, "-c", script, json.dumps(told))


def _files(pack: InstalledPack) -> dict[str, Any]:
    detector = pack.manifest.detector
    assert isinstance(detector, YunetDetector)
    return {
        "detector": str(pack.directory / detector.file),
        "embedder": str(pack.directory / pack.manifest.embedder.file),
    }


def _environment() -> Path:
    """The Python of the peer's environment, built where it is not there yet."""
    locks = [_REQUIREMENTS / name for name in ("peer-build.txt", "peer.txt")]
    try:
        digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:12]
    except OSError as error:
        raise UnavailableError("the peer's lock is missing", "run from a checkout") from error
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path(home) / "gate-agent" / f"face_recognition-{version}-{digest}"
    python, built = folder / "bin" / "python", folder / "built"
    if not built.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "--no-deps"]
        _run([*install, "-r", str(locks[0])])
        _run([*install, "--no-build-isolation", "-r", str(locks[1])])
        built.touch()
    return python


def _run(command: list[str]) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own interpreter
            command, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error)
        last = str(said).strip().splitlines()[-1:]
        fix = "the first time needs the network; try again with it"
        raise UnavailableError(
            f"face_recognition cannot be measured: {''.join(last)}", fix
        ) from error
