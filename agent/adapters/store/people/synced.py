"""The community's registry taken into this one: all of an update, or nothing of it.

Changes, version, receipts and the event about them are one transaction: killed at any point, the
file has the old registry or the new one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.adapters.store.people.merged import BY, MergedRows, Taking
from agent.adapters.store.sqlite import stored_moment
from agent.credentials.signed.receipt import Receipt
from agent.credentials.signed.update import Part, Step, UpdateError
from agent.domain.record.events import EventType
from agent.domain.record.registry_sync import SyncReason


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the registry is: version 0 was never synced; ``key_id`` signed the last update."""

    version: int = 0
    at: datetime | None = None
    key_id: str | None = None
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt that is not acknowledged yet."""

    number: int
    id: bytes
    signed: bytes = field(repr=False)


class SyncedRegistry(MergedRows):
    """The registry as registry sync writes it; a connection of its own, beside the agent's."""

    def standing(self) -> Standing:
        """How far it is.

        Raises:
            StoreError: the registry cannot be read.
        """
        rows = self._rows("SELECT version, at, key_id, snapshot FROM synced")
        if not rows:
            return Standing()
        version, at, key_id, snapshot = rows[0]
        return Standing(int(version), stored_moment(at), str(key_id), bool(snapshot))

    def take(
        self, step: Step, parts: Callable[[], Iterable[Part]], how: Taking
    ) -> Mapping[str, int]:
        """Take a whole update over in one transaction; what changed, counted by kind.

        ``parts`` are read one after the other. Whoever writes meanwhile comes first: then the
        update begins again, and what they wrote stands as if it had been there before.

        Raises:
            UpdateError: ``replayed`` or ``gap``; what reading a part raises. Nothing changed.
            KeyUnavailableError: a key is missing that seals, or names who was removed.
            StoreError: the registry cannot be written.
        """

        def work() -> Mapping[str, int]:
            stands = self.standing().version
            if step.version <= stands:
                raise UpdateError(SyncReason.REPLAYED, "a version that is here, or one before it")
            if not step.is_snapshot and step.since != stands:
                raise UpdateError(SyncReason.GAP, "from a version that is not here")
            merge = self._begin_merge(step, how)
            key_id = ""
            for part in parts():
                key_id, merge.issued_s = part.key_id.hex(), part.issued_s
                for entry in part.entries:
                    self._give_way()
                    self._merge(merge, entry)
            self._end_merge(merge)
            self._connection.execute(
                "REPLACE INTO synced (only_row, version, at, key_id, snapshot)"
                " VALUES (1, ?, ?, ?, ?)",
                (step.version, how.now.utc.isoformat(), key_id, int(step.is_snapshot)),
            )
            counts = dict(merge.counts)
            data = {
                "version_from": step.since,
                "version_to": step.version,
                "snapshot": step.is_snapshot,
                "key_id": key_id,
                "counts": counts,
            }
            self._log(EventType.REGISTRY_UPDATED, data, BY, how.now)
            return counts

        self._need_sealer()
        return self._write_at_length(work)

    def receipts(self, most: int) -> list[Waiting]:
        """The oldest receipts that wait to be acknowledged."""
        rows = self._rows("SELECT number, id, signed FROM receipt ORDER BY number LIMIT ?", most)
        return [Waiting(number, one, signed) for number, one, signed in rows]

    def receipts_waiting(self) -> int:
        """How many there are."""
        count: int = self._rows("SELECT count(*) FROM receipt")[0][0]
        return count

    def add_receipt(self, receipt: Receipt, how: Taking) -> None:
        """One more, which did not come of an update's own transaction; once for its id."""
        self._write(lambda: self._keep_receipt(receipt, how), counts=False)

    def acknowledged(self, ids: Sequence[bytes]) -> int:
        """The registry has these, and they are forgotten; how many of them were waiting."""

        def work() -> int:
            query = "DELETE FROM receipt WHERE id = ?"
            gone = sum(self._connection.execute(query, (one,)).rowcount for one in ids)
            left = self._connection.execute("SELECT 1 FROM receipt LIMIT 1").fetchone()
            if gone and left is None:
                # Each named somebody. Not after each of them: the file is built anew for it.
                self._owe_erasure()
            return gone

        return self._write(work, counts=False)
