"""Who is in the registry, as a gate holds it in memory: read whole once, then what was touched.

    the place of before is in the log     else whole
    nothing of before was damaged         else whole: what a lost row forbids is told by all of it
    each row that was touched reads well  else whole
    as many holders as there are rows     else whole

To read all of 100,000 holders takes more than a second, and one who was disabled must not come in
for that long.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.adapters.store.people.part_tables import PartTables
from agent.adapters.store.people.pass_tables import issuer_of
from agent.adapters.store.people.rows import touched
from agent.adapters.store.people.rows.holder_rows import (
    HolderRows,
    KnownHolders,
    NameOf,
    holder_of_row,
    no_name,
)
from agent.adapters.store.people.rows.marked_rows import Row
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.people.rows.touched import Place, Touched
from agent.adapters.store.sqlite import CorruptError
from agent.domain.access.tombstone import Removed
from agent.domain.credential.card import Card
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.errors import KeyUnavailableError
from agent.ports import Damage, Picture

_ROWS_BY = "SELECT rowid FROM holder WHERE {} = ?"
_MOST_FOLLOWED = 4096
"""Holders beyond which one row after the other takes about as long as all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """What a picture was made of: ``handles`` are those of ``ids``.

    The ``nameless`` are read again each time: a name that could not be opened may be readable.
    """

    place: Place
    key_id: bytes | None
    ids: list[HolderId]
    handles: npt.NDArray[np.int64]
    nameless: frozenset[HolderId]

    def after(
        self,
        place: Place,
        ids: frozenset[HolderId],
        handles: Mapping[HolderId, int],
        holders: Mapping[HolderId, Holder],
    ) -> "_Standing":
        """The same at ``place``, where of ``ids`` there are those who have ``handles``."""
        stay = np.array([one not in ids for one in self.ids], dtype=bool)
        return _Standing(
            place,
            self.key_id,
            [*(one for one in self.ids if one not in ids), *handles],
            np.concatenate((self.handles[stay], np.array([*handles.values()], dtype=np.int64))),
            frozenset(one for one in handles if holders[one].name is None),
        )


class _UnsureError(Exception):
    """What was touched does not tell; all of it does."""


