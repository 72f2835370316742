"""Opens our SQLite files: write-ahead log, private to their owner, and surely ours."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from agent.errors import StoreError

BUSY_TIMEOUT_S = 2.0
_LARGEST_CHECKED_BYTES = 64_000_000
T = TypeVar("T")


class CorruptError(StoreError):
    """The file is no database, or a broken one; what was in it may be lost."""


def open_database(path: Path, application_id: int, steps: Sequence[str]) -> sqlite3.Connection:
    """The database at ``path``, made or brought up to date by ``steps``.

    Each step is a script that was released once and never changes; ``user_version`` counts those
    applied. Synchronous is NORMAL: a commit survives the process's death; a power failure may take
    the newest ones, until the log is flushed.

    Raises:
        CorruptError: it is no database, or a broken one.
        StoreError: it is locked, not writable, not ours, or of a newer agent.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _touch(path)
    except OSError as error:
        fix = f"make {path.parent} writable for this user, or name another --state-dir"
        raise StoreError(f"{path} cannot be written: {error.strerror or error}", fix) from error
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        guarded(path, lambda: _prepare(path, connection, application_id, steps))
    except BaseException:
        connection.close()
        raise
    return connection


def _touch(path: Path) -> None:
    """Make the file where there is none, because sqlite3 would make it readable by others.

    One that exists is not opened: closing it would drop the locks that SQLite holds for this
    process's other connections to it.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def guarded(path: Path, work: Callable[[], T]) -> T:
    """``work``'s answer, its sqlite3 errors as ours.

    Raises:
        CorruptError: the file is broken.
        StoreError: it is locked, full or not writable.
    """
    try:
        return work()
    except sqlite3.OperationalError as error:
        text = str(error)
        fix = None
        if "locked" in text or "busy" in text:
            fix = "another process holds it; try again, or see who does: fuser " + path.name
        elif "full" in text:
            fix = "free space on the disk"
        elif "readonly" in text or "unable to open" in text:
            fix = f"make {path.parent} writable for this user"
        raise StoreError(f"{path.name}: {text}", fix) from error
    except sqlite3.DatabaseError as error:
        raise CorruptError(f"{path.name} is damaged: {error}") from error


def _prepare(
    path: Path, connection: sqlite3.Connection, application_id: int, steps: Sequence[str]
) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found != application_id and (found or tables):
        raise StoreError(f"{path} is a database of something else", "move it away")
    if version > len(steps):
        fix = "install the agent that wrote it, or a newer one"
        raise StoreError(f"{path.name} is of a newer agent (version {version})", fix)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    if version < len(steps):
        _migrate(connection, application_id, steps)
    if path.stat().st_size <= _LARGEST_CHECKED_BYTES:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)


def _migrate(connection: sqlite3.Connection, application_id: int, steps: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Looked up again: another process may have been faster.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in steps[version:]:
            for statement in step.split(";"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
