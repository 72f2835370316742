"""The journal: what happened, in order, in one SQLite file.

    append --commit (WAL)--> row --fsync of the log--> durable --broker's PUBACK--> published

A sequence number is given inside the write transaction, so several processes may append; the last
one given is kept apart from the rows, so pruning never gives it again. A broken file is set aside
under a name of its own and a new stream begins, with a new epoch; unpublished rows that can still
be read come along, with the place that they had.
"""

import contextlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agent.adapters.store.sqlite import CorruptError, guarded, open_database
from agent.domain.events import Event, EventType
from agent.ports import StoredEvent

APPLICATION_ID = 0x67_41_6A_6C  # "gAjl"
_PUBLISHED, _REFUSED = 1, 2  # and 0 while neither

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
)
T = TypeVar("T")
_COLUMNS = "row, epoch, sequence, id, type, time, clock_synced, access_point, data, state"


class SqliteJournal:
    """Implements ``ports.Journal``; one connection behind a lock, for any number of threads."""

    def __init__(self, path: Path, set_aside: Callable[[str], Event]) -> None:
        """Open or make the journal; ``set_aside`` makes the event about a broken file.

        Raises:
            StoreError: it is locked, not writable, or not ours.
        """
        self._path = path
        self._note_set_aside = set_aside
        self._lock = threading.RLock()
        self._durable_row = 0
        try:
            self._connection = self._open()
        except CorruptError:
            self._begin_anew(None)

    def append(self, event: Event | Callable[[], Event]) -> int:
        """Commit an event and return its sequence number.

        Raises:
            StoreError: the row could not be written.
        """
        with self._lock:
            try:
                return guarded(self._path, lambda: self._append(event))
            except CorruptError:
                self._begin_anew(self._connection)
                return guarded(self._path, lambda: self._append(event))

    def make_durable(self) -> None:
        """What was appended so far survives a power failure from now on.

        One fsync of the write-ahead log is enough: SQLite replays it after a crash.
        """
        with self._lock:
            newest = self._scalar("SELECT coalesce(max(row), 0) FROM event")
            connection = self._connection
            if newest <= self._durable_row:
                return
        # Without the lock: a flush may take long on an SD card, and no append may wait for it.
        # Only the log is opened. Closing any descriptor of the database itself would drop the
        # locks that SQLite holds on it (POSIX), and another process would take the log away.
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(f"{self._path}-wal", os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        with self._lock:
            if connection is self._connection:
                self._durable_row = max(self._durable_row, newest)

    def unpublished(self, limit: int) -> list[StoredEvent]:
        """The oldest durable rows not yet acknowledged, in their order."""
        self.make_durable()
        with self._lock:
            query = (
                f"SELECT {_COLUMNS} FROM event WHERE state = 0 AND row <= ? ORDER BY row LIMIT ?"  # noqa: S608 - constants
            )
            parameters = (self._durable_row, limit)
            rows = self._guarded(lambda: self._connection.execute(query, parameters).fetchall())
            return [_stored(row) for row in rows]

    def mark_published(self, rows: Sequence[int]) -> None:
        """The broker has acknowledged these rows."""
        self._mark([(_PUBLISHED, None, row) for row in rows])

    def mark_refused(self, row: int, why: str) -> None:
        """No broker will ever take this row; it stays, and is sent no more."""
        self._mark([(_REFUSED, why, row)])

    @property
    def epoch(self) -> str:
        """The name of the stream that new rows join."""
        return str(self._scalar("SELECT epoch FROM stream"))

    def last_sequence(self) -> int:
        """The last sequence number given in this epoch; 0 before the first."""
        return int(self._scalar("SELECT last_sequence FROM stream"))

    def pending(self) -> int:
        """How many rows the broker does not have yet."""
        return int(self._scalar("SELECT count(*) FROM event WHERE state = 0"))

    def read(
        self,
        *,
        after_row: int = 0,
        since: datetime | None = None,
        kind: str | None = None,
        newest: int | None = None,
    ) -> Iterator[StoredEvent]:
        """Stored events in order; ``newest`` keeps only the last so many of those that fit."""
        where = "row > ? AND (? IS NULL OR time >= ?) AND (? IS NULL OR type GLOB ?)"
        stamp = since.isoformat() if since is not None else None
        parameters: list[object] = [after_row, stamp, stamp, kind, kind]
        query = f"SELECT {_COLUMNS} FROM event WHERE {where} ORDER BY row"  # noqa: S608 - constants
        if newest is not None:
            query = f"SELECT * FROM ({query} DESC LIMIT ?) ORDER BY row"  # noqa: S608 - constants
            parameters.append(newest)
        with self._lock:
            cursor = self._guarded(lambda: self._connection.execute(query, parameters))
        while True:
            with self._lock:
                rows = self._guarded(lambda: cursor.fetchmany(500))
            if not rows:
                return
            yield from (_stored(row) for row in rows)

    def prune(self, before: datetime) -> int:
        """Forget published rows older than ``before``; how many. Unpublished ones stay for ever."""
        statement = "DELETE FROM event WHERE state = 1 AND time < ?"
        with self._lock:
            return self._guarded(
                lambda: self._connection.execute(statement, (before.isoformat(),)).rowcount
            )

    def close(self) -> None:
        """Flush and let the file go."""
        with self._lock:
            self._connection.close()

    def _append(self, event: Event | Callable[[], Event]) -> int:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            event = event if isinstance(event, Event) else event()
            known = connection.execute(
                "SELECT sequence FROM event WHERE id = ?", (event.id,)
            ).fetchone()
            sequence = known[0] if known else self._insert(event)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return int(sequence)

    def _insert(self, event: Event) -> int:
        sequence, epoch = self._connection.execute(
            "UPDATE stream SET last_sequence = last_sequence + 1 RETURNING last_sequence, epoch"
        ).fetchone()
        self._connection.execute(
            "INSERT INTO event (epoch, sequence, id, type, time, clock_synced, access_point, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (epoch, sequence, *_values(event)),
        )
        return int(sequence)

    def _mark(self, marks: list[tuple[int, str | None, int]]) -> None:
        statement = "UPDATE event SET state = ?, refusal = ? WHERE row = ?"

        def work() -> None:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, marks)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

        with self._lock:
            self._guarded(work)

    def _scalar(self, query: str) -> int:
        with self._lock:
            row = self._guarded(lambda: self._connection.execute(query).fetchone())
            return row[0]  # type: ignore[no-any-return] # SQLite's word for it

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return guarded(self._path, work)
        except CorruptError:
            self._begin_anew(self._connection)
            return guarded(self._path, work)

    def _open(self) -> sqlite3.Connection:
        connection = open_database(self._path, APPLICATION_ID, _STEPS)

        def begin() -> None:
            connection.execute(
                "INSERT INTO stream SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM stream)",
                (secrets.token_hex(8),),
            )

        try:
            guarded(self._path, begin)
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin_anew(self, broken: sqlite3.Connection | None) -> None:
        """Set the broken file aside and go on with a new one."""
        if broken is not None:
            with contextlib.suppress(sqlite3.Error):
                broken.close()
        note = self._note_set_aside("")
        stamp = note.time.strftime("%Y%m%dT%H%M%S") + "-" + secrets.token_hex(2)
        aside = self._path.with_name(f"{self._path.name}.broken-{stamp}")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").rename(f"{aside}{suffix}")
        self._durable_row = 0
        self._connection = self._open()
        for row in _readable(aside):
            with contextlib.suppress(sqlite3.IntegrityError):
                self._connection.execute(
                    "INSERT INTO event (epoch, sequence, id, type, time, clock_synced,"
                    " access_point, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
        self._append(self._note_set_aside(aside.name))


def _readable(aside: Path) -> Iterator[tuple[object, ...]]:
    """Unpublished rows of a broken file: each by its number, since any page may be the bad one."""
    with contextlib.suppress(sqlite3.Error):
        uri = f"{aside.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            highest = connection.execute("SELECT seq FROM sqlite_sequence").fetchone()
            for number in range(1, (highest[0] if highest else 0) + 1):
                if (row := _readable_row(connection, number)) is not None:
                    yield row


def _readable_row(connection: sqlite3.Connection, number: int) -> tuple[object, ...] | None:
    query = (
        "SELECT epoch, sequence, id, type, time, clock_synced, access_point, data"
        " FROM event NOT INDEXED WHERE row = ? AND state = 0"
    )
    try:
        row: tuple[object, ...] | None = connection.execute(query, (number,)).fetchone()
        if row is not None:
            json.loads(str(row[7]))
            datetime.fromisoformat(str(row[4]))
            EventType(str(row[3]))
    except (sqlite3.Error, ValueError):
        return None
    return row


def _values(event: Event) -> tuple[object, ...]:
    data = json.dumps(event.data, separators=(",", ":"), allow_nan=False)
    return (
        event.id,
        event.type.value,
        event.time.isoformat(),
        int(event.clock_synced),
        event.access_point,
        data,
    )


def _stored(row: Sequence[object]) -> StoredEvent:
    number, epoch, sequence, event_id, kind, time, synced, access_point, data, state = row
    event = Event(
        id=str(event_id),
        type=EventType(str(kind)),
        time=datetime.fromisoformat(str(time)),
        clock_synced=bool(synced),
        access_point=None if access_point is None else str(access_point),
        data=json.loads(str(data)),
    )
    return StoredEvent(int(str(number)), str(epoch), int(str(sequence)), event, state == _PUBLISHED)
