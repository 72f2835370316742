"""What of the gate outlives its agent: modes of its doors, latched faults, and where holders are.

Modes and faults are few and change by hand or the hour: they are on the disk (synchronous=FULL)
before an output moves by them. Whereabouts change with every passage, and so does what most
people's skin had: a commit of them survives the process, and a power failure may take the last
seconds.
"""

import json
import math
import sqlite3
import threading
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

from agent.adapters.store.amount import STEP, counted, opened_with_amount
from agent.adapters.store.sqlite import (
    COUNT,
    CorruptError,
    guarded,
    stored_moment,
    transaction,
)
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import DoorLatch, End, Latches, Mode
from agent.domain.foreign.json_text import read_json
from agent.domain.skin.baseline import Baseline

APPLICATION_ID = 0x67_41_6C_74  # "gAlt"
_STEPS = (
    """
    CREATE TABLE door (
        name TEXT PRIMARY KEY,
        commanded TEXT,
        scheduled TEXT
    );
    CREATE TABLE fault (
        part TEXT PRIMARY KEY,
        detail TEXT NOT NULL
    );
    CREATE TABLE position (
        holder TEXT PRIMARY KEY,
        area TEXT NOT NULL,
        monotonic_s REAL NOT NULL,
        boot_id TEXT NOT NULL,
        utc TEXT NOT NULL,
        utc_trusted INTEGER NOT NULL
    );
    CREATE TABLE baseline (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        people TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE budget (
        access_point TEXT PRIMARY KEY,
        left REAL NOT NULL
    );
    """,
    STEP,
    """
    CREATE TABLE door_end (
        name TEXT PRIMARY KEY,
        utc TEXT NOT NULL,
        monotonic_s REAL NOT NULL,
        boot_id TEXT NOT NULL
    );
    """,
)
FORMAT = len(_STEPS)
"""The file's form; an agent that knows fewer refuses it."""
_TABLES = ("door", "fault", "position", "door_end")
"""What nobody may lose: a budget or a baseline that cannot be read is none."""
_BUSY_TIMEOUT_MS = 20
_FIX = (
    "stop the agent and put a copy back, or move the file away: then every door is locked down"
    " until gate-agent state accept latches.sqlite --reason TEXT"
)


