"""The registry: holders and their sealed references; every change comes with its event."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from agent.adapters.store.people.archive.tables import ArchiveTables
from agent.adapters.store.people.said_here import of_holder
from agent.adapters.store.sqlite import text_or_none
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType
from agent.errors import InternalError, RefusedError, StoreError
from agent.ports import Reference, StillHolds, whoever


class SqliteRegistry(ArchiveTables):
    """Implements ``ports.HolderStore`` and ``ports.Gallery``; one connection behind a lock."""

    def put(
        self,
        holder: Holder,
        *,
        by: str,
        now: Instant,
        if_still: StillHolds = whoever,
        issued_s: int | None = None,
    ) -> None:
        """Add or change a holder; the change and its event are one transaction.

        ``issued_s``: it was signed then (UTC); None: somebody here says so.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now;
                ``superseded``: somebody here said otherwise since it was signed, and it does more
                than disable.
        """

        def work() -> None:
            before = self._stored(holder.id, if_still)
            if before != holder:
                stricter = before is not None and replace(before, enabled=False) == holder
                self._say(of_holder(holder.id), now, issued_s, stricter=stricter)
                self._change(before, holder, by, now)

        self._write(work)

    def remove(
        self,
        holder: HolderId,
        *,
        by: str,
        now: Instant,
        at_least: datetime | None = None,
        issued_s: int | None = None,
    ) -> bool:
        """Forget a holder, all references and photographs; False where there is none.

        What stays is a tombstone: passes about them that are no newer open nothing. ``at_least`` is
        a time that it surely is later than, where the clock may be behind. Where no time is known
        at all, no pass about them opens until they are removed again by a clock that is sure.
        ``issued_s`` as in ``put``.

        Raises:
            KeyUnavailableError: the key of tombstones cannot be read or made; nothing was removed.
        """

        def work() -> bool:
            if not self._forget(holder, now, at_least):
                return False
            self._outlived(now, at_least)
            self._say_removed(holder, now, issued_s)
            self._log(EventType.HOLDER_REMOVED, {"holder": holder}, by, now)
            return True

        return self._write(work)

    def bury(self, holder: HolderId, *, removed_at: datetime | None, by: str, now: Instant) -> bool:
        """They were removed elsewhere, at that time if it is known; False where nobody was here.

        A tombstone stays of both. The community's registry may bring them back, for it may know of
        a time after that.

        Raises:
            KeyUnavailableError: the key of tombstones cannot be read or made; nothing was removed.
        """
        issued_s = None if removed_at is None else int(removed_at.timestamp())

        def work() -> bool:
            gone = bool(self._forget(holder, now, removed_at, here=False))
            if gone:
                self._log(EventType.HOLDER_REMOVED, {"holder": holder}, by, now)
            else:
                key = self._tombstone_key(make=True)
                self._bury(holder, key, removed_at, sure=False, here=False)
            self._say_removed(holder, now, issued_s)
            return gone

        return self._write(work)

    def say_again(self, holder: HolderId, *, now: Instant) -> None:
        """Somebody here says of the holder what is so already."""
        self._write(lambda: self._say_here(of_holder(holder), now), counts=False)

    def put_all(self, holders: Sequence[Holder], *, by: str, now: Instant) -> int:
        """Add or change many holders at once, all or none; how many were new or different."""

        def work() -> int:
            changed = 0
            for holder in holders:
                self._give_way()
                before = self.holder(holder.id)
                if before != holder:
                    self._say_here(of_holder(holder.id), now)
                    self._change(before, holder, by, now)
                    changed += 1
            return changed

        return self._write_at_length(work)

    def enrol(
        self,
        holder: Holder,
        references: Sequence[Reference],
        *,
        by: str,
        now: Instant,
        photographs: Sequence[bytes] | None = (),
        if_still: StillHolds = whoever,
        instead_of: Sequence[Reference] | None = None,
    ) -> None:
        """Put the holder and replace their references for the packs given, in one transaction.

        ``photographs`` replace those kept; None leaves them. With ``instead_of`` the holder's
        references of those packs must still be those.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now,
                or the references are others than ``instead_of``.
            KeyUnavailableError: there is no key to seal with.
            StoreError: the registry cannot be written.
            InternalError: a reference is another holder's, or no template; it would open for the
                wrong person.
        """
        self._need_sealer()
        for reference in references:
            templates = (reference.template, *reference.parts)
            if reference.holder != holder.id or not all(np.isfinite(t).all() for t in templates):
                raise InternalError("a reference is another holder's, or no template")

        def work() -> None:
            before = self._stored(holder.id, if_still)
            packs = {(one.pack, one.pack_version) for one in references}
            if instead_of is not None and not self._are_still(holder.id, instead_of, packs):
                raise RefusedError("changed_meanwhile", _CHANGED)
            sealer = self._sealer_now()
            if before != holder:
                self._say_here(of_holder(holder.id), now)
            self._put(holder, before)
            if before is not None:
                self._owe_erasure()
            for pack in {reference.pack for reference in references}:
                # The sign keeps SQLite from looking through the whole pack.
                self._connection.execute(
                    "DELETE FROM reference WHERE holder = ? AND +pack = ?", (holder.id, pack)
                )
            for reference in references:
                self._insert_reference(holder.id, reference, sealer)
            if photographs is not None:
                self._keep_photographs(holder.id, photographs, sealer)
            self._note_category(before, holder, by, now)
            data = _changes(before, holder)
            data["fields"] = [*data["fields"], "references"]
            data["references"] = len(references)
            self._log(EventType.HOLDER_CHANGED, data, by, now)

        self._write(work)

    def references(self, pack: str, pack_version: str) -> list[Reference]:
        """Every reference made by this pack, by holder.

        Raises:
            KeyUnavailableError: there is no key, or another one sealed them.
            StoreError: a row was altered, or copied from elsewhere.
        """
        owners, templates = self.load_arrays(pack, pack_version)
        if len(owners) != self.reference_total(pack, pack_version):
            raise StoreError("a sealed row was altered, or copied from elsewhere")
        return [
            Reference(owner, pack, pack_version, template)
            for owner, template in zip(owners, templates, strict=True)
        ]

    def reference_counts(self) -> dict[HolderId, dict[str, int]]:
        """How many references each holder has, by pack."""
        counts: dict[HolderId, dict[str, int]] = {}
        query = "SELECT holder, pack, count(*) FROM reference GROUP BY holder, pack"
        for owner, pack, count in self._rows(query):
            counts.setdefault(HolderId(owner), {})[pack] = count
        return counts

    def _forget(
        self, holder: HolderId, now: Instant, at_least: datetime | None, *, here: bool = True
    ) -> dict[str, int]:
        """What was deleted of a holder, by kind, within the caller's transaction; empty: nobody.

        ``here``: by somebody at this kiosk, not by the community's registry.
        """
        removed_at: datetime | None = now.utc if at_least is None else max(now.utc, at_least)
        if at_least is None and not now.utc_trusted:
            removed_at = None  # it may be years behind, and passes of then would open
        damaged = self._damaged("holder", holder)
        counts = {}
        # First: they would go with the holder uncounted. Those of a damaged row hang on nobody.
        for table, kind in _OF_HOLDER.items():
            query = f"DELETE FROM {table} WHERE holder = ?"  # noqa: S608 - constants
            counts[kind] = self._connection.execute(query, (holder,)).rowcount
        self._clear_damage("holder", holder)
        names = self._connection.execute(
            "DELETE FROM holder WHERE id = ? RETURNING sealed_name IS NOT NULL OR name <> ''",
            (holder,),
        ).fetchall()
        if not names and not damaged:
            return {}
        counts |= {"holders": max(len(names), 1), "names": sum(bool(one) for (one,) in names)}
        sure = now.utc_trusted and at_least is not None
        self._bury(holder, self._tombstone_key(make=True), removed_at, sure=sure, here=here)
        self._owe_erasure()
        return counts

    def _stored(self, holder: HolderId, if_still: StillHolds) -> Holder | None:
        found = self.holder(holder)
        if not if_still(found):
            raise RefusedError("changed_meanwhile", _CHANGED)
        return found

    def _change(
        self,
        before: Holder | None,
        holder: Holder,
        by: str,
        now: Instant,
        why: str | None = None,
        undoes: int | None = None,
    ) -> None:
        self._put(holder, before)
        if before is not None and before.name != holder.name:
            self._owe_erasure()
        self._note_category(before, holder, by, now, why, undoes)
        self._log_changed(before, holder, by, now, why=why)

    def _log_changed(
        self,
        before: Holder | None,
        holder: Holder,
        by: str,
        now: Instant,
        *,
        record: bool = False,
        why: str | None = None,
    ) -> None:
        data = _changes(before, holder)
        if record:
            data["fields"] = [*data["fields"], "record"]
        if why is not None:
            data["reason"] = why
        self._log(EventType.HOLDER_CHANGED, data, by, now)

    def _put(self, holder: Holder, before: Holder | None) -> None:
        """Write the holder's row; a name that stays, or could not be read, stays as it is sealed.

        So the desk may disable somebody without the key.
        """
        self._clear_damage("holder", holder.id)
        self._put_row(holder, before)

    def _put_row(self, holder: Holder, before: Holder | None) -> None:
        same = holder.name is None or (before is not None and before.name == holder.name)
        sealed = None if same else self._sealed_name(holder.id, str(holder.name))
        self._connection.execute(
            "INSERT INTO holder (id, name, sealed_name, category, enabled, valid_from, valid_until,"
            " consent_notice, consent_at, handle)"
            " VALUES (?, '', ?, ?, ?, ?, ?, ?, ?, random()) ON CONFLICT (id) DO UPDATE SET"
            " name = CASE WHEN excluded.sealed_name IS NULL THEN name ELSE '' END,"
            " sealed_name = coalesce(excluded.sealed_name, sealed_name),"
            " category = excluded.category, enabled = excluded.enabled,"
            " valid_from = excluded.valid_from, valid_until = excluded.valid_until,"
            " consent_notice = excluded.consent_notice, consent_at = excluded.consent_at",
            (
                holder.id,
                sealed,
                holder.category,
                int(holder.enabled),
                text_or_none(holder.valid_from),
                text_or_none(holder.valid_until),
                None if holder.consent is None else holder.consent.notice,
                text_or_none(None if holder.consent is None else holder.consent.at),
            ),
        )
        self._mark("holder", holder.id)


_OF_HOLDER = {
    "part": "parts",
    "reference": "references",
    "photograph": "photographs",
    "id_document": "id_documents",
    "card": "cards",
    "archive": "records",
    "category_change": "category_changes",
}
"""The tables that hold something of a holder, by what a person calls their rows."""
_CHANGED = "somebody else changed the holder meanwhile\nFix: look again, and repeat"


def _changes(before: Holder | None, after: Holder) -> dict[str, Any]:
    """What changed, by the names of the fields; a person's name is never told."""
    fields = ("name", "category", "enabled", "valid_from", "valid_until")
    changed = [f for f in fields if before is None or getattr(before, f) != getattr(after, f)]
    if after.consent != (before and before.consent):
        changed.append("consent")
    data = {"holder": after.id, "new": before is None, "fields": changed}
    if before is not None and before.category != after.category:
        data["category"] = {"was": before.category, "became": after.category}
    return data
