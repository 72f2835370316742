"""The journal's file: opened, begun anew when broken or put back, followed when it is moved."""

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from agent.adapters.store.record import salvage
from agent.adapters.store.record.rows import (
    EVENT_COLUMNS,
    NO_LINK,
    chained_values,
    inserted,
    unchained_values,
)
from agent.adapters.store.record.stream_mark import StreamMark
from agent.adapters.store.record.tally import keep_tally
from agent.adapters.store.sqlite import (
    CorruptError,
    file_identity,
    guarded,
    open_database,
    transaction,
)
from agent.domain.record.events import Event
from agent.errors import StoreError

APPLICATION_ID = 0x67_41_6A_6C  # "gAjl"
_STEPS = (
    """
    CREATE TABLE stream (epoch TEXT NOT NULL, last_sequence INTEGER NOT NULL);
    CREATE TABLE event (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        epoch TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        time TEXT NOT NULL,
        clock_synced INTEGER NOT NULL,
        access_point TEXT,
        data TEXT NOT NULL,
        state INTEGER NOT NULL DEFAULT 0,
        refusal TEXT,
        UNIQUE (epoch, sequence)
    );
    CREATE INDEX pending ON event (row) WHERE state = 0;
    """,
    """
    ALTER TABLE stream ADD COLUMN source TEXT;
    ALTER TABLE stream ADD COLUMN link BLOB;
    ALTER TABLE event ADD COLUMN source TEXT;
    ALTER TABLE event ADD COLUMN previous BLOB;
    ALTER TABLE event ADD COLUMN salt BLOB;
    ALTER TABLE event ADD COLUMN commitments TEXT;
    CREATE TABLE forgotten (epoch TEXT PRIMARY KEY, last_sequence INTEGER NOT NULL);
    INSERT INTO forgotten SELECT epoch, max(sequence) FROM event GROUP BY epoch;
    INSERT OR REPLACE INTO forgotten SELECT epoch, last_sequence FROM stream;
    """,
)
FORMAT = len(_STEPS)
"""The file's form; an agent that knows fewer refuses it."""
_INTO_EVENT = f"INTO event ({EVENT_COLUMNS}) VALUES ({', '.join('?' * 12)})"
_FORGOTTEN = """
    INSERT INTO forgotten VALUES (?, ?) ON CONFLICT DO UPDATE
    SET last_sequence = max(last_sequence, excluded.last_sequence)
"""
_PAGE_BYTES = 1024
"""Of a new file. A row touches eight pages, and each goes whole into the log: with pages of 4096
bytes more than twice as much is written to the disk."""
_LOG_BYTES = 4_096_000
T = TypeVar("T")


