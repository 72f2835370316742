"""Sets a broken journal aside, and finds what can still be read in it.

    judged broken --> marker made --> log, database, index renamed --> new journal made
                                                                           |
        marker removed <-- unpublished rows and the note about it, in one transaction

Killed anywhere in between, the marker makes the next start go on. What was set aside goes when all
events in it are older than the journal keeps them.
"""

import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.adapters.store.names import BROKEN, INDEX, LOG
from agent.adapters.store.record.rows import COLUMNS, COLUMNS_BEFORE_CHAIN, PENDING, stored
from agent.adapters.store.sqlite import CorruptError, sync_folder
from agent.errors import StoreError

_MARKER = ".unfinished"
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_CHARS = len("20260506T120000Z")
_LONGEST_S = 10.0
_LARGEST_ROW = 1 << 48
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a broken database raises: SQLite quotes a schema that may be no UTF-8."""


def begin(journal: Path, moment: datetime) -> None:
    """Resolve to set ``journal`` aside, under a name with ``moment`` in it.

    Raises:
        StoreError: the folder cannot be written.
    """
    stamp = f"{moment.astimezone(UTC).strftime(_STAMP)}-{secrets.token_hex(2)}"
    marker = journal.with_name(f"{journal.name}{BROKEN}{stamp}{_MARKER}")
    try:
        os.close(os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        sync_folder(journal.parent)
    except OSError as error:
        fix = f"make {journal.parent} writable for this user, and free space there"
        message = f"{journal.name} is damaged and cannot be set aside: {error.strerror}"
        raise StoreError(message, fix) from error


def unfinished(journal: Path) -> list[Path]:
    """The names of journals that are to be, or were, set aside and not yet read out."""
    markers = sorted(journal.parent.glob(f"{journal.name}{BROKEN}*{_MARKER}"))
    return [marker.with_name(marker.name.removesuffix(_MARKER)) for marker in markers]


def move(journal: Path, aside: Path) -> None:
    """Rename the broken files, where that is not done yet.

    Raises:
        StoreError: they cannot be renamed.
    """
    if aside.exists():
        return
    try:
        # The database last of the two: while it stands, the log belongs to it.
        for suffix in (LOG, "", INDEX):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{journal}{suffix}").rename(f"{aside}{suffix}")
        sync_folder(journal.parent)
    except OSError as error:
        message = f"{journal.name} is damaged and cannot be set aside: {error.strerror}"
        raise StoreError(message, f"make {journal.parent} writable for this user") from error


def forget(journal: Path, before: datetime) -> int:
    """Delete journals that were set aside, and read out, before this moment; how many."""
    forgotten = 0
    for file in sorted(journal.parent.glob(f"{journal.name}{BROKEN}*")):
        name = file.name.removesuffix(LOG).removesuffix(INDEX).removesuffix(_MARKER)
        aside = file.with_name(name)
        at = _set_aside_at(journal, aside)
        if at is None or at >= before or aside.with_name(f"{aside.name}{_MARKER}").exists():
            continue
        # One that cannot be deleted now is found again at the next call.
        with contextlib.suppress(OSError):
            file.unlink()
            forgotten += file == aside
    return forgotten


def _set_aside_at(journal: Path, aside: Path) -> datetime | None:
    """The moment in its name; None where the name is none of ours."""
    stamp = aside.name.removeprefix(f"{journal.name}{BROKEN}")[:_STAMP_CHARS]
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def finish(aside: Path) -> None:
    """All that could be read of ``aside`` is in the new journal."""
    Path(f"{aside}{_MARKER}").unlink(missing_ok=True)


@contextlib.contextmanager
def opened(aside: Path) -> Iterator[sqlite3.Connection]:
    """``aside`` for reading only: it stays as it is, to the byte.

    Raises:
        sqlite3.Error: it cannot be opened at all; so may a UnicodeDecodeError say.
    """
    if aside.stat().st_size == 0:
        # SQLite would delete the log beside it.
        raise sqlite3.DatabaseError("empty")
    uri = f"{aside.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.text_factory = bytes
        yield connection


def highest_row(connection: sqlite3.Connection) -> int:
    """The last row number given, 0 where that cannot be read."""
    try:
        row = connection.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
        return row[0] if isinstance(row[0], int) and 0 <= row[0] < _LARGEST_ROW else 0
    except UNREADABLE:
        return 0


def unpublished(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Rows of ``COLUMNS`` not yet acknowledged, in order, as far as they can be read.

    Any page may be the bad one: the rows are looked for by the index and by the table, from either
    end, and each is read by itself. It takes no longer than some seconds.
    """
    ends_s = time.monotonic() + _LONGEST_S
    connection.set_progress_handler(lambda: int(time.monotonic() > ends_s), 10_000)
    numbers: set[int] = set()
    for source in ("INDEXED BY pending", "NOT INDEXED"):
        for order in ("ASC", "DESC"):
            query = f"SELECT row FROM event {source} WHERE state = 0 ORDER BY row {order}"  # noqa: S608 - constants
            with contextlib.suppress(*UNREADABLE):
                for (number,) in connection.execute(query):
                    numbers.add(number)
    rows, columns = [], _columns(connection)
    for number in sorted(numbers):
        with contextlib.suppress(*UNREADABLE, CorruptError):
            query = f"SELECT {columns} FROM event NOT INDEXED WHERE row = ?"  # noqa: S608 - constants
            row = connection.execute(query, (number,)).fetchone()
            if row is not None and row[-1] == PENDING:
                stored(row)
                rows.append(row)
    connection.set_progress_handler(None, 0)
    return rows


def _columns(connection: sqlite3.Connection) -> str:
    """``COLUMNS``; in a file from before the chain without what belongs to it."""
    with contextlib.suppress(*UNREADABLE):
        if connection.execute("PRAGMA user_version").fetchone()[0] == 1:
            return COLUMNS_BEFORE_CHAIN
    return COLUMNS
