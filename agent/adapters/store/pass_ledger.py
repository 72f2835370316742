"""What of the passes was used here, and the latest time that was surely true.

A pass with limited uses is counted on one kiosk, and a count that is lost lets it in once more. So
a use is on the disk (synchronous=FULL) before the door moves, whatever the clock says; the file is
never replaced by an empty one, and while it cannot be read no limited pass opens. Nothing is
forgotten, because a clock set back must bring no pass back: a hundred visitors a day make some
4 MB a year. The time is in the file once an hour, and what came since beside it (``time_mark``).
"""

import contextlib
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from agent.adapters.store.amount import STEP, counted, opened_with_amount
from agent.adapters.store.names import TIME
from agent.adapters.store.sqlite import (
    COUNT,
    CorruptError,
    guarded,
    stored_moment,
    transaction,
)
from agent.adapters.store.time_mark import TimeMark
from agent.domain.credential.gate_pass import PassId
from agent.errors import StoreError

APPLICATION_ID = 0x67_41_70_6C  # "gApl"
_BUSY_TIMEOUT_MS = 100
_IN_THE_FILE_EVERY_S = 3600.0
_STEPS = (
    """
    CREATE TABLE used (
        pass TEXT PRIMARY KEY,
        uses INTEGER NOT NULL,
        valid_until TEXT NOT NULL
    );
    CREATE TABLE trusted_time (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        utc TEXT NOT NULL
    );
    """,
    STEP,
)
FORMAT = len(_STEPS)
"""The file's form; an agent that knows fewer refuses it."""
_TABLES = ("used", "trusted_time")

_SET_TIME = (
    "INSERT INTO trusted_time VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET utc = excluded.utc"
)
_NOTE_TIME = f"{_SET_TIME} WHERE excluded.utc > utc"


class SqlitePassLedger:
    """Implements ``ports.PassLedger``; one connection behind a lock."""

    def __init__(self, path: Path) -> None:
        """Open or make the ledger.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        self._path = path
        self._mark = TimeMark(path)
        self._noted_s = float("-inf")
        self._lock = threading.Lock()
        self._connection = opened_with_amount(path, APPLICATION_ID, _STEPS, _TABLES)
        self._connection.execute("PRAGMA synchronous = FULL")
        # The thread that moves the doors asks: a stranger's lock is a fault, and not waited for.
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")

    def uses(self) -> dict[PassId, int]:
        """How often each pass was used; those never used are not named."""
        rows = self._all("SELECT pass, uses FROM used")
        return {PassId(one): int(count) for one, count in rows}

    def consume(self, one: PassId, limit: int, valid_until: datetime) -> bool:
        """Count one more use; False where ``limit`` was reached, and nothing was counted.

        Raises:
            StoreError: it could not be written; the pass must not open.
        """

        def work() -> bool:
            with (
                transaction(self._connection),
                counted(self._connection, "used", "pass = ?", one),
            ):
                self._connection.execute(
                    "INSERT OR IGNORE INTO used (pass, uses, valid_until) VALUES (?, 0, ?)",
                    (one, valid_until.astimezone(UTC).isoformat()),
                )
                changed = self._connection.execute(
                    "UPDATE used SET uses = uses + 1 WHERE pass = ? AND uses < ?", (one, limit)
                )
                if changed.rowcount == 1:
                    self._connection.execute(COUNT)
                return changed.rowcount == 1

        with self._lock:
            return guarded(self._path, work)

    def check(self) -> None:
        """Write as a use is written, and change nothing.

        Raises:
            StoreError: no use could be counted now.
        """

        def work() -> None:
            with transaction(self._connection):
                version = self._connection.execute("PRAGMA user_version").fetchone()[0]
                self._connection.execute(f"PRAGMA user_version = {int(version)}")

        with self._lock:
            guarded(self._path, work)

    def latest_trusted(self) -> datetime | None:
        """The latest time that was surely true: it is at least so late now."""
        rows = self._all("SELECT utc FROM trusted_time")
        try:
            in_it = stored_moment(rows[0][0]) if rows else None
        except (ValueError, TypeError):
            raise CorruptError(f"{self._path.name} is damaged: its time is none") from None
        # A ledger that began anew has no time, and takes none of what lies beside it.
        beside = None if in_it is None else self._mark.read()
        return in_it if beside is None or in_it is None else max(in_it, beside)

    def note_trusted(self, utc: datetime) -> None:
        """It is ``utc``, surely; an earlier one than before changes nothing."""
        now_s = time.monotonic()
        if now_s - self._noted_s < _IN_THE_FILE_EVERY_S:
            latest = self.latest_trusted()
            if latest is not None:
                if utc <= latest:
                    return
                with contextlib.suppress(OSError):  # else the file takes it, or says what is wrong
                    self._mark.write(utc)
                    return
        self._write_time(utc, _NOTE_TIME)
        self._noted_s = now_s

    def set_trusted(self, utc: datetime) -> None:
        """It is ``utc`` by a person's word, also where that is earlier than before."""
        self._write_time(utc, _SET_TIME)
        try:
            self._mark.remove()
        except OSError as error:
            fix = f"remove {self._path.name}{TIME}"
            raise StoreError(
                f"a later time stays beside the passes: {error.strerror}", fix
            ) from error

    def _write_time(self, utc: datetime, statement: str) -> None:
        def work() -> None:
            with transaction(self._connection), counted(self._connection, "trusted_time"):
                moment = utc.astimezone(UTC).isoformat(timespec="microseconds")
                self._connection.execute(statement, (moment,))
                self._connection.execute(COUNT)

        with self._lock:
            guarded(self._path, work)

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        with self._lock:
            self._connection.close()

    def _all(self, query: str) -> list[sqlite3.Row]:
        with self._lock:
            return guarded(self._path, lambda: self._connection.execute(query).fetchall())
