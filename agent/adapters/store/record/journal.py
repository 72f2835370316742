"""The journal: what happened, in order, in one SQLite file.

    append --commit (WAL)--> row --fsync of the log--> durable --broker's PUBACK--> published

A sequence number is given inside the write transaction, so several processes may append; the last
one given is kept apart from the rows, so pruning never gives it again. So is the link of the last
event, which the next one carries (``domain.record.chain``). A broken file is set aside
under a name of its own and a new stream begins, with a new epoch; unpublished rows that can still
be read come along, with the place that they had (``salvage``). An older copy put in the journal's
place begins a new epoch as well (``stream_mark``). Row numbers rise across all of that while the
process lives: a late acknowledgement never marks another event's row.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from agent.adapters.store.names import LOG
from agent.adapters.store.record import retention, salvage
from agent.adapters.store.record.journal_file import JournalFile
from agent.adapters.store.record.rows import COLUMNS, PUBLISHED, REFUSED, stored, time_text
from agent.adapters.store.record.tally import count_on
from agent.adapters.store.sqlite import CorruptError, sync_folder, transaction
from agent.domain.record.events import Event
from agent.errors import StoreError
from agent.ports import LostEvent, StoredEvent, Tip

_PAGE_ROWS = 500
_MARKED_AT_ONCE = 500
_MARK_PUBLISHED = "UPDATE event SET state = ?, refusal = NULL WHERE row IN"
_NO_BOUND = 1 << 62

_log = structlog.get_logger(__name__)


class SqliteJournal:
    """Implements ``ports.Journal``; one connection behind a lock, for any number of threads."""

    def __init__(
        self,
        path: Path,
        set_aside: Callable[[str], Event],
        past: tuple[str, int] | None = None,
        source: str | None = None,
    ) -> None:
        """Open or make the journal.

        ``source`` is where the kiosk stands: what is appended from another place than the last
        begins a new epoch. Who gives none does not know it, and joins the stream that is there;
        before anybody said it, rows stand in no chain.

        ``past`` is the installation's identity and how far the journal had come at least: one that
        is begun in the place of a broken one goes on from there, and is no stranger.

        ``set_aside`` makes the event about a broken file, given the name that the file got. Before
        anything is moved it is asked once with an empty name: one who may not move the file, since
        another process owns it, raises ``StoreError`` there.

        Raises:
            StoreError: it is locked, not writable, or not ours.
        """
        self._file = JournalFile(path, set_aside, past, source)
        self._durable_row = 0
        self._synced_log: tuple[int, int] | None = None

    def append(self, event: Event | Callable[[], Event]) -> int:
        """Commit an event and return its sequence number.

        A callable is asked for the event once the row can be written. An event whose id is there
        already changes nothing; its number is returned.

        Raises:
            StoreError: the row could not be written.
        """
        made: list[Event] = []

        def work(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                if not made:
                    made.append(event if isinstance(event, Event) else event())
                query = "SELECT sequence FROM event WHERE id = ?"
                known = connection.execute(query, (made[0].id,)).fetchone()
                if known is not None:
                    return int(known[0])
                epoch, sequence = self._file.insert(connection, made[0])
            self._file.mark(epoch, sequence)
            return sequence

        with self._file.lock:
            sequence = self._file.do(work)
            # Committed to a file that was just moved away: again, where its id may be known.
            return self._file.do(work) if self._file.moved() else sequence

    def tip(self) -> Tip | None:
        """Where the stream ends; None while nothing in it is chained."""
        query = "SELECT source, epoch, last_sequence, link FROM stream WHERE link IS NOT NULL"
        for source, epoch, sequence, link in self._all(query):
            return Tip(source.decode(), epoch.decode(), int(sequence), link)
        return None

    def make_durable(self) -> None:
        """What was appended so far survives a power failure from now on.

        One flush of the write-ahead log is enough: SQLite replays it after a crash, and flushes it
        by itself before it writes the database from it.

        Raises:
            StoreError: the log could not be flushed.
        """
        with self._file.lock:
            newest = self.newest_row()
            generation = self._file.generation
            if newest <= self._durable_row:
                return
        # Without the lock: a flush may take long on an SD card, and no append may wait for it.
        # Only the log is opened. Closing any descriptor of the database itself would drop the
        # locks that SQLite holds on it (POSIX), and another process would take the log away.
        try:
            self._flush()
        except FileNotFoundError:
            pass  # without a log everything is in the database
        except OSError as error:
            name = self._file.path.name
            fix = "the disk may be failing; see what dmesg says"
            raise StoreError(f"{name} cannot be flushed: {error.strerror}", fix) from error
        with self._file.lock:
            if generation == self._file.generation and not self._file.moved():
                self._durable_row = max(self._durable_row, newest)
                self._file.least_row = self._durable_row

    def newest_row(self) -> int:
        """The number of the newest row; 0 before the first."""
        return int(self._scalar("SELECT coalesce(max(row), 0) FROM event"))

    def unpublished(self, limit: int, *, after_row: int = 0) -> list[StoredEvent]:
        """The oldest durable rows after ``after_row`` not yet acknowledged, in their order."""
        query = (
            f"SELECT {COLUMNS} FROM event"  # noqa: S608 - constants
            " WHERE state = 0 AND row > ? AND row <= ? ORDER BY row LIMIT ?"
        )

        def work(connection: sqlite3.Connection) -> list[StoredEvent]:
            rows = connection.execute(query, (after_row, self._durable_row, limit)).fetchall()
            return [stored(row) for row in rows]

        generation = self._file.generation
        rows = self._file.do(work)
        if len(rows) == limit and generation == self._file.generation:
            return rows  # a backlog: what is newer, and may not be durable yet, is not asked for
        self.make_durable()
        rows = self._file.do(work)
        if generation != self._file.generation:
            # A new file was begun meanwhile, and nothing in it was durable yet.
            self.make_durable()
            rows = self._file.do(work)
        return rows

    def between(self, epoch: str, first: int, last: int, limit: int) -> list[StoredEvent]:
        """The durable events of an epoch from ``first`` to ``last``, in their order."""
        query = (
            f"SELECT {COLUMNS} FROM event"  # noqa: S608 - constants
            " WHERE epoch = ? AND sequence BETWEEN ? AND ? AND row <= ? ORDER BY sequence LIMIT ?"
        )
        self.make_durable()
        rows = self._all(query, epoch, first, last, self._durable_row, limit)
        return [stored(row) for row in rows]

    def mark_published(self, rows: Sequence[int]) -> None:
        """The broker has acknowledged these rows."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                for start in range(0, len(rows), _MARKED_AT_ONCE):
                    part = rows[start : start + _MARKED_AT_ONCE]
                    places = ", ".join("?" * len(part))
                    connection.execute(f"{_MARK_PUBLISHED} ({places})", (PUBLISHED, *part))

        self._file.do(work)

    def mark_refused(self, row: int, why: str) -> None:
        """No broker will ever take this row; it stays, and is sent no more."""
        statement = "UPDATE event SET state = ?, refusal = ? WHERE row = ?"

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(statement, (REFUSED, why, row))

        self._file.do(work)

    @property
    def epoch(self) -> str:
        """The name of the stream that new rows join."""
        epoch: bytes = self._scalar("SELECT epoch FROM stream")
        return epoch.decode()

    def last_sequence(self) -> int:
        """The last sequence number given in this epoch; 0 before the first."""
        return int(self._scalar("SELECT last_sequence FROM stream"))

    def forgotten(self) -> dict[str, int]:
        """By epoch up to which sequence not every event is in this file any more."""
        rows = self._all("SELECT epoch, last_sequence FROM forgotten")
        return {epoch.decode(): int(sequence) for epoch, sequence in rows}

    def pending(self) -> int:
        """How many rows the broker does not have yet."""
        while (pending := self._file.do(count_on)) is None:
            pass  # whoever appends comes between two steps
        return pending

    def read(
        self,
        *,
        after_row: int = 0,
        since: datetime | None = None,
        kind: str | None = None,
        newest: int | None = None,
    ) -> Iterator[StoredEvent]:
        """Events stored by now, in order; ``newest`` keeps only the last so many of those that fit.

        ``kind`` is a type or a pattern (``access.*``). Nothing is held between two pages of rows,
        so a slow reader keeps nobody from writing. A row damaged where SQLite does not look is
        left out with a warning.
        """
        where = "row <= ? AND (? IS NULL OR time >= ?) AND (? IS NULL OR type GLOB ?)"
        stamp = None if since is None else time_text(since)
        last = self._scalar("SELECT coalesce(max(row), 0) FROM event")
        fits: list[object] = [last, stamp, stamp, kind, kind]
        if newest is not None:
            first = (
                "SELECT min(row) FROM (SELECT row FROM event WHERE row > ? AND "  # noqa: S608 - constants
                f"{where} ORDER BY row DESC LIMIT ?)"
            )
            row = self._scalar(first, after_row, *fits, newest)
            if row is None:
                return
            after_row = row - 1
        page = f"SELECT {COLUMNS} FROM event WHERE row > ? AND {where} ORDER BY row LIMIT ?"  # noqa: S608 - constants
        while rows := self._all(page, after_row, *fits, _PAGE_ROWS):
            after_row = rows[-1][0]
            for one in rows:
                try:
                    event = stored(one)
                except CorruptError as error:
                    _log.warning("journal_row_left_out", error=str(error))
                    continue
                yield event

    def prune(
        self,
        before: datetime,
        most_bytes: int | None = None,
        *,
        published_only: bool = True,
    ) -> int:
        """Forget published rows older than ``before``, and ``hold`` to ``most_bytes`` where given.

        Older ones that are still to be sent, or refused, keep their place and lose their covered
        values, with what would prove these; where nobody is there to get them (not
        ``published_only``) they go as well. A row whose clock was not trusted is as old as the
        trusted one after it. Journals that were set aside before then go too. The file does not
        shrink: what is freed is overwritten, and used again.
        """
        salvage.forget(self._file.path, before)
        gone = retention.prune(self._file, time_text(before), published_only=published_only)
        if most_bytes is None:
            return gone
        return gone + self.hold(most_bytes, published_only=published_only)

    def hold(
        self,
        most_bytes: int,
        most_rows: int = _NO_BOUND,
        *,
        published_only: bool = True,
        lost: LostEvent | None = None,
    ) -> int:
        """Keep to so many bytes and rows: published rows go first, the oldest of them; how many.

        Where those do not suffice the oldest others go, with ``lost`` to tell of them; without it
        they stay. Where nobody is there to get them (not ``published_only``) the oldest of all go.
        """
        return retention.hold(self._file, most_bytes, most_rows, lost, silently=not published_only)

    def make_room(
        self, wanted_bytes: int, lost: LostEvent | None = None, *, published_only: bool = True
    ) -> int:
        """Free so many bytes within the file, as ``hold`` does; how many rows went.

        For a disk that has none left: what is appended then needs no room of it.
        """
        return retention.make_room(self._file, wanted_bytes, lost, silently=not published_only)

    def close(self) -> None:
        """Let the file go; safe to call twice. Nothing can be appended afterwards."""
        self._file.close()

    def _flush(self) -> None:
        descriptor = os.open(f"{self._file.path}{LOG}", os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        identity = (status.st_dev, status.st_ino)
        if identity != self._synced_log:
            # SQLite flushes the name of a new log only with its own first flush.
            sync_folder(self._file.path.parent)
            self._synced_log = identity

    def _scalar(self, query: str, *parameters: object) -> Any:
        return self._all(query, *parameters)[0][0]

    def _all(self, query: str, *parameters: object) -> list[Any]:
        return self._file.do(lambda connection: connection.execute(query, parameters).fetchall())
