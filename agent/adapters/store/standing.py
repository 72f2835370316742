"""Whose a database of ours is and how far it has come: read, stamped and flushed by its path.

Every database carries the identity of its installation and a counter that rises with each change
that grants or forbids something; the journal's is its last row's number. Beside them stands what
the installation remembers of the other files, for the day when its own file is gone. All of it is
done by connections of their own, so that no store waits; a database itself is never opened by
anything but SQLite, because closing it would drop the locks of this process's stores (POSIX).
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from agent.adapters.store.names import LOG
from agent.adapters.store.owners import told
from agent.adapters.store.sqlite import (
    BUSY_TIMEOUT_S,
    STANDING,
    guarded,
    no_file,
    sync_folder,
    transaction,
)
from agent.errors import StoreError

_NO_DATABASE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
Remembered = Mapping[str, tuple[str, int]]
"""By file: the identity that it had, and a counter that it has reached at least."""


class Presence(Enum):
    """What stands at a file's place."""

    MISSING = "missing"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    THERE = "there"


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is; ``identity`` None where it carries none, as one of an earlier version.

    ``log`` says that SQLite's log stands beside it and is not empty; ``damaged`` of one that is
    unreadable, that it stays so: it is no file, no database, or a broken one.
    """

    presence: Presence
    identity: str | None = None
    counter: int = 0
    remembered: Remembered = field(default_factory=dict)
    log: bool = False
    damaged: bool = False


def examine(path: Path) -> Found:
    """What stands at ``path``, changing nothing.

    Raises:
        StoreError: this user may not know.
    """
    try:
        if no_file(path) is not None:
            return Found(Presence.UNREADABLE, damaged=True)
    except OSError as error:
        raise _unknown(path, error) from error
    log = bool(_size(Path(f"{path}{LOG}")))
    size = _size(path)
    if size is None:
        return Found(Presence.MISSING, log=log)
    if size == 0:
        return Found(Presence.EMPTY, log=log)
    try:
        # Where no log waits it closes as SQLite's writers do, which leaves no file beside it; with
        # one, that would write the log into the database.
        with _opened(path, "ro" if log else "rw") as connection:
            return _read(connection)
    except sqlite3.Error as error:
        # Whoever opens it says what is wrong with it; it may only be busy now.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
        return Found(Presence.UNREADABLE, log=log, damaged=code in _NO_DATABASE)
    except (ValueError, TypeError, OverflowError):
        return Found(Presence.UNREADABLE, log=log, damaged=True)


def stamp(path: Path, identity: str | None) -> None:
    """The file is of this installation from now on, or with None of none.

    Raises:
        StoreError: it is locked, broken or not writable.
    """
    _write(path, lambda one: one.execute("UPDATE standing SET identity = ?", (identity,)))


def keep_beside(path: Path, remembered: Remembered) -> None:
    """Write into the file what is remembered of the others.

    Raises:
        StoreError: it is locked, broken or not writable.
    """
    rows = [(name, identity, counter) for name, (identity, counter) in remembered.items()]
    statement = "INSERT OR REPLACE INTO remembered VALUES (?, ?, ?)"
    _write(path, lambda one: one.executemany(statement, rows))


def forget_beside(path: Path, name: str) -> None:
    """Let the file remember nothing of ``name``; of all others, where that is itself.

    Raises:
        StoreError: it is locked, broken or not writable.
    """
    which = "file = ?" if name != path.name else "? IS NOT NULL"
    statement = f"DELETE FROM remembered WHERE {which}"  # noqa: S608 - constants
    _write(path, lambda one: one.execute(statement, (name,)))


def flush(path: Path) -> None:
    """What was committed to the file survives a power failure from now on.

    Raises:
        StoreError: its log cannot be flushed.
    """
    try:
        descriptor = os.open(f"{path}{LOG}", os.O_RDONLY)
    except FileNotFoundError:
        return  # without a log everything is in the database
    except OSError as error:
        raise _unflushed(path, error) from error
    try:
        os.fdatasync(descriptor)
    except OSError as error:
        raise _unflushed(path, error) from error
    finally:
        os.close(descriptor)


def flush_name(path: Path) -> None:
    """The names of the file and its log survive a power failure from now on.

    Raises:
        StoreError: the folder cannot be flushed.
    """
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise _unflushed(path, error) from error


def _unflushed(path: Path, error: OSError) -> StoreError:
    fix = "the disk may be failing; see what dmesg says"
    return StoreError(f"{path.name} cannot be flushed: {error.strerror}", fix)


def _read(connection: sqlite3.Connection) -> Found:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    tables = {name for (name,) in connection.execute(query)}
    if not {"standing", "remembered"} <= tables:
        return Found(Presence.THERE)
    row = connection.execute("SELECT identity, counter FROM standing").fetchone()
    identity, counter = (None, 0) if row is None else (row[0], int(row[1]))
    if "event" in tables:
        newest = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'event'")
        counter = int(newest.fetchone()[0] or 0)
    known = connection.execute("SELECT file, identity, counter FROM remembered")
    others = {str(name): (str(whose), int(count)) for name, whose, count in known}
    return Found(Presence.THERE, identity, counter, others)


def _write(path: Path, work: Callable[[sqlite3.Connection], Any]) -> None:
    def change() -> None:
        with _opened(path, "rw") as connection:
            # A commit survives the process; what must survive the power is flushed by itself.
            connection.execute("PRAGMA synchronous = NORMAL")
            with transaction(connection):
                for statement in STANDING:
                    connection.execute(statement)
                work(connection)

    guarded(path, change)


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    with contextlib.closing(connection):
        yield connection


def _size(path: Path) -> int | None:
    """None where nothing stands there.

    Raises:
        StoreError: this user may not know.
    """
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unknown(path, error) from error


def _unknown(path: Path, error: OSError) -> StoreError:
    fix = "run as the user who owns the state directory, or name another --state-dir"
    said, fix = told(path, "read", error, fix)
    return StoreError(said, fix)
