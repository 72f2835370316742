"""Tombstones: who was removed, as the registry keeps it, and the key by which it is hashed.

The key lies in a file of its own beside the registry, made with the first tombstone: the gallery's
key may change, and a pass that was taken from somebody stays so. Each tombstone names the key that
made it; one of another key is about somebody whom nobody can name any more.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from agent.adapters.store.keys import init_key, load_key
from agent.adapters.store.names import TOMBSTONE_KEY_NAME
from agent.adapters.store.people.rows.marked_rows import Row
from agent.adapters.store.people.rule_tables import RuleTables
from agent.adapters.store.people.said_here import of_holder
from agent.adapters.store.sqlite import moment_or_none, stored_moment, text_or_none
from agent.domain.access.tombstone import Removed, tombstone_hash
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant
from agent.errors import KeyUnavailableError, RefusedError

_KEY_ID_DIGITS = 16
_UNKNOWN = ""
"""In the place of a time that nobody knew."""
_MARGIN = timedelta(days=1)
"""Beyond the last pass that a tombstone revokes, before it is forgotten."""


class Tombstones(RuleTables):
    """The registry's table of those who were removed."""

    def __init__(self, path: Path, new_id: Callable[[datetime], str]) -> None:
        """Open or make the registry.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        super().__init__(path, new_id)
        self._tombstone_key_path = path.with_name(TOMBSTONE_KEY_NAME)
        self._tombstone_lock = threading.Lock()
        self._known_tombstone_key: bytes | None = None

    def removed(self) -> Removed:
        """Everybody who was removed, as far as it can be read; the rest makes it incomplete."""
        rows = self._marked("tombstone")
        if not rows:
            return Removed()
        try:
            key = self._tombstone_key(make=False)
        except KeyUnavailableError:
            return Removed(incomplete=True)
        made_by = _key_id(key)
        at: dict[str, datetime | None] = {}
        incomplete = False
        for row in rows:
            moment = _removed_at(row) if row.verdict.whole else None
            for one in row.verdict.subjects:
                at[one] = moment
            foreign = row.verdict.whole and row.values["key_id"] != made_by
            incomplete |= foreign or not row.verdict.subjects
        return Removed(at, key, incomplete)

    def is_late(self, subject: str, issued_s: int) -> bool:
        """Whether something else was said of it since ``issued_s``, or may have been.

        Of a holder so too where somebody of this id was removed since.
        """
        if super().is_late(subject, issued_s):
            return True
        holder = subject.partition(":")[2]
        if of_holder(holder) != subject or not self._rows("SELECT 1 FROM tombstone LIMIT 1"):
            return False
        try:
            key = self._tombstone_key(make=False)
        except KeyUnavailableError:
            return True  # nobody knows any more who was removed
        return super().is_late(_of_removed(key, HolderId(holder)), issued_s)

    def _say_removed(self, holder: HolderId, now: Instant, issued_s: int | None) -> None:
        """Within the caller's transaction: they were removed, now or when that was signed."""
        self._forget_said(of_holder(holder))
        subject = _of_removed(self._tombstone_key(make=True), holder)
        if issued_s is None:
            self._say_here(subject, now)
        else:
            self._say_then(subject, issued_s)

    def _bury(
        self,
        holder: HolderId,
        key: bytes,
        removed_at: datetime | None,
        *,
        sure: bool,
        here: bool = True,
    ) -> None:
        """Put or renew the holder's tombstone, within the caller's transaction.

        ``here``: by somebody at this kiosk, not by the community's registry.

        Without a time it revokes every pass. It never revokes fewer than the one before; but where
        the time is ``sure``, that one may have been of a clock that was wrong. Nor does it die
        earlier.
        """
        name = tombstone_hash(key, holder)
        dies_at = self._passes_end()
        for row in self._marked("tombstone", "WHERE holder_hash = ?", name):
            before = _removed_at(row) if row.verdict.whole else removed_at
            if not sure:
                known = None not in (removed_at, before)
                removed_at = max(filter(None, (removed_at, before))) if known else None
            ended = _dies_at(row)
            dies_at = None if dies_at is None or ended is None else max(dies_at, ended)
        self._clear_damage("tombstone", name)
        self._connection.execute(
            "INSERT INTO tombstone (holder_hash, key_id, removed_at, dies_at, here)"
            " VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (holder_hash) DO UPDATE SET key_id = excluded.key_id,"
            " removed_at = excluded.removed_at, dies_at = excluded.dies_at, here = excluded.here",
            (
                *(name, _key_id(key), text_or_none(removed_at) or _UNKNOWN),
                *(text_or_none(dies_at), int(here)),
            ),
        )
        self._mark("tombstone", name)

    def _outlived(self, now: Instant, at_least: datetime | None) -> None:
        """Forget tombstones whose last pass has ended, within the caller's transaction.

        By a time that was confirmed, and no later than now: one source that is wrong for an hour
        would make everybody unremoved.
        """
        if not now.utc_trusted or at_least is None:
            return
        surely = min(now.utc, at_least)
        for row in [*self._each("tombstone")]:
            ends = _dies_at(row)
            if row.verdict.whole and ends is not None and ends + _MARGIN < surely:
                self._connection.execute("DELETE FROM tombstone WHERE rowid = ?", (row.number,))

    def _prolong(self) -> None:
        """A key is believed for longer: so are the passes that tombstones revoke."""
        ends = self._passes_end()
        for row in [*self._each("tombstone")]:
            dies_at = _dies_at(row)
            if row.verdict.whole and dies_at is not None and (ends is None or ends > dies_at):
                self._connection.execute(
                    "UPDATE tombstone SET dies_at = ? WHERE rowid = ?",
                    (text_or_none(ends), row.number),
                )
                self._mark_row("tombstone", row.number)

    def _passes_end(self) -> datetime | None:
        """When no pass of today is believed any more; None where none of the keys has an end."""
        keys = self.issuers()
        damaged = any(not row.verdict.whole for row in self._each("issuer_key"))
        ends = [key.valid_until for key in keys if key.valid_until is not None]
        return max(ends) if ends and len(ends) == len(keys) and not damaged else None

    def _tombstone_key(self, *, make: bool) -> bytes:
        """The key; to ``make`` one where there is none.

        Raises:
            KeyUnavailableError: it is missing, open to others, or no key.
        """
        with self._tombstone_lock:
            path = self._tombstone_key_path
            if make and not path.exists():
                with contextlib.suppress(RefusedError):  # another process was faster
                    init_key(path)
            if self._known_tombstone_key is None or make or not path.exists():
                try:
                    self._known_tombstone_key = load_key(path)
                except KeyUnavailableError as error:
                    fix = f"put {path} back from a backup, readable by its owner only (mode 0600)"
                    raise KeyUnavailableError(str(error).splitlines()[0], fix) from error
            return self._known_tombstone_key


def _of_removed(key: bytes, holder: HolderId) -> str:
    return f"removed:{tombstone_hash(key, holder)}"


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"gate-agent tombstone key id" + key).hexdigest()[:_KEY_ID_DIGITS]


def _removed_at(row: Row) -> datetime | None:
    try:
        return stored_moment(row.values["removed_at"])
    except (ValueError, TypeError):
        return None


def _dies_at(row: Row) -> datetime | None:
    try:
        return moment_or_none(row.values["dies_at"])
    except (ValueError, TypeError):
        return None
