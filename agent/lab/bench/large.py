"""A gate with 100,000 references: what of it is resident, and what it compares before it serves.

The measuring process is ``python -m agent.lab.bench.large FOLDER PACK``: it loads what the gate
loads, opens the pack's engine and indexes the registry in ``FOLDER`` as the gate does at its start.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import agent.app.gate.run  # noqa: F401 - what a gate has loaded is part of what is resident
from agent import logs
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.seal import KEY_BYTES, Sealer
from agent.app.open.engine import open_engine
from agent.app.open.files.state import REGISTRY
from agent.app.open.site import new_event_id
from agent.app.open.snapshot import Rates, Snapshot, take_snapshot
from agent.app.open.thresholds import site_thresholds
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.sight.gallery_safety import holders_too_close
from agent.errors import InternalError
from agent.lab.child import python
from agent.ports import Reference
from agent.vision.packs.manifest import Manifest

REFERENCES = 100_000
MOST_RESIDENT_MB = 300.0
MOST_COMPARED_S = 1.0
MOST_CHANGED_S = 1.0
_KEY = bytes(KEY_BYTES)
"""What the made-up references are sealed with: nobody's."""
_TIMEOUT_S = 600.0


class _Filled(SqliteRegistry):
    """Writes many holders with a reference each in one transaction, by the store's own rows."""

    def fill(self, count: int, manifest: Manifest) -> None:
        random = np.random.default_rng(1)
        sealer = self._need_sealer()

        def work() -> None:
            for number in range(count):
                drawn = random.normal(0.0, 1.0, manifest.embedder.components)
                template = np.asarray(drawn / np.linalg.norm(drawn), dtype=np.float32)
                holder = Holder(HolderId(f"h{number:06d}"), f"Holder {number}", "resident")
                self._put(holder, None)
                of = Reference(holder.id, manifest.name, manifest.version, template)
                self._insert_reference(holder.id, of, sealer)

        self._write(work)

    def _clear_damage(self, table: str, subject: str) -> None:
        """Nothing is damaged in a new file; looking for it takes longer the more rows there are."""


def large_figures(state: Path, manifest: Manifest, count: int = REFERENCES) -> dict[str, float]:
    """``rss_100k_mb`` and its peak, ``index_100k_s``, what is compared before service, one change.

    Raises:
        InternalError: the measuring process failed.
    """
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as name:
        fill(Path(name), manifest, count)
        command = python("agent.lab.bench.large", name, str(state), manifest.name)
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        raise InternalError(f"the measuring process failed: {last[0]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def fill(folder: Path, manifest: Manifest, count: int) -> None:
    """A registry in ``folder`` of so many holders, with a reference each that is like no other."""
    registry = _opened(folder)
    try:
        registry.fill(count, manifest)
    finally:
        registry.close()


def measured(folder: Path, state: Path, pack: str) -> dict[str, float]:
    """What this process has resident once it has loaded and indexed it all, and what took how long.

    Compared with itself before the gate serves is what tells the site's threshold, and a gallery
    that is small; the rest is compared in the background.
    """
    engine = open_engine(state, pack)
    registry = _opened(folder)
    try:
        index_s, snapshot = _timed(lambda: take_snapshot(registry, engine.manifest, Rates()))
        resident, peak = _resident_mb("VmRSS"), _resident_mb("VmHWM")
        index = snapshot.index
        compared_s, _ = _timed(
            lambda: site_thresholds(engine.manifest, index, registry, keep=False)
        )
        if snapshot.registry.compared:
            threshold = snapshot.registry.operating.threshold
            compared_s += _timed(lambda: holders_too_close(index, threshold))[0]
        changed_s = _changed_s(registry, engine.manifest, snapshot)
    finally:
        registry.close()
    return {
        "rss_100k_mb": resident,
        "rss_100k_peak_mb": peak,
        "index_100k_s": round(index_s, 3),
        "self_comparison_before_serving_s": round(compared_s, 3),
        "change_100k_s": round(changed_s, 3),
    }


def _changed_s(registry: SqliteRegistry, manifest: Manifest, before: Snapshot) -> float:
    """From a change of one holder's face on disk to the snapshot that has it.

    Raises:
        InternalError: all was read for it.
    """
    one = next(iter(before.registry.holders.values()))
    template = np.full(manifest.embedder.components, 0.5, dtype=np.float32)
    made = Reference(one.id, manifest.name, manifest.version, template)
    now = Instant(0.0, datetime.now(UTC), utc_trusted=True)
    registry.enrol(one, [made], by="bench", now=now)
    took_s, after = _timed(lambda: take_snapshot(registry, manifest, Rates(), before))
    if after.is_whole or len(after.index) != len(before.index):
        raise InternalError("a change of one holder was not followed")
    return took_s


def _opened(folder: Path) -> _Filled:
    return _Filled(REGISTRY.at(folder), Sealer(_KEY), new_event_id.make)


def _timed(deed: Callable[[], Any]) -> tuple[float, Any]:
    start_s = time.perf_counter()
    found = deed()
    return time.perf_counter() - start_s, found


def _resident_mb(what: str) -> float:
    """MB (10^6 bytes) of this process, as Linux tells them in /proc."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{what}:"):
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    raise InternalError(f"this system does not tell {what}")


if __name__ == "__main__":
    logs.configure("error")
    json.dump(measured(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]), sys.stdout)
