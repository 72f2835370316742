"""Times ``face_recognition`` on the same image, in an environment of its own.

Its whole path at its defaults: locate all faces, encode the largest, as the gate does.

The environment is built from the locked requirements into the user's cache on first use: the peer
needs packages that the agent must not have.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from agent.errors import UnavailableError

_ROUNDS = 15
_BUILD_TIMEOUT_S = 1200.0
_RUN_TIMEOUT_S = 300.0
_REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements"
_SCRIPT = f"""
import json, sys, time
import numpy, face_recognition
image = numpy.ascontiguousarray(numpy.load(sys.argv[1])[:, :, ::-1])
times = []
for turn in range({_ROUNDS} + 3):
    start = time.perf_counter()
    boxes = face_recognition.face_locations(image)
    largest = max(boxes, key=lambda box: box[2] - box[0])
    codes = face_recognition.face_encodings(image, [largest])
    if turn >= 3:
        times.append((time.perf_counter() - start) * 1000)
assert len(codes) == 1
json.dump(sorted(times)[len(times) // 2], sys.stdout)
"""


def measure_peer(scene: Path, environment: Mapping[str, str]) -> float:
    """The peer's median milliseconds from image to template; ``scene`` is an array file, BGR.

    Raises:
        UnavailableError: its environment cannot be built, or it fails.
    """
    done = _run([str(_environment()), "-c", _SCRIPT, str(scene)], _RUN_TIMEOUT_S, environment)
    return float(json.loads(done))


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
        _run([*install, "-r", str(locks[0])], _BUILD_TIMEOUT_S, {})
        _run([*install, "--no-build-isolation", "-r", str(locks[1])], _BUILD_TIMEOUT_S, {})
        built.touch()
    return python


def _run(command: list[str], timeout_s: float, environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error)
        last = str(said).strip().splitlines()[-1:]
        fix = "the first time needs the network; try again with it"
        raise UnavailableError(
            f"face_recognition cannot be measured: {''.join(last)}", fix
        ) from error
    return done.stdout
