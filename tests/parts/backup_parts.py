"""Kiosks with something in them, their backups, and a backup that no agent makes."""

import atexit
import functools
import io
import json
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from state_parts import Files, lived, opened
from store_parts import BY, NOW, holder

from agent.app.desk.care.backup import Made, back_up
from agent.app.desk.care.restore import Restored, Wish, restore
from agent.app.desk.care.restore import opened as opened_backup
from agent.app.open.files.keys import make_missing
from agent.app.open.files.state import KEY
from agent.app.open.site import Site, site_of
from agent.operations.care.vault import Cost, VaultWriter

WORDS = "correct horse battery staple"
CHEAP = Cost(10)


def no_advance(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def kiosk(folder: Path, *holders: str) -> Site:
    """A kiosk whose agent ran and ended, with its keys and these people."""
    shutil.copytree(_kiosk_once(*holders), folder)
    site = site_of(folder, None)
    # Each has its own, and what is remembered of the journal is of another file.
    make_missing(site)
    return site


@functools.cache
def _kiosk_once(*holders: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gate-kiosk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    KEY.at(folder).write_text(f"{bytes(range(32)).hex()}\n")
    KEY.at(folder).chmod(0o600)
    lived(folder)
    with opened(folder) as files:
        for one in holders:
            files.registry.put(holder(one), by=BY, now=NOW)
        files.installation.settle()
    return folder


def backed_up(site: Site, file: Path, **more: Any) -> Made:
    return back_up(site, file, WORDS, no_advance, cost=CHEAP, **more)


def put_back(site: Site, file: Path, wish: Wish | None = None) -> Restored:
    with opened_backup(file, lambda: WORDS) as archive:
        size = file.stat().st_size
        return restore(site, archive, size, wish or Wish(by=BY), no_advance)


@contextmanager
def started(site: Site) -> Iterator[Files]:
    """The stores as the agent opens them at its start."""
    with opened(site.state) as files:
        yield files


def people(site: Site) -> set[str]:
    with started(site) as files:
        return {str(one.id) for one in files.registry.holders()}


def record(said: object) -> bytes:
    text = json.dumps(said).encode()
    return struct.pack(">I", len(text)) + text


def forged(file: Path, files: Mapping[str, bytes]) -> None:
    """A backup with these files, rightly sealed."""
    stream = io.BytesIO()
    vault = VaultWriter(stream, WORDS, CHEAP)
    about = {"format": 1, "agent": "1", "kiosk": None, "keys": None, "clock_trusted": True}
    vault.write(record({**about, "made": "2026-05-06T12:00:00.000Z"}))
    for name, content in files.items():
        vault.write(record({"name": name, "size": len(content)}) + content)
    vault.write(record({"end": len(files)}))
    vault.close()
    file.write_bytes(stream.getvalue())


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder but the lock, by their place in it."""
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file() and one.name != "agent.lock"
    }
