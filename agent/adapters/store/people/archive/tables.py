"""Records of the archive beside their holders, and by which category each came."""

import hashlib
import hmac
import os
from collections.abc import Iterator

from agent.adapters.store.people.archive.schema import ARCHIVE_KEY, RECORD, WHY, read, written
from agent.adapters.store.people.people_rows import PeopleRows
from agent.adapters.store.people.rows.holder_rows import holder_of_row
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.sqlite import stored_moment
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.registers.record import NOTHING, CategoryChange, Record
from agent.domain.registers.resident_code import ResidentCode
from agent.errors import KeyUnavailableError, RefusedError, StoreError

_AT_ONCE = 500
_KEY_BYTES = 32


class ArchiveTables(PeopleRows):
    """Implements ``ports.Archive``; writing is within the transaction of what it belongs to."""

    def record_of(self, holder: HolderId) -> Record | None:
        """The record of a holder; None where there is none.

        Raises:
            KeyUnavailableError: it is sealed, and the key for that is missing.
            StoreError: it was altered.
        """
        rows = self._rows("SELECT sealed FROM archive WHERE holder = ?", holder)
        return None if not rows else self._opened_record(holder, rows[0][0])

    def records(self) -> Iterator[tuple[HolderId, Record | None]]:
        """Every record, a few at a time, by holder; None for what was altered.

        Raises:
            KeyUnavailableError: they are sealed, and the key for that is missing.
        """
        query = "SELECT holder, sealed FROM archive WHERE holder > ? ORDER BY holder LIMIT ?"
        last = ""
        while rows := self._rows(query, last, _AT_ONCE):
            for holder, sealed in rows:
                try:
                    yield HolderId(holder), self._opened_record(holder, sealed)
                except StoreError:
                    yield HolderId(holder), None
            last = rows[-1][0]

    def holder_of_code(self, code: ResidentCode) -> HolderId | None:
        """Whose resident code it is; None where it is nobody's.

        Raises:
            KeyUnavailableError: the key is missing by which codes are hashed.
        """
        return self._read(lambda: self._owner_of(code))

    def category_changes(self, holder: HolderId) -> list[CategoryChange]:
        """How a holder came into their category, the oldest first."""
        query = (
            "SELECT number, was, became, at, by, sealed_why, undoes FROM category_change"
            " WHERE holder = ? ORDER BY number"
        )
        return [
            CategoryChange(
                number, holder, was, became, stored_moment(at), by, self._why(holder, why), undoes
            )
            for number, was, became, at, by, why, undoes in self._rows(query, holder)
        ]

    def _keep_record(self, holder: HolderId, record: Record) -> bool:
        """Within the caller's transaction; False where it is so already.

        Raises:
            RefusedError: ``code_taken``: the resident code is another holder's.
            KeyUnavailableError: there is no key to seal with.
        """
        sealer = self._sealer_now()
        rows = self._connection.execute(
            "SELECT sealed FROM archive WHERE holder = ?", (holder,)
        ).fetchall()
        if rows and self._same(holder, rows[0][0], record):
            return False
        if not rows and record == NOTHING:
            return False
        if record.code is not None and self._owner_of(record.code) not in (None, holder):
            raise RefusedError("code_taken", "the resident code is another holder's")
        hashed = None if record.code is None else self._hash(record.code)
        self._connection.execute(
            "REPLACE INTO archive (holder, code_hash, sealed) VALUES (?, ?, ?)",
            (holder, hashed, sealer.seal(written(record), RECORD, holder)),
        )
        if rows:
            self._owe_erasure()
        return True

    def _note_category(
        self,
        before: Holder | None,
        after: Holder,
        by: str,
        now: Instant,
        why: str | None = None,
        undoes: int | None = None,
    ) -> None:
        """Within the caller's transaction: where the category is another, the change is kept."""
        if before is None or before.category == after.category:
            return
        sealed = None if why is None else self._sealer_now().seal(why.encode(), WHY, after.id)
        self._connection.execute(
            "INSERT INTO category_change (holder, was, became, at, by, sealed_why, undoes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(after.id, before.category, after.category, now.utc.isoformat(), by),
                *(sealed, undoes),
            ),
        )

    def _holder_at(self, holder: HolderId) -> Holder | None:
        """One holder by the index, which is right once no damaged row is about them."""
        for row in self._judged("holder", "holder WHERE id = ?", holder):
            return holder_of_row(row, self._opened_name)
        return None

    def _owner_of(self, code: ResidentCode) -> HolderId | None:
        key = self._archive_key()
        if key is None:
            return None
        query = "SELECT holder FROM archive WHERE code_hash = ?"
        rows = self._connection.execute(query, (_hashed(key, code),)).fetchall()
        return HolderId(rows[0][0]) if rows and intact(rows[0][0]) else None

    def _hash(self, code: ResidentCode) -> str:
        key = self._archive_key()
        if key is None:
            key = os.urandom(_KEY_BYTES)
            sealed = self._sealer_now().seal(key, ARCHIVE_KEY)
            self._connection.execute("INSERT INTO archive_key (sealed) VALUES (?)", (sealed,))
        return _hashed(key, code)

    def _archive_key(self) -> bytes | None:
        row = self._connection.execute("SELECT sealed FROM archive_key").fetchone()
        return None if row is None else self._need_sealer().open(row[0], ARCHIVE_KEY)

    def _opened_record(self, holder: str, sealed: bytes) -> Record:
        plain = self._need_sealer().open(sealed, RECORD, holder)
        try:
            return read(plain)
        except ValueError as error:
            raise StoreError("a record of the archive is of an unknown form") from error

    def _same(self, holder: HolderId, sealed: bytes, record: Record) -> bool:
        try:
            return self._opened_record(holder, sealed) == record
        except (StoreError, KeyUnavailableError):
            return False

    def _why(self, holder: HolderId, sealed: object) -> str | None:
        if self._sealer is None or not isinstance(sealed, bytes):
            return None
        try:
            return self._sealer.open(sealed, WHY, holder).decode()
        except (KeyUnavailableError, StoreError, UnicodeError):
            return None


def _hashed(key: bytes, code: ResidentCode) -> str:
    return hmac.new(key, str(code).encode(), hashlib.sha256).hexdigest()