class JournalFile:
    """One connection behind a lock; work on it survives a broken or moved file."""

    def __init__(
        self,
        path: Path,
        set_aside: Callable[[str], Event],
        past: tuple[str, int] | None = None,
        source: str | None = None,
    ) -> None:
        """Open or make the file at ``path``; ``SqliteJournal`` says what the others do.

        Raises:
            StoreError: it is locked, not writable, or not ours.
        """
        self.path = path
        self.lock = threading.RLock()
        self.least_row = 0
        """Rows of a file begun from now on have higher numbers."""
        self.generation = 0
        """Rises with each file that is opened."""
        self._note_set_aside = set_aside
        self._past = past
        self._source = source
        self._identity: tuple[int, int] | None = None
        self._mark: StreamMark | None = None
        self._opened: sqlite3.Connection | None = None
        self._closed = False
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work``'s answer; where the file proves broken, its answer on a new one.

        Raises:
            StoreError: the file is locked, full, not writable, closed, or may not be set aside.
        """
        with self.lock:
            if self._closed:
                raise StoreError(f"{self.path.name} is closed")
            connection = self._current()
            try:
                return guarded(self.path, lambda: work(connection))
            except CorruptError:
                self._set_aside()
            connection = self._connect()
            return guarded(self.path, lambda: work(connection))

    def moved(self) -> bool:
        """Whether another file, or none, stands where this one was opened."""
        return file_identity(self.path) != self._identity

    def insert(self, connection: sqlite3.Connection, event: Event) -> tuple[str, int]:
        """Add ``event`` within the transaction; its epoch and sequence number."""
        row = connection.execute("SELECT epoch, last_sequence, link, source FROM stream").fetchone()
        epoch, last, link = row[0].decode(), int(row[1]), row[2]
        before = None if row[3] is None else row[3].decode()
        source = self._source or before
        if before not in (None, source):
            # The kiosk stands elsewhere: what it says there is another stream.
            epoch, last, link = _new_epoch(), 0, None
        place = epoch, last + 1
        if source is None:
            # Nobody has said yet where the kiosk stands: as before there was a chain.
            columns = unchained_values(event, *place)
        else:
            columns, link = chained_values(event, source, *place, link or NO_LINK)
        connection.execute(f"INSERT {_INTO_EVENT}", columns)
        connection.execute(
            "UPDATE stream SET epoch = ?, last_sequence = ?, link = ?, source = ?",
            (*place, link, source),
        )
        return place

    def mark(self, epoch: str, sequence: int) -> None:
        """``sequence`` is committed. A mark that fails only lags: an older copy might pass."""
        if self._mark is not None and self._identity is not None:
            with contextlib.suppress(StoreError):
                self._mark.write(epoch, self._identity[1], sequence)

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        with self.lock:
            self._closed = True
            self._leave()
            if self._mark is not None:
                self._mark.close()
                self._mark = None

    def _current(self) -> sqlite3.Connection:
        if self._opened is None:
            return self._connect()
        if not self.moved():
            return self._opened
        # Another process set it aside, or somebody took it away: what is still to be sent is read
        # through the open connection. Nothing that is there already comes twice.
        rows = salvage.unpublished(self._opened)
        self._leave()
        connection = self._connect()
        self._take(connection, rows)
        return connection

    def _connect(self) -> sqlite3.Connection:
        for aside in salvage.unfinished(self.path):
            self._note_set_aside("")
            salvage.move(self.path, aside)
        try:
            connection = self._open()
        except CorruptError:
            self._set_aside()
            connection = self._open()
        self._opened = connection
        self._identity = file_identity(self.path)
        self.generation += 1
        for aside in salvage.unfinished(self.path):
            self._bring_along(connection, aside)
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = open_database(self.path, APPLICATION_ID, _STEPS, page_bytes=_PAGE_BYTES)
        try:
            connection.text_factory = bytes
            guarded(self.path, lambda: keep_tally(connection))
            guarded(self.path, lambda: _bound_log(connection))
            guarded(self.path, lambda: self._begin_stream(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin_stream(self, connection: sqlite3.Connection) -> None:
        if self._mark is None:
            self._mark = StreamMark(self.path)
        identity = file_identity(self.path)
        inode = 0 if identity is None else identity[1]
        if not self._goes_on(connection, inode):
            with transaction(connection):
                # Looked up again: another process may have been faster.
                if not self._goes_on(connection, inode):
                    epoch = _new_epoch()
                    known = connection.execute("SELECT source FROM stream").fetchone()
                    source = None if known is None or known[0] is None else known[0].decode()
                    connection.execute("DELETE FROM stream")
                    begin = "INSERT INTO stream (epoch, last_sequence, source) VALUES (?, 0, ?)"
                    connection.execute(begin, (epoch, source))
                    self._mark.write(epoch, inode, 0)
        if self.least_row:
            _raise_row_numbers(connection, self.least_row)

    def _goes_on(self, connection: sqlite3.Connection, inode: int) -> bool:
        row = connection.execute("SELECT epoch, last_sequence FROM stream").fetchone()
        return (
            row is not None
            and self._mark is not None
            and self._mark.fits(row[0].decode(), inode, row[1])
        )

    def _set_aside(self) -> None:
        """Move the broken file; first of all whoever may not do so hears it."""
        salvage.begin(self.path, self._note_set_aside("").time)
        for aside in salvage.unfinished(self.path):
            salvage.move(self.path, aside)
        # Only now: SQLite leaves a moved file as it is, where it would tidy up one in its place.
        self._leave()

    def _leave(self) -> None:
        if self._opened is not None:
            with contextlib.suppress(sqlite3.Error):
                self._opened.close()
            self._opened = None

    def _bring_along(self, connection: sqlite3.Connection, aside: Path) -> None:
        rows: list[tuple[Any, ...]] = []
        with contextlib.suppress(*salvage.UNREADABLE, OSError), salvage.opened(aside) as broken:
            self.least_row = max(self.least_row, salvage.highest_row(broken))
            rows = salvage.unpublished(broken)
        if self._past is not None:
            self.least_row = max(self.least_row, self._past[1])
        guarded(self.path, lambda: _raise_row_numbers(connection, self.least_row))
        self._take(connection, rows, aside.name)
        salvage.finish(aside)

    def _take(
        self,
        connection: sqlite3.Connection,
        rows: Iterable[tuple[Any, ...]],
        set_aside: str | None = None,
    ) -> None:
        """Rows of another file, and the note about it, in one transaction."""

        def work() -> None:
            with transaction(connection):
                if set_aside is not None and self._past is not None:
                    connection.execute("UPDATE standing SET identity = ?", (self._past[0],))
                for row in rows:
                    columns = inserted(row)
                    connection.execute(f"INSERT OR IGNORE {_INTO_EVENT}", columns)
                    # What the broker has by now stayed behind.
                    forgotten(connection, columns[:2])
                if set_aside is not None:
                    note = self._note_set_aside(set_aside)
                    known = "SELECT 1 FROM event WHERE type = ? AND instr(data, ?)"
                    if not connection.execute(known, (note.type.value, set_aside)).fetchone():
                        self.insert(connection, note)

        guarded(self.path, work)


def forgotten(connection: sqlite3.Connection, place: tuple[object, ...]) -> None:
    """Up to ``place`` (epoch, sequence) not every event is in this file any more."""
    connection.execute(_FORGOTTEN, place)


def _bound_log(connection: sqlite3.Connection) -> None:
    """Carry the log into the file once it has so many bytes, whatever a page has."""
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_BYTES // page_bytes}")


def _new_epoch() -> str:
    return secrets.token_hex(8)


def _raise_row_numbers(connection: sqlite3.Connection, least: int) -> None:
    with transaction(connection):
        connection.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'event', 0"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event')"
        )
        connection.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'event'", (least,)
        )
