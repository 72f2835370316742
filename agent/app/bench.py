"""``gate-agent bench``: every stage of a frame's way beside the bare cost of its work.

The measuring runs in a process of its own, because numpy's BLAS reads its number of threads when it
is loaded: one thread for all, ours, the models' and the libraries'.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.app.bench_peer import measure_peer
from agent.app.demo_world import portrait
from agent.errors import InternalError
from agent.vision.packs import load_pack

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"), "1"
)
_TIMEOUT_S = 600.0


def run_bench(
    state: Path, pack: str, *, peer: str | None, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """The figures of this machine as JSON values; keys are only ever added.

    Raises:
        UnavailableError: the pack, the portrait or the peer cannot be had.
    """
    load_pack(pack, state)
    image = portrait("collins")
    progress("measuring", 0, 2 if peer else 1)
    command = [sys.executable, "-m", "agent.app.bench_stages", str(state), pack, str(image)]
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
    if peer is not None:
        progress(f"measuring {peer}", 1, 2)
        theirs_ms = measure_peer(image, ONE_THREAD)
        ours_ms = found["face_path"]["median_ms"]
        found["peers"] = {peer: {"median_ms": theirs_ms, "speedup": theirs_ms / ours_ms}}
    return found