class PeopleRows(PartTables):
    """The registry's holders and what is known of them, in one look."""

    def _open(self) -> None:
        self._known = KnownHolders()
        super()._open()

    def picture(self, before: Picture | None = None) -> Picture:
        """Everybody as they are now; only what was touched is read where ``before`` allows it.

        Raises:
            StoreError: the registry cannot be read.
        """

        def work() -> Picture:
            if before is not None and isinstance(before.place, _Standing):
                try:
                    return self._followed(before, before.place)
                except _UnsureError:
                    pass
            return self._whole_picture()

        return self._read(work)

    def holders(self) -> list[Holder]:
        """Every holder, by id.

        Raises:
            CorruptError: a row cannot be read.
        """
        rows = self._holder_rows(KnownHolders(), self._opened_name)
        if rows.unreadable or rows.broken:
            raise CorruptError("a holder's row in the registry is damaged")
        return rows.holders

    def readable_holders(self) -> list[Holder]:
        """Every holder whose row can be read, by id."""
        return self._holder_rows(KnownHolders(), self._opened_name).holders

    def people(self) -> tuple[list[Holder], Damage]:
        """``readable_holders`` and ``damage``, by one look at each row.

        A row that reads as it did when this was asked last is not judged again.
        """

        def work() -> tuple[list[Holder], Damage]:
            rows = self._holder_rows(self._known, self._opened_name)
            return rows.holders, self._damage(rows)

        return self._read(work)

    def holder(self, holder: HolderId) -> Holder | None:
        """One holder, or None; so too where the row cannot be read."""
        found = [
            holder_of_row(row, self._opened_name)
            for row in self._marked("holder", "WHERE id = ?", holder)
        ]
        # Of two rows nobody knows which holds.
        return found[0] if len(found) == 1 else None

    def damage(self) -> Damage:
        """The rows that cannot be read, references aside."""
        return self._read(lambda: self._damage(self._holder_rows(KnownHolders())))

    def _whole_picture(self) -> Picture:
        place = touched.newest(self._connection)
        rows = self._holder_rows(self._known, self._opened_name)
        damage = self._damage(rows)
        holders = {one.id: one for one in rows.holders}
        stands = None
        if place is not None and not damage.rows:
            nameless = frozenset(one.id for one in rows.holders if one.name is None)
            handles = np.array(rows.handles, dtype=np.int64)
            stands = _Standing(place, self._key_id(), [*holders], handles, nameless)
        return Picture(
            holders,
            damage,
            self.documents(),
            self.revoked(),
            self.removed(),
            place=stands,
            cards=self.cards(),
        )

    def _followed(self, before: Picture, stands: _Standing) -> Picture:
        """``before`` with what was touched since.

        Raises:
            _UnsureError: that cannot be told for sure, or something cannot be read.
        """
        place = touched.newest(self._connection)
        found = None if place is None else touched.since(self._connection, stands.place, place)
        if place is None or found is None or stands.key_id != self._key_id():
            raise _UnsureError
        self._need(not self._damaged_issuers() and not self._damaged_changes())
        self._need(all(row.verdict.whole for row in self._marked("category_rule")))
        ids = self._touched_ids(before, stands, found.holders)
        holders, handles = self._followed_holders(before.holders, ids)
        return Picture(
            holders,
            Damage(),
            self._followed_documents(before.documents, found),
            self._followed_revoked(before.revoked, found),
            self._followed_removed(before.removed, found),
            frozenset(ids),
            found.references,
            stands.after(place, ids, handles, holders),
            self._followed_cards(before.cards, found),
        )

    def _touched_ids(
        self, before: Picture, stands: _Standing, handles: frozenset[int]
    ) -> frozenset[HolderId]:
        """Whom these handles are, or were; and whose name could not be read.

        Raises:
            _UnsureError: nobody knows of one of them, or there are too many.
        """
        self._need(len(handles) + len(stands.nameless) <= _MOST_FOLLOWED)
        at = np.flatnonzero(np.isin(stands.handles, np.array([*handles], dtype=np.int64)))
        ids = {stands.ids[place] for place in at.tolist()}
        known = set(stands.handles[at].tolist())
        for handle in handles:
            rows = self._found("handle", handle)
            for row in rows:
                one = row.values["id"]
                if not intact(one) or row.values["handle"] != handle:
                    raise _UnsureError
                if handle not in known and one in before.holders and one not in ids:
                    raise _UnsureError  # of the handle that they had before nothing was told
                ids.add(HolderId(one))
            if not rows and handle not in known:
                raise _UnsureError  # it came and went, or it is lost
        return frozenset(ids | stands.nameless)

    def _followed_holders(
        self, before: Mapping[HolderId, Holder], ids: Iterable[HolderId]
    ) -> tuple[Mapping[HolderId, Holder], dict[HolderId, int]]:
        """All holders, and the handles of ``ids``."""
        holders, handles = dict(before), {}
        for one in ids:
            rows = self._found("id", one)
            holder = holder_of_row(rows[0], self._opened_name) if len(rows) == 1 else None
            if holder is not None and holder.id == one:
                holders[one] = holder
                handle = rows[0].values["handle"]
                handles[one] = handle if isinstance(handle, int) else 0
            elif rows:
                raise _UnsureError
            else:
                holders.pop(one, None)
        self._need(len(holders) == self._count("holder"))
        return holders, handles

    def _found(self, column: str, value: object) -> list[Row]:
        """The rows of holders that an index names, as they stand there, and not in the index."""
        return self._marked("holder", f"WHERE rowid IN ({_ROWS_BY.format(column)})", value)

    def _followed_documents(
        self, before: Mapping[str, HolderId], found: Touched
    ) -> Mapping[str, HolderId]:
        if "id_document" not in found.tables:
            return before
        documents = self.documents()
        self._need(len(documents) == self._count("id_document"))
        return documents

    def _followed_cards(self, before: Mapping[str, Card], found: Touched) -> Mapping[str, Card]:
        if "card" not in found.tables:
            return before
        cards = self.cards()
        self._need(len(cards) == self._count("card"))
        return cards

    def _followed_revoked(self, before: frozenset[PassId], found: Touched) -> frozenset[PassId]:
        if "revoked_pass" not in found.tables:
            return before
        rows = self._marked("revoked_pass")
        self._need(all(row.verdict.whole for row in rows))
        return frozenset(PassId(one) for row in rows for one in row.verdict.subjects)

    def _followed_removed(self, before: Removed, found: Touched) -> Removed:
        if "tombstone" in found.tables:
            self._need(all(row.verdict.whole for row in self._marked("tombstone")))
            removed = self.removed()
        else:
            removed = before
        try:
            same_key = not removed.at or removed.key == self._tombstone_key(make=False)
        except KeyUnavailableError:
            same_key = False
        self._need(same_key and not removed.incomplete)
        return removed

    def _count(self, table: str) -> int:
        """How many rows there are, whatever the indexes say."""
        query = f"SELECT count(*) FROM {table} NOT INDEXED"  # noqa: S608 - constants
        count: int = self._connection.execute(query).fetchone()[0]
        return count

    @staticmethod
    def _need(sure: bool) -> None:  # noqa: FBT001 - it is what is asserted
        if not sure:
            raise _UnsureError

    def _key_id(self) -> bytes | None:
        return None if self._sealer is None else self._sealer.key_id

    def _holder_rows(self, known: KnownHolders, name_of: NameOf = no_name) -> HolderRows:
        def work() -> HolderRows:
            # One row at a time: rows and holders are not in memory side by side.
            rows = self._raw("holder", "holder NOT INDEXED ORDER BY id")
            return known.read(rows, lambda row: self._row("holder", row), name_of)

        return self._read(work)

    def _damage(self, holders: HolderRows) -> Damage:
        broken = {
            kind: [row for row in self._marked(table) if not _READS.get(kind, _whole)(row)]
            for kind, table in _KINDS.items()
        }
        counts = {kind: len(found) for kind, found in broken.items()}
        counts["holders"] = holders.broken
        counts["issuers"] += self._damaged_delegations()
        counts["changes"] = self._damaged_changes()
        if self.removed().incomplete:
            counts["removals"] = max(counts["removals"], 1)
        return Damage(
            {kind: count for kind, count in counts.items() if count},
            holders.unreadable,
            frozenset(
                kind
                for kind, found in broken.items()
                if any(not one.verdict.subjects for one in found)
            )
            | ({"holders"} if holders.lost else frozenset()),
        )

    def _damaged_issuers(self) -> int:
        rows = self._marked("issuer_key")
        return sum(issuer_of(row) is None for row in rows) + self._damaged_delegations()

    def _damaged_changes(self) -> int:
        return sum(event is None for _, event in self._logged())


_KINDS = {
    "revocations": "revoked_pass",
    "removals": "tombstone",
    "documents": "id_document",
    "cards": "card",
    "issuers": "issuer_key",
    "rules": "category_rule",
}
"""The marked tables but that of holders, by what a person calls their rows."""


def _whole(row: Row) -> bool:
    return row.verdict.whole


_READS: Mapping[str, Callable[[Row], bool]] = {
    "issuers": lambda row: issuer_of(row) is not None,
}
"""What reads as it was written, and says what it should."""
