"""The stores as they are, on a disk that has bad days and under a process that may die.

The trouble is SQLite's own: a file that may not grow (``full``), or another connection that holds
the write lock (``LockKeeper``). ``reach`` is called before and after each thing that is done, which
is where a process may die.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Latches
from agent.domain.record.events import Event
from agent.ports import StoredEvent

Reach = Callable[[], None]
_NO_LIMIT = 1_073_741_823


class SimulatedJournal(SqliteJournal):
    """The journal; a lock is not waited for, because no time would pass meanwhile."""

    def __init__(
        self,
        path: Path,
        set_aside: Callable[[str], Event],
        reach: Reach,
        source: str | None = None,
    ) -> None:
        """Open or make it.

        Raises:
            StoreError: as ``SqliteJournal``.
        """
        super().__init__(path, set_aside, source=source)
        self._reach = reach
        self._file.do(lambda connection: connection.execute("PRAGMA busy_timeout = 0"))

    def set_full(self, *, full: bool) -> None:
        """Whether the file may grow no more."""
        self._file.do(lambda connection: _limit(connection, full=full))

    def append(self, event: Event | Callable[[], Event]) -> int:
        """As the journal does."""
        self._reach()
        sequence = super().append(event)
        self._reach()
        return sequence

    def make_durable(self) -> None:
        """As the journal does."""
        self._reach()
        super().make_durable()

    def unpublished(self, limit: int, *, after_row: int = 0) -> list[StoredEvent]:
        """As the journal does."""
        self._reach()
        return super().unpublished(limit, after_row=after_row)

    def mark_published(self, rows: Sequence[int]) -> None:
        """As the journal does."""
        self._reach()
        super().mark_published(rows)
        self._reach()


class SimulatedLatches(SqliteLatches):
    """The latches."""

    def __init__(self, path: Path, reach: Reach) -> None:
        """Open or make them.

        Raises:
            StoreError: as ``SqliteLatches``.
        """
        super().__init__(path)
        self._reach = reach
        self._connection.execute("PRAGMA busy_timeout = 0")

    def save(self, latches: Latches) -> None:
        """As the latches do."""
        self._reach()
        super().save(latches)
        self._reach()

    def move(self, holder: HolderId | None, position: Position | None) -> None:
        """As the latches do."""
        self._reach()
        super().move(holder, position)
        self._reach()


class SimulatedLedger(SqlitePassLedger):
    """The pass ledger."""

    def __init__(self, path: Path, reach: Reach) -> None:
        """Open or make it.

        Raises:
            StoreError: as ``SqlitePassLedger``.
        """
        super().__init__(path)
        self._reach = reach

    def consume(self, one: PassId, limit: int, valid_until: datetime) -> bool:
        """As the ledger does."""
        self._reach()
        counted = super().consume(one, limit, valid_until)
        self._reach()
        return counted


class LockKeeper:
    """Another process that has the file open, and holds its write lock when told to."""

    def __init__(self, path: Path) -> None:
        """``path`` is made by its owner before."""
        self._connection = sqlite3.connect(path, timeout=0.0, isolation_level=None)

    def hold(self) -> bool:
        """Whether the lock was had."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True

    def let_go(self) -> None:
        """Release it; safe where it is not held."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let the file go."""
        self.let_go()
        self._connection.close()


def _limit(connection: sqlite3.Connection, *, full: bool) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0] if full else _NO_LIMIT
    connection.execute(f"PRAGMA max_page_count = {pages}")
