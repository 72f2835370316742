"""The registry's sealed columns: by which key new rows are sealed, and how old ones change theirs.

The header of each sealed value names its key, so a registry may hold two while a rotation is on.
``sealing`` names the key that new rows are sealed by, from the rotation's first transaction on: a
command that began before it and writes after it seals by the new key as well. ``scrub`` counts what
was deleted and not yet erased; killed in between, the next one does it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.adapters.store.erasure import empty_log, rebuild
from agent.adapters.store.knock import GiveWay
from agent.adapters.store.names import HOLDER_NAME
from agent.adapters.store.people.archive.schema import ARCHIVE_KEY, RECORD, WHY
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.people.tombstones import Tombstones
from agent.adapters.store.seal import Sealer
from agent.adapters.store.sqlite import guarded, transaction
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, StoreError

KEY_IS_NEEDED = "EXISTS (SELECT 1 FROM id_document) OR EXISTS (SELECT 1 FROM card)"
"""Whether something that is bound depends on the document key."""
DOCUMENT_KEY = "id document key"
_ERASE_WITHIN_S = 5.0
_BUSY, _GAVE_WAY = sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT
_PUT_BACK = (
    "--config FILE, where the gate's config names its key; else put the key back that sealed names"
    " and faces here"
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A sealed column, and by which purpose and columns of its row its values are bound."""

    table: str
    column: str
    purpose: str
    words: tuple[str, ...] = ()


_COLUMNS = (
    _Column("holder", "sealed_name", HOLDER_NAME, ("id",)),
    _Column("reference", "sealed", "reference", ("holder", "pack", "pack_version")),
    _Column("photograph", "sealed", "photograph", ("holder",)),
    _Column("part", "sealed", "part", ("holder", "pack", "pack_version")),
    _Column("document_key", "sealed", DOCUMENT_KEY),
    _Column("archive", "sealed", RECORD, ("holder",)),
    _Column("archive_key", "sealed", ARCHIVE_KEY),
    _Column("category_change", "sealed_why", WHY, ("holder",)),
)

