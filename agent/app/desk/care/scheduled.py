"""The backup that the config asks for: into its folder, the oldest go, and what became of it stays.

A stick that is not there leaves an empty folder on the card itself, so what lies on the disk of the
state is refused unless the config allows it. Nothing is removed before the new one is whole.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.desk.care.backup import Advance, Made, back_up, would_be
from agent.app.open.files.backups import keep_backup, kept_backup
from agent.app.open.site import Site, instant
from agent.config.tables.store import BackupConfig
from agent.domain.record.backup import KeptBackup
from agent.errors import GateAgentError, RefusedError, UnavailableError
from agent.operations.files import sync_folder

CREDENTIAL = "backup.passphrase"
"""What systemd calls the passphrase that it hands to the timer's unit."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A backup that was made, where it lies, and which older ones went."""

    file: Path
    made: Made
    removed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return {"file": str(self.file), **self.made.as_json(), "removed": list(self.removed)}


def settings_of(site: Site) -> BackupConfig:
    """What the config says of backups.

    Raises:
        RefusedError: ``no_folder``: nothing.
    """
    if site.store.backup is None:
        fix = "gate-agent backup FILE; or set folder under [store.backup]"
        raise RefusedError("no_folder", f"neither FILE nor config says where it goes\nFix: {fix}")
    return site.store.backup


def passphrase_file(site: Site) -> Path | None:
    """Where the passphrase lies: as the config says, else as systemd hands it over."""
    said = settings_of(site).passphrase_file
    if said is not None:
        return _beside(site, said)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    handed = None if folder is None else Path(folder) / CREDENTIAL
    return handed if handed is not None and handed.is_file() else None


def back_up_by_config(site: Site, passphrase: Callable[[], str], advance: Advance) -> Scheduled:
    """Make it, forget the oldest, and note what became of it, also where it failed.

    Raises:
        RefusedError, KeyUnavailableError, StoreError, UnavailableError: as ``back_up``; there is no
            such folder, or it lies on the state's own disk.
    """
    settings = settings_of(site)
    try:
        file = _file(site)
        made = back_up(site, file, passphrase(), advance, models=settings.models)
        removed = _forget(file, settings.keep)
    except GateAgentError as error:
        said = str(error).partition("\n")[0]
        keep_backup(site.state, KeptBackup(kept_backup(site.state).made, said))
        raise
    keep_backup(site.state, KeptBackup(instant(site).utc, None))
    return Scheduled(file, made, removed)


def would_be_by_config(site: Site) -> Scheduled:
    """What ``back_up_by_config`` would make; nothing is written or noted.

    Raises:
        RefusedError, KeyUnavailableError, StoreError, UnavailableError: as there.
    """
    file = _file(site)
    return Scheduled(file, would_be(site, file, models=settings_of(site).models))


def _file(site: Site) -> Path:
    settings = settings_of(site)
    folder = _beside(site, settings.folder)
    if not folder.is_dir():
        fix = "plug the disk in and mount it; the folder is never made"
        raise UnavailableError(f"{folder} is not there", fix)
    if not settings.same_disk and folder.stat().st_dev == site.state.stat().st_dev:
        fix = "plug in and mount what belongs there; or same_disk = true under [store.backup]"
        raise UnavailableError(f"{folder} lies on the disk of the state", fix)
    if not os.access(folder, os.W_OK | os.X_OK):
        fix = "give it to the user gate-agent; the unit's ReadWritePaths names it: docs/care.md"
        raise UnavailableError(f"{folder} cannot be written", fix)
    return folder / f"{_begin(site)}{instant(site).utc:%Y%m%dT%H%M%SZ}.gate"


def _begin(site: Site) -> str:
    # No name of a community, grid or kiosk has a plus in it.
    return site.source.removeprefix("/gate/").replace("/", "+") + "-"


def _forget(newest: Path, keep: int) -> tuple[str, ...]:
    """Remove all but the newest of this kiosk, and what a power cut left of one."""
    begin = re.escape(newest.name[: -len("20261128T123000Z.gate")])
    ours = re.compile(rf"{begin}\d{{8}}T\d{{6}}Z\.gate")
    drafts = re.compile(rf"\.{begin}\d{{8}}T\d{{6}}Z\.gate\..{{8}}")
    names = sorted(one.name for one in newest.parent.iterdir())
    # Made by a clock that was wrong it may not be the last by its name, and stays all the same.
    older = [one for one in names if ours.fullmatch(one) and one != newest.name]
    gone = older[: max(len(older) - (keep - 1), 0)]
    try:
        for name in (*gone, *(one for one in names if drafts.fullmatch(one))):
            (newest.parent / name).unlink()
        sync_folder(newest.parent)
    except OSError as error:
        said = f"an older one in {newest.parent} cannot be removed: {error.strerror}"
        raise UnavailableError(said, "give it to the user gate-agent") from error
    return tuple(gone)


def _beside(site: Site, said: Path) -> Path:
    assert site.config is not None
    return site.config.parent / said
