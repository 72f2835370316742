"""Which signed commands have run: each at most once, whatever is restarted, restored or delayed.

    noted, durable --> runs --> ended, with the reply that is owed --> reply acknowledged
          `--- killed meanwhile: interrupted at the next start, never run again

An id is kept until long after its command has expired; what is forgotten raises the *floor*, and
nothing that expires below it runs any more: so no clock that is set back brings a command back.
Where this file or the journal is another one than before (a copy was put back, the card is new),
the *horizon* is the time of that: what was issued before it may have run in what was lost.

A *subject* is a door or a holder, hashed: what was issued before the newest command about it is
late, and does not undo that. Each key has a bound of its own.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from agent.adapters.store.sqlite import COUNT, guarded, open_database, transaction
from agent.domain.record.command import STRICT, CommandReason, Outcome
from agent.ports import Horizon, Noted, Owed

T = TypeVar("T")

APPLICATION_ID = 0x67_41_63_6D  # "gAcm"
KEPT_S = 86_400
"""How long an id outlives its expiry: longer than any clock may be behind what is written down."""
MOST_OF_A_KEY = 20_000
STRICT_BEYOND = 2_000
"""So many more where they let nobody in: what a key has flooded costs no lockdown."""
MOST_REPLIES_OF_A_KEY = 200
"""Of what lets nobody in, and as many of the rest."""
_PRUNED_AT_ONCE = 500
_STEPS = (
    """
    CREATE TABLE command (
        id BLOB PRIMARY KEY,
        key_id BLOB NOT NULL,
        verb TEXT NOT NULL,
        issued INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        topic TEXT NOT NULL,
        correlation BLOB,
        outcome TEXT
    ) WITHOUT ROWID;
    CREATE INDEX command_expires ON command (expires);
    CREATE INDEX command_key_id ON command (key_id);
    CREATE TABLE newest (
        subject BLOB PRIMARY KEY,
        issued INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE reply (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key_id BLOB NOT NULL,
        topic TEXT NOT NULL,
        correlation BLOB,
        payload BLOB NOT NULL
    );
    CREATE TABLE bounds (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        epoch TEXT NOT NULL,
        horizon INTEGER NOT NULL,
        pending INTEGER NOT NULL,
        floor INTEGER NOT NULL
    );
    INSERT INTO bounds VALUES (1, '', 0, 1, 0);
    """,
    # What somebody at the gate said while no time was known; the monotonic clock of that moment.
    """
    CREATE TABLE unsettled (
        subject BLOB PRIMARY KEY,
        monotonic_s REAL NOT NULL
    ) WITHOUT ROWID;
    -- What lets nobody in is answered first, however much else waits to be.
    ALTER TABLE reply ADD COLUMN first INTEGER NOT NULL DEFAULT 0;
    """,
)
_OUTDATE = (
    "INSERT INTO newest VALUES (?, ?) ON CONFLICT (subject)"
    " DO UPDATE SET issued = max(issued, excluded.issued)"
)
FORMAT = len(_STEPS)
"""The file's form; an agent that knows fewer refuses it."""


class SqliteCommands:
    """Implements ``ports.CommandStore``; one connection behind a lock."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        self._path = path
        self._lock = threading.Lock()
        self._connection = open_database(path, APPLICATION_ID, _STEPS)
        self._connection.execute("PRAGMA synchronous = FULL")

    def begin(self, epoch: str, *, doubtful: bool, at_least: int) -> list[Noted]:
        """What was running when the last agent ended; the horizon rises where it must.

        ``epoch`` is the journal's: it is another one after a copy was put back. ``doubtful``: this
        file is in fault. ``at_least`` is a time that surely was.

        Raises:
            StoreError: it cannot be read or written.
        """

        def work() -> list[Noted]:
            with transaction(self._connection):
                (before,) = self._connection.execute("SELECT epoch FROM bounds").fetchone()
                if before != epoch or doubtful:
                    self._connection.execute(
                        "UPDATE bounds SET epoch = ?, pending = 1, horizon = max(horizon, ?)",
                        (epoch, at_least),
                    )
                    self._connection.execute(COUNT)
            query = (
                "SELECT id, key_id, verb, issued, expires, topic, correlation"
                " FROM command WHERE outcome IS NULL ORDER BY issued, id"
            )
            return [Noted(*row) for row in self._connection.execute(query)]

        return self._guarded(work)

    def horizon(self) -> Horizon:
        """From when on commands count."""
        query = "SELECT horizon, pending FROM bounds"
        row = self._guarded(lambda: self._connection.execute(query).fetchone())
        return Horizon(int(row[0]), bool(row[1]))

    def raise_horizon(self, utc_s: int) -> None:
        """A time is trusted: where the horizon waited for one, it is that.

        Raises:
            StoreError: it cannot be written.
        """
        statement = "UPDATE bounds SET horizon = max(horizon, ?), pending = 0 WHERE pending"
        self._write(lambda: self._connection.execute(statement, (utc_s,)))

    def outcome(self, command_id: bytes) -> Outcome | None:
        """How the command of this id ended; None where it is not known, or runs."""
        query = "SELECT outcome FROM command WHERE id = ?"
        row = self._guarded(lambda: self._connection.execute(query, (command_id,)).fetchone())
        return None if row is None or row[0] is None else Outcome(row[0])

    def note(
        self, one: Noted, subjects: Sequence[str], *, late: bool = False
    ) -> CommandReason | None:
        """Let it run, durable before this returns; or why it must not.

        ``subjects`` is what it is about; it becomes the newest about them, but where it is one that
        may come ``late``: that only must not be older.

        Raises:
            StoreError: it cannot be written, and must not run.
        """

        def work() -> CommandReason | None:
            with transaction(self._connection):
                objection = self._objection(one, subjects)
                if objection is not None:
                    return objection
                self._connection.execute(
                    "INSERT INTO command VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                    (
                        *(one.id, one.key_id, one.verb, one.issued, one.expires),
                        *(one.topic, one.correlation),
                    ),
                )
                if not late:
                    self._connection.executemany(
                        "INSERT OR REPLACE INTO newest VALUES (?, ?)",
                        [(_hashed(subject), _rank(one)) for subject in subjects],
                    )
                self._connection.execute(COUNT)
            return None

        return self._guarded(work)

    def outdate(self, subject: str, utc_s: int) -> None:
        """What was issued about ``subject`` before ``utc_s`` is late from now on.

        Raises:
            StoreError: it cannot be written.
        """

        def work() -> None:
            self._connection.execute(_OUTDATE, (_hashed(subject), utc_s))
            self._connection.execute(COUNT)

        self._write(work)

    def outdate_unsettled(self, subject: str, monotonic_s: float) -> None:
        """As ``outdate``, while no time is trusted: ``settle`` says which it was.

        Raises:
            StoreError: it cannot be written.
        """

        def work() -> None:
            values = (_hashed(subject), monotonic_s)
            self._connection.execute("INSERT OR REPLACE INTO unsettled VALUES (?, ?)", values)
            self._connection.execute(COUNT)

        self._write(work)

    def settle(self, latest_s: float, monotonic_s: float) -> None:
        """It is no later than ``latest_s``: what was outdated before has its time.

        After a boot the monotonic clock is another one, and less time seems to have gone by.

        Raises:
            StoreError: it cannot be read or written.
        """
        query = "SELECT subject, monotonic_s FROM unsettled"
        rows = self._guarded(lambda: self._connection.execute(query).fetchall())
        if not rows:
            return

        def work() -> None:
            for subject, said_s in rows:
                ago_s = max(monotonic_s - float(said_s), 0.0)
                self._connection.execute(_OUTDATE, (subject, int(latest_s - ago_s) + 1))
                values = (subject, said_s)
                gone = "DELETE FROM unsettled WHERE subject = ? AND monotonic_s = ?"
                self._connection.execute(gone, values)
            self._connection.execute(COUNT)

        self._write(work)

    def at_most(self, utc_s: int) -> None:
        """Nothing is outdated beyond ``utc_s``: where a clock was wrong, it is that late at most.

        Raises:
            StoreError: it cannot be written.
        """
        statement = "UPDATE newest SET issued = ?1 WHERE issued > ?1"
        self._write(lambda: self._connection.execute(statement, (utc_s,)))

    def end(self, one: Noted, outcome: Outcome, reply: bytes | None) -> None:
        """It has ended so, and this reply is owed, if any.

        Raises:
            StoreError: it cannot be written: the next start will call it interrupted.
        """

        def work() -> None:
            self._connection.execute(
                "UPDATE command SET outcome = ? WHERE id = ?", (outcome.value, one.id)
            )
            if reply is not None:
                self._owe(one.key_id, one.topic, one.correlation, reply, first=one.verb in STRICT)

        self._write(work)

    def owe(
        self,
        key_id: bytes,
        topic: str,
        correlation: bytes | None,
        reply: bytes,
        *,
        first: bool = False,
    ) -> None:
        """A reply to what did not run is owed; those that are ``first`` go before the others.

        Raises:
            StoreError: it cannot be written.
        """
        self._write(lambda: self._owe(key_id, topic, correlation, reply, first=first))

    def owed(self) -> list[Owed]:
        """The replies that nobody has acknowledged: the first ones, then the oldest first."""
        query = "SELECT number, topic, correlation, payload FROM reply ORDER BY first DESC, number"
        rows = self._guarded(lambda: self._connection.execute(query).fetchall())
        return [Owed(*row) for row in rows]

    def acknowledged(self, number: int) -> None:
        """The broker has this reply.

        Raises:
            StoreError: it cannot be written; the reply will be sent once more.
        """
        self._write(
            lambda: self._connection.execute("DELETE FROM reply WHERE number = ?", (number,))
        )

    def prune(self, utc_s: int, longest_s: int) -> None:
        """Forget what surely has expired at ``utc_s``; no command is valid beyond ``longest_s``.

        Raises:
            StoreError: it cannot be written.
        """
        gone = utc_s - KEPT_S

        def work() -> None:
            rows = self._connection.execute(
                "SELECT id, expires FROM command WHERE expires < ? AND outcome IS NOT NULL LIMIT ?",
                (gone, _PRUNED_AT_ONCE),
            ).fetchall()
            if rows:
                floor = max(int(expires) for _, expires in rows)
                self._connection.execute("UPDATE bounds SET floor = max(floor, ?)", (floor,))
                self._connection.executemany(
                    "DELETE FROM command WHERE id = ?", [(one,) for one, _ in rows]
                )
            self._connection.execute("DELETE FROM newest WHERE issued < ?", (gone - longest_s,))

        self._write(work)

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        with self._lock:
            self._connection.close()

    def _objection(self, one: Noted, subjects: Sequence[str]) -> CommandReason | None:
        def scalar(query: str, *values: object) -> int:
            row = self._connection.execute(query, values).fetchone()
            return 0 if row is None else int(row[0])

        known = scalar("SELECT count(*) FROM command WHERE id = ?", one.id)
        if known or one.expires <= scalar("SELECT floor FROM bounds"):
            return CommandReason.REPLAYED
        if one.issued < scalar("SELECT horizon FROM bounds"):
            return CommandReason.BEFORE_RESTORE
        for subject in subjects:
            query = "SELECT issued FROM newest WHERE subject = ?"
            if _rank(one) < scalar(query, _hashed(subject)):
                return CommandReason.SUPERSEDED
        of_key = scalar("SELECT count(*) FROM command WHERE key_id = ?", one.key_id)
        most = MOST_OF_A_KEY + (STRICT_BEYOND if one.verb in STRICT else 0)
        return CommandReason.BUSY if of_key >= most else None

    def _owe(
        self, key_id: bytes, topic: str, correlation: bytes | None, reply: bytes, *, first: bool
    ) -> None:
        self._connection.execute(
            "INSERT INTO reply (key_id, topic, correlation, payload, first) VALUES (?, ?, ?, ?, ?)",
            (key_id, topic, correlation, reply, first),
        )
        self._connection.execute(
            "DELETE FROM reply WHERE number IN (SELECT number FROM reply WHERE key_id = ?"
            " AND first = ? ORDER BY number DESC LIMIT -1 OFFSET ?)",
            (key_id, first, MOST_REPLIES_OF_A_KEY),
        )

    def _write(self, work: Callable[[], object]) -> None:
        def change() -> None:
            with transaction(self._connection):
                work()

        self._guarded(change)

    def _guarded(self, work: Callable[[], T]) -> T:
        with self._lock:
            return guarded(self._path, work)


def _rank(one: Noted) -> int:
    """When it was issued; of two of one second, what is on the stricter side comes later."""
    return one.issued + (one.verb in STRICT)


def _hashed(subject: str) -> bytes:
    # Whom a command was about, this file does not tell.
    return hashlib.sha256(subject.encode()).digest()[:16]
