"""Puts a state that was made ready in the place of the one that is there, whole or not at all.

    .restore/new made ready, flushed --> .restore/ready.json, durable --> old files to .restore/old
                                                        --> new files to their places --> gone

The folder itself may be a mount point, or lie where only root makes folders, so it is not exchanged
by one rename. Killed before ``ready.json`` is there, nothing was changed. Killed afterwards, the
next start of the agent, or the next restore, ends it: each step finds what the one before it did.
Until then no command goes by the folder (``refuse_unfinished``).
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import structlog

from agent.app.open.files.running import held
from agent.app.open.files.state import (
    BROKEN_REMAINS,
    FOLDER_MODE,
    JOURNAL_BROKEN,
    JOURNAL_MARK,
    KEY,
    KEY_NEXT,
    REGISTRY_INCOMING,
    RESTORE,
    RULES,
    SEALING_KEY,
    SIGNING_KEY,
    SIGNING_KEY_NEXT,
    TOMBSTONE_KEY,
    Copy,
    Row,
    row_of,
)
from agent.domain.foreign.json_text import read_json
from agent.errors import StoreError, UnavailableError
from agent.operations.files import Handed, sync_folder, write_whole

_log = structlog.get_logger(__name__)

_STAGE, _NEW, _OLD, _READY = ".restore", "new", "old", "ready.json"
_KEYS = (KEY, KEY_NEXT, TOMBSTONE_KEY, SIGNING_KEY, SEALING_KEY)
_ITS_OWN = (JOURNAL_MARK, REGISTRY_INCOMING, RULES, SIGNING_KEY_NEXT)
"""What belongs to the state that goes, and has no copy: it would speak of files that are gone."""
_STAYS = (JOURNAL_BROKEN, BROKEN_REMAINS)
"""Nothing goes by it, and it is in no other place."""


def is_unfinished(state: Path) -> bool:
    """Whether a restore was cut short once it had begun to change the folder."""
    return os.path.lexists(state / _STAGE / _READY)


def refuse_unfinished(state: Path) -> None:
    """Nothing, where the folder is whole.

    Raises:
        UnavailableError: a restore of it was cut short.
    """
    if is_unfinished(state):
        fix = "start the agent, which ends it: systemctl start gate-agent; or repeat the restore"
        raise UnavailableError(f"a restore of {state} was cut short", fix)


@contextlib.contextmanager
def stage(state: Path) -> Iterator[Path]:
    """An empty folder to make a state ready in, gone at the end unless ``commit`` was asked.

    To be used by whoever holds the folder's lock.

    Raises:
        StoreError: the folder cannot be written.
    """
    new = state / _STAGE / _NEW
    try:
        clear(state)
        for folder in (state / _STAGE, new, state / _STAGE / _OLD):
            folder.mkdir(mode=FOLDER_MODE)
        yield new
    finally:
        if not is_unfinished(state):
            clear(state)


def commit(state: Path, keep: Sequence[Row]) -> None:
    """What was made ready takes the place of what is there, but for files of the rows ``keep``.

    A folder that was not made ready stays as it is.

    Raises:
        StoreError: the folder cannot be written; repeated, it is ended.
    """
    new = state / _STAGE / _NEW
    try:
        for folder, folders, files in os.walk(new):
            for name in files:
                _flush(Path(folder) / name)
            for name in folders:
                sync_folder(Path(folder) / name)
            sync_folder(Path(folder))
        placed = sorted(one.name for one in new.iterdir())
        gone = sorted(one.name for one in state.iterdir() if _goes(one.name, placed, keep))
        sync_folder(state / _STAGE)
        plan = json.dumps({"gone": gone, "placed": placed}).encode()
        write_whole(plan, state / _STAGE / _READY, handed=_owner_of(state))
        sync_folder(state / _STAGE)
        sync_folder(state)
    except OSError as error:
        raise _unwritten(state, error) from error
    end_restore(state)


def end_cut_short(state: Path) -> None:
    """At a start, before anything goes by the folder: end a restore, or remove what is left of one.

    Raises:
        StoreError: as ``end_restore`` raises it.
        UnavailableError: somebody holds the folder.
    """
    if os.path.lexists(state / _STAGE):
        fix = "let the restore end; or stop the agent: systemctl stop gate-agent"
        with held(state, UnavailableError(f"somebody else works on {state}", fix)):
            if end_restore(state):
                _log.warning("restore_ended", state=str(state))


def end_restore(state: Path) -> bool:
    """End a restore that was cut short, where there is one; by whoever holds the folder's lock.

    Raises:
        StoreError: the folder cannot be written, or what was made ready cannot be read.
    """
    place = state / _STAGE
    if not os.path.lexists(place):
        return False
    if not is_unfinished(state):
        clear(state)
        return False
    try:
        plan = read_json((place / _READY).read_bytes())
        for name in plan["gone"]:
            # There already: what has that name now is the new one.
            if os.path.lexists(state / name) and not os.path.lexists(place / _OLD / name):
                os.rename(state / name, place / _OLD / name)  # noqa: PTH104 - as all moves here
        for name in plan["placed"]:
            if os.path.lexists(place / _NEW / name):
                os.rename(place / _NEW / name, state / name)  # noqa: PTH104 - as all moves here
        sync_folder(state)
        os.unlink(place / _READY)  # noqa: PTH108 - as all moves here
        sync_folder(place)
    except OSError as error:
        raise _unwritten(state, error) from error
    except (ValueError, KeyError, TypeError) as error:
        fix = f"remove {place} and restore once more"
        raise StoreError("what a restore was to do cannot be read", fix) from error
    clear(state)
    return True


def clear(state: Path) -> None:
    """Remove what is left of a restore that changed nothing, or has ended.

    Keys are overwritten: a memory card may keep a copy of its own all the same.

    Raises:
        StoreError: the folder cannot be written.
    """
    place = state / _STAGE
    try:
        if place.is_dir() and not place.is_symlink():
            for row in _KEYS:
                _overwrite(place / _OLD / row.name)
            shutil.rmtree(place)
        elif os.path.lexists(place):
            place.unlink()
    except OSError as error:
        raise _unwritten(state, error) from error


def _goes(name: str, placed: Sequence[str], keep: Sequence[Row]) -> bool:
    row = row_of(PurePath(name))
    if row is None or row in keep or row in _STAYS:
        return False
    if row.copy is Copy.FOLDER:
        return name in placed
    return row.copy is not Copy.NONE or row in _ITS_OWN


def _owner_of(state: Path) -> Handed:
    """Root may restore what the agent then ends."""
    owner = state.stat()
    if os.geteuid() != 0:
        return Handed(-1, -1, RESTORE.mode)
    return Handed(owner.st_uid, owner.st_gid, RESTORE.mode)


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _overwrite(key: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(key, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            left = os.fstat(descriptor)
            if left.st_nlink == 1:
                os.pwrite(descriptor, bytes(left.st_size), 0)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unwritten(state: Path, error: OSError) -> StoreError:
    fix = f"make {state} writable for this user, and free space; then repeat the restore"
    return StoreError(f"{state} cannot be written: {error.strerror or error}", fix)