class SqliteLatches:
    """Implements ``ports.LatchStore`` and ``ports.BudgetStore``; one connection behind a lock."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        self._path = path
        self._lock = threading.Lock()
        self._connection = opened_with_amount(path, APPLICATION_ID, _STEPS, _TABLES)
        # Nobody else writes here, and the thread that moves the doors does: a stranger's lock is a
        # fault, and not waited for.
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")

    def latches(self) -> Latches:
        """As they were saved last.

        Raises:
            StoreError: they cannot be read: a lockdown may be among them.
        """
        doors = self._all("SELECT name, commanded, scheduled FROM door")
        faults = self._all("SELECT part, detail FROM fault")
        rows = self._all("SELECT name, utc, monotonic_s, boot_id FROM door_end")
        try:
            ends = {
                name: End(stored_moment(utc), float(at_s), str(boot))
                for name, utc, at_s, boot in rows
            }
            return Latches(
                {
                    name: DoorLatch(_mode(by), _mode(hour), ends.get(name))
                    for name, by, hour in doors
                },
                {str(part): str(detail) for part, detail in faults},
            )
        except (ValueError, TypeError):
            raise CorruptError(f"{self._path.name} is damaged: a mode is none", _FIX) from None

    def save(self, latches: Latches) -> None:
        """Replace them, durable before it returns.

        Raises:
            StoreError: they could not be written.
        """
        doors = [(name, one.commanded, one.scheduled) for name, one in latches.doors.items()]
        ends = [
            (name, one.end.utc.astimezone(UTC).isoformat(), one.end.monotonic_s, one.end.boot_id)
            for name, one in latches.doors.items()
            if one.end is not None
        ]

        def work() -> None:
            self._connection.execute("PRAGMA synchronous = FULL")
            try:
                with (
                    transaction(self._connection),
                    counted(self._connection, "door"),
                    counted(self._connection, "door_end"),
                    counted(self._connection, "fault"),
                ):
                    self._connection.execute("DELETE FROM door")
                    self._connection.execute("DELETE FROM door_end")
                    self._connection.execute("DELETE FROM fault")
                    self._connection.executemany("INSERT INTO door VALUES (?, ?, ?)", doors)
                    self._connection.executemany("INSERT INTO door_end VALUES (?, ?, ?, ?)", ends)
                    self._connection.executemany(
                        "INSERT INTO fault VALUES (?, ?)", latches.faults.items()
                    )
                    self._connection.execute(COUNT)
            finally:
                self._connection.execute("PRAGMA synchronous = NORMAL")

        with self._lock:
            guarded(self._path, work)

    def positions(self) -> dict[HolderId, Position]:
        """Where each holder was last seen to go.

        Raises:
            StoreError: they cannot be read.
        """
        rows = self._all(
            "SELECT holder, area, monotonic_s, boot_id, utc, utc_trusted FROM position"
        )
        try:
            return {
                HolderId(holder): Position(
                    area, float(at_s), boot, stored_moment(utc), bool(trusted)
                )
                for holder, area, at_s, boot, utc, trusted in rows
            }
        except (ValueError, TypeError):
            raise CorruptError(f"{self._path.name} is damaged: a position is none", _FIX) from None

    def inside(self) -> dict[str, int]:
        """How many holders were last seen to go into each area, counted where they are stored.

        Raises:
            StoreError: they cannot be read.
        """
        rows = self._all("SELECT area, count(*) FROM position GROUP BY area ORDER BY area")
        return {str(area): int(count) for area, count in rows}

    def move(self, holder: HolderId | None, position: Position | None) -> None:
        """A holder went there; None for nowhere, and no holder for everybody.

        Raises:
            StoreError: it could not be written.
        """

        def work() -> None:
            whose = ("1",) if holder is None else ("holder = ?", holder)
            with transaction(self._connection), counted(self._connection, "position", *whose):
                self._connection.execute(COUNT)
                if holder is None:
                    self._connection.execute("DELETE FROM position")
                elif position is None:
                    self._connection.execute("DELETE FROM position WHERE holder = ?", (holder,))
                else:
                    self._connection.execute(
                        "INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?, ?)",
                        (
                            holder,
                            position.area,
                            position.monotonic_s,
                            position.boot_id,
                            position.utc.astimezone(UTC).isoformat(),
                            position.utc_trusted,
                        ),
                    )

        with self._lock:
            guarded(self._path, work)

    def baseline(self) -> Baseline:
        """What most people's skin had here; empty where it was never learnt, or cannot be read."""
        rows = self._all("SELECT people FROM baseline")
        try:
            return Baseline.from_json(read_json(rows[0][0]) if rows else [])
        except (ValueError, TypeError):
            return Baseline()  # it only takes an hour to learn it anew

    def learn(self, baseline: Baseline) -> None:
        """Replace that.

        Raises:
            StoreError: it could not be written.
        """

        def work() -> None:
            with transaction(self._connection):
                self._connection.execute(
                    "INSERT OR REPLACE INTO baseline VALUES (1, ?)",
                    (json.dumps(baseline.as_json()),),
                )

        with self._lock:
            guarded(self._path, work)

    def budgets(self) -> dict[str, float]:
        """What is left of each access point's false grants; none of one that cannot be read."""
        rows = self._all("SELECT access_point, left FROM budget")
        return {
            str(name): left if isinstance(left, float) and math.isfinite(left) else 0.0
            for name, left in rows
        }

    def keep_budgets(self, left: Mapping[str, float]) -> None:
        """Replace them.

        Raises:
            StoreError: they could not be written.
        """

        def work() -> None:
            with transaction(self._connection):
                self._connection.execute("DELETE FROM budget")
                self._connection.executemany("INSERT INTO budget VALUES (?, ?)", left.items())

        with self._lock:
            guarded(self._path, work)

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        with self._lock:
            self._connection.close()

    def _all(self, query: str) -> list[sqlite3.Row]:
        with self._lock:
            return guarded(self._path, lambda: self._connection.execute(query).fetchall())


def _mode(word: str | None) -> Mode | None:
    return None if word is None else Mode(word)