Place = tuple[int, int]
"""Of a sealed value: the number of its column, and of its row."""
FIRST: Place = (0, -1)


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many values were sealed anew, how many do not open, and the last one's place.

    ``place`` is None where none was left.
    """

    done: int
    closed: int
    place: Place | None


class SealedTables(Tombstones):
    """The registry's tables with what is sealed in them."""

    def __init__(
        self, path: Path, sealer: Sealer | None, new_id: Callable[[datetime], str]
    ) -> None:
        """Open or make the registry; without a ``sealer`` what is sealed stays closed.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        self._sealer = sealer
        self.erased = True
        """Whether the last ``erase`` left nothing of what was deleted."""
        super().__init__(path, new_id)

    def owes_erasure(self) -> bool:
        """Whether something deleted may still be read out of the file or its log."""
        return bool(self._rows("SELECT 1 FROM scrub WHERE due > 0"))

    def erase(self, within_s: float = _ERASE_WITHIN_S) -> bool:
        """Leave nothing of what was deleted in any file; False where somebody reads or writes.

        Then it stays owed, and the running agent does it.

        Raises:
            StoreError: the registry cannot be written.
        """

        def work(due: int) -> bool:
            try:
                with self._giving_way(GiveWay(self._knock)):
                    rebuild(self._connection)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (_BUSY, _GAVE_WAY):
                    raise
                return False
            if not empty_log(self._connection, within_s):
                return False
            with transaction(self._connection):
                # Less what was seen: another process may have deleted something meanwhile.
                self._connection.execute("UPDATE scrub SET due = due - ?", (due,))
            return True

        with self._lock:
            rows = self._rows("SELECT due FROM scrub WHERE due > 0")
            self.erased = False
            self.erased = not rows or guarded(self._path, lambda: work(rows[0][0]))
            return self.erased

    def seal_by(self, key_id: bytes) -> None:
        """New rows are sealed by this key from now on, whoever writes them."""

        def work() -> None:
            self._connection.execute("DELETE FROM sealing")
            self._connection.execute("INSERT INTO sealing (key_id) VALUES (?)", (key_id,))
            # Where neither document nor card is bound nothing depends on its key: the next is new.
            self._connection.execute(
                f"DELETE FROM document_key WHERE NOT ({KEY_IS_NEEDED})"  # noqa: S608 - constants
            )

        self._write(work, counts=False)

    def sealed_otherwise(self, key_id: bytes) -> int:
        """How many values are sealed by another key than this one."""
        counts = (
            f"SELECT count(*) FROM {one.table} WHERE {_otherwise(one)}"  # noqa: S608 - constants
            for one in _COLUMNS
        )
        return sum(self._rows(count, key_id)[0][0] for count in counts)

    def reseal(self, new: Sealer, most: int, after: Place = FIRST) -> Resealed:
        """Seal up to ``most`` values behind ``after`` by ``new``, in one transaction.

        A value that does not open (altered, or under a key that is lost) stays as it is. The
        revision stays too: to whoever has the keys nothing changed.

        Raises:
            KeyUnavailableError: there is no key to open with.
            StoreError: the registry cannot be written.
        """

        def work() -> Resealed:
            done, closed, place = 0, 0, after
            for place, column, words, sealed in self._sealed_otherwise(new.key_id, after, most):
                try:
                    plain = self._need_sealer().open(sealed, column.purpose, *words)
                except (StoreError, KeyUnavailableError):
                    closed += 1
                    continue
                self._connection.execute(
                    f"UPDATE {column.table} SET {column.column} = ? WHERE rowid = ?",  # noqa: S608 - constants
                    (new.seal(plain, column.purpose, *words), place[1]),
                )
                done += 1
            if done:
                self._owe_erasure()
            return Resealed(done, closed, place if done + closed else None)

        self._need_sealer()
        return self._write(work, counts=False)

    def _open(self) -> None:
        super()._open()
        if self._sealer is not None:
            guarded(self._path, self._seal_names)

    def _seal_names(self) -> None:
        """Names of before stood in clear: each is sealed, once."""
        query = "SELECT rowid, id, name FROM holder WHERE sealed_name IS NULL AND name <> ''"
        if self._connection.execute(f"{query} LIMIT 1").fetchone() is None:
            return
        with transaction(self._connection):
            for row, holder, name in self._connection.execute(query).fetchall():
                # Whom a damaged row is about nobody knows: it goes with the row.
                if intact(holder):
                    sealed = self._sealed_name(HolderId(holder), str(name))
                    self._connection.execute(
                        "UPDATE holder SET sealed_name = ?, name = '' WHERE rowid = ?",
                        (sealed, row),
                    )
                    self._owe_erasure()

    def _sealed_name(self, holder: HolderId, name: str) -> bytes:
        return self._sealer_now().seal(name.encode(errors="replace"), HOLDER_NAME, holder)

    def _opened_name(self, holder: str, name: str, sealed: object) -> str | None:
        """The name; None where it cannot be read, for a name decides nothing."""
        if sealed is None:
            return name or None
        if self._sealer is None or not isinstance(sealed, bytes):
            return None
        try:
            return self._sealer.open(sealed, HOLDER_NAME, holder).decode()
        except (KeyUnavailableError, StoreError, UnicodeError):
            return None

    def _owe_erasure(self) -> None:
        """Something was deleted or replaced, within the caller's transaction."""
        self._connection.execute("UPDATE scrub SET due = due + 1")

    def _sealed_otherwise(
        self, key_id: bytes, after: Place, most: int
    ) -> Iterator[tuple[Place, _Column, tuple[str, ...], bytes]]:
        """Values sealed by another key, ``most`` of them, behind a place."""
        left = most
        for number, one in enumerate(_COLUMNS):
            if number < after[0]:
                continue
            fields = ", ".join(("rowid", one.column, *one.words))
            query = (
                f"SELECT {fields} FROM {one.table}"  # noqa: S608 - constants
                f" WHERE {_otherwise(one)} AND rowid > ? ORDER BY rowid LIMIT ?"
            )
            behind = after[1] if number == after[0] else FIRST[1]
            rows = self._connection.execute(query, (key_id, behind, left)).fetchall()
            for row, sealed, *words in rows:
                yield (number, row), one, tuple(words), sealed
            left -= len(rows)

    def _sealer_now(self) -> Sealer:
        """What a new row is sealed by, within the caller's transaction.

        Where the key that was named is on no disk any more (a copy of before, a key made anew), the
        one that is there seals.

        Raises:
            KeyUnavailableError: there is no key.
        """
        sealer = self._need_sealer()
        row = self._connection.execute("SELECT key_id FROM sealing").fetchone()
        return sealer if row is None else sealer.of(row[0]) or sealer

    def _need_sealer(self) -> Sealer:
        if self._sealer is None:
            # A new key would open nothing of what another one sealed.
            fix = _PUT_BACK if self._holds_sealed() else "gate-agent key init"
            raise KeyUnavailableError("this needs the gallery's key", fix)
        return self._sealer

    def _holds_sealed(self) -> bool:
        return any(
            self._connection.execute(
                f"SELECT 1 FROM {one.table} WHERE {one.column} IS NOT NULL LIMIT 1"  # noqa: S608 - constants
            ).fetchone()
            for one in _COLUMNS
        )


def _otherwise(one: _Column) -> str:
    # The key's id stands behind the version's one byte.
    return f"{one.column} IS NOT NULL AND substr({one.column}, 2, 8) IS NOT ?"
