"""The registry's file: read in one state, written in whole transactions, followed when put back."""

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from agent.adapters.store.knock import GiveWay, Knock
from agent.adapters.store.people.archive.schema import STEP as ARCHIVE
from agent.adapters.store.people.reading import Reading
from agent.adapters.store.people.rows.touched import CARD_STEP, forget_old
from agent.adapters.store.people.rows.touched import STEP as TOUCHED
from agent.adapters.store.sqlite import (
    COUNT,
    CorruptError,
    file_identity,
    guarded,
    open_database,
    transaction,
)
from agent.errors import StoreError

APPLICATION_ID = 0x67_41_72_67  # "gArg"
_STEPS = (
    """
    CREATE TABLE revision (number INTEGER NOT NULL);
    INSERT INTO revision VALUES (1);
    CREATE TABLE holder (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        category TEXT NOT NULL,
        enabled INTEGER NOT NULL,
        valid_from TEXT,
        valid_until TEXT
    );
    CREATE TABLE reference (
        number INTEGER PRIMARY KEY,
        holder TEXT NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
        pack TEXT NOT NULL,
        pack_version TEXT NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE INDEX reference_of ON reference (holder);
    CREATE TABLE photograph (
        number INTEGER PRIMARY KEY,
        holder TEXT NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
        sealed BLOB NOT NULL
    );
    CREATE TABLE change_log (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        time TEXT NOT NULL,
        clock_synced INTEGER NOT NULL,
        data TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE issuer_key (
        key_id TEXT PRIMARY KEY,
        issuer TEXT NOT NULL,
        public BLOB NOT NULL,
        valid_from TEXT,
        valid_until TEXT
    );
    CREATE TABLE revoked_pass (pass TEXT PRIMARY KEY);
    CREATE TABLE id_document (
        number_hash TEXT PRIMARY KEY,
        holder TEXT NOT NULL UNIQUE REFERENCES holder (id) ON DELETE CASCADE
    );
    """,
    # Hashes bound before have no key beside them and would be dead: they were never in use.
    """
    CREATE TABLE document_key (sealed BLOB NOT NULL);
    DELETE FROM id_document;
    """,
    # Rows of before have no mark (``marks``); they get one as soon as the file is open, once.
    """
    ALTER TABLE holder ADD COLUMN mark TEXT;
    ALTER TABLE issuer_key ADD COLUMN mark TEXT;
    ALTER TABLE revoked_pass ADD COLUMN mark TEXT;
    ALTER TABLE id_document ADD COLUMN mark TEXT;
    CREATE TABLE tombstone (
        holder_hash TEXT PRIMARY KEY,
        key_id TEXT NOT NULL,
        removed_at TEXT NOT NULL,
        dies_at TEXT,
        mark TEXT
    );
    CREATE TABLE adopted (step INTEGER PRIMARY KEY);
    """,
    """
    CREATE TABLE delegated_key (
        key_id TEXT PRIMARY KEY,
        statement BLOB NOT NULL,
        valid_from TEXT,
        valid_until TEXT
    );
    """,
    # Names stood in clear, and what was deleted could be read out of the file (``sealed_tables``).
    """
    ALTER TABLE holder ADD COLUMN sealed_name BLOB;
    CREATE TABLE sealing (key_id BLOB NOT NULL);
    CREATE TABLE scrub (due INTEGER NOT NULL);
    INSERT INTO scrub SELECT count(*) > 0 FROM holder;
    """,
    # A reference of before is of one photograph, and its own only part.
    """
    CREATE TABLE part (
        number INTEGER PRIMARY KEY,
        reference INTEGER NOT NULL REFERENCES reference (number) ON DELETE CASCADE,
        holder TEXT NOT NULL,
        pack TEXT NOT NULL,
        pack_version TEXT NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE INDEX part_of ON part (reference);
    CREATE INDEX reference_by_pack ON reference (pack, pack_version, holder);
    CREATE INDEX part_of_holder ON part (holder);
    """,
    # What the people's own scores make of the threshold, so that a start goes on with it.
    """
    CREATE TABLE site_bound (
        pack TEXT NOT NULL,
        pack_version TEXT NOT NULL,
        scores TEXT NOT NULL,
        PRIMARY KEY (pack, pack_version)
    );
    """,
    # Updates of the community's registry (``synced``). Who was removed before, was removed here.
    """
    ALTER TABLE holder ADD COLUMN consent_notice TEXT;
    ALTER TABLE holder ADD COLUMN consent_at TEXT;
    ALTER TABLE tombstone ADD COLUMN here INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE synced_holder (
        holder TEXT PRIMARY KEY REFERENCES holder (id) ON DELETE CASCADE,
        enabled INTEGER NOT NULL
    );
    CREATE TABLE synced_issuer (key_id TEXT PRIMARY KEY);
    CREATE TABLE synced (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        version INTEGER NOT NULL,
        at TEXT NOT NULL,
        key_id TEXT NOT NULL,
        snapshot INTEGER NOT NULL
    );
    CREATE TABLE receipt (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id BLOB NOT NULL UNIQUE,
        signed BLOB NOT NULL
    );
    """,
    # The community's rules for categories, over the config's.
    """
    CREATE TABLE category_rule (
        category TEXT PRIMARY KEY,
        rules TEXT NOT NULL,
        said_by TEXT NOT NULL,
        said_at TEXT NOT NULL,
        mark TEXT
    );
    """,
    # When somebody here last said something of a holder or a key (``said_here``).
    """
    CREATE TABLE said_here (
        subject TEXT PRIMARY KEY,
        monotonic_s REAL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    # Whoever holds the registry in memory reads what was touched, and not all of it.
    TOUCHED,
    # The community's archive: records of holders, and how each came into their category.
    ARCHIVE,
    # Cards by the keyed hashes of their numbers (``card_tables``).
    CARD_STEP,
)
FORMAT = len(_STEPS)
"""The file's form; an agent that knows fewer refuses it."""
_REVISION = "SELECT number FROM revision"
_FAR = 2**40
"""Further than changes ever count."""
_STEPS_BETWEEN = 2000
"""Of SQLite's machine, some hundredth of a millisecond, between two looks at who knocks."""
T = TypeVar("T")


class _GaveWayError(Exception):
    """Somebody else comes first."""


class RegistryFile:
    """One connection behind a lock, for any number of threads; and one for the gate's frames."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at ``path``.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        self._path = path
        self._lock = threading.RLock()
        self._knock = Knock(path.parent)
        self._way: GiveWay | None = None
        self._closed = False
        self._seen_revision = 0
        self._reading = Reading(path, _text)
        self._open()

    def revision(self) -> int:
        """Rises with every change, whichever process made it; cheap enough to poll.

        It rises as well where an older copy of the file was put back under a running agent.

        Raises:
            CorruptError: it was lost; it is there again, further than it ever was.
        """
        with self._lock:
            rows = self._rows(_REVISION)
            if not _counts(rows):
                self._write(self._begin_again, counts=False)
                raise CorruptError(
                    f"{self._path.name} was damaged: it had no revision, and has one"
                )
            number: int = rows[0][0]
            self._seen_revision = number
            return number

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        self._reading.close()
        with self._lock:
            self._closed = True
            self._connection.close()

    def _open(self) -> None:
        self._connection = open_database(self._path, APPLICATION_ID, _STEPS, judges_rows=True)
        # A damaged text is met where its row is judged, and not while others are read.
        self._connection.text_factory = _text
        self._identity = file_identity(self._path)

    def _follow(self) -> None:
        """Where another file was put in the place of this one, that one holds from now on."""
        if self._closed:
            raise StoreError(f"{self._path.name} is closed")
        identity = file_identity(self._path)
        if identity == self._identity:
            return
        if identity is None:
            fix = f"put {self._path} back from a backup"
            raise StoreError(f"{self._path.name} is gone", fix)
        self._connection.close()
        self._open()
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE revision SET number = max(number, ?) + 1", (self._seen_revision,)
            )

    def _mend_revision(self) -> None:
        """At the start nobody has seen one: it may be any, and the start goes on."""
        if not _counts(self._connection.execute(_REVISION).fetchall()):
            with transaction(self._connection):
                self._begin_again()

    def _begin_again(self) -> None:
        """A revision in the place of one that was lost; no process takes it for one that it saw."""
        number = secrets.randbelow(_FAR) + _FAR
        self._connection.execute("DELETE FROM revision")
        self._connection.execute("INSERT INTO revision (number) VALUES (?)", (number,))

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        return self._read(lambda: self._connection.execute(query, parameters).fetchall())

    def _read(self, work: Callable[[], T]) -> T:
        """``work`` on one state of the file."""

        def snapshot() -> T:
            if self._connection.in_transaction:
                return work()
            self._follow()
            self._connection.execute("BEGIN")
            try:
                return work()
            finally:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")

        with self._lock:
            return guarded(self._path, snapshot)

    def _write(self, work: Callable[[], T], *, counts: bool = True) -> T:
        """``work`` in one transaction; if it ``counts`` and changed a row, the revision rises."""
        with self._knock.knocking(), self._lock:
            return guarded(self._path, lambda: self._changed(work, counts=counts))

    def _write_at_length(self, work: Callable[[], T]) -> T:
        """``work`` as it counts, but whoever writes meanwhile comes first: then it begins again.

        Nothing of what ``work`` does is left by then; where it loops, it calls ``_give_way``.
        """
        listens = True
        while True:
            way = GiveWay(self._knock) if listens else None

            def heedful(way: GiveWay | None = way) -> T:
                # Not around the transaction: what is undone must not be interrupted.
                with self._giving_way(way):
                    return work()

            try:
                with self._lock:
                    return guarded(self._path, lambda: self._changed(heedful, counts=True))
            except (_GaveWayError, StoreError):
                if way is None or not way.gave:
                    raise
            listens = self._knock.wait()

    @contextlib.contextmanager
    def _giving_way(self, way: GiveWay | None) -> Iterator[None]:
        """Whatever the connection does in the block ends as interrupted where ``way`` says so."""
        if way is None:
            yield
            return
        self._way = way
        self._connection.set_progress_handler(way.must, _STEPS_BETWEEN)
        try:
            yield
        finally:
            self._way = None
            with contextlib.suppress(sqlite3.Error):
                self._connection.set_progress_handler(None, 0)

    def _give_way(self) -> None:
        if self._way is not None and self._way.must():
            raise _GaveWayError

    def _changed(self, work: Callable[[], T], *, counts: bool) -> T:
        self._follow()
        with transaction(self._connection):
            before = self._connection.total_changes
            answer = work()
            if self._connection.total_changes != before:
                if counts:
                    self._connection.execute("UPDATE revision SET number = number + 1")
                    self._connection.execute(COUNT)
                forget_old(self._connection)
        return answer


def _counts(rows: Sequence[Sequence[Any]]) -> bool:
    return len(rows) == 1 and isinstance(rows[0][0], int)


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
