"""The registry: holders and their sealed references; every change comes with its event."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.adapters.store.document_tables import DocumentTables
from agent.adapters.store.seal import Sealer
from agent.adapters.store.sqlite import CorruptError, moment_or_none, text_or_none
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType
from agent.domain.sight.image import Template
from agent.errors import InternalError, RefusedError, StoreError
from agent.ports import Reference, StillHolds, whoever


class SqliteRegistry(DocumentTables):
    """Implements ``ports.HolderStore`` and ``ports.Gallery``; one connection behind a lock."""

    def holders(self) -> list[Holder]:
        """Every holder, by id."""
        return [_holder(row) for row in self._rows(f"{_SELECT_HOLDER} ORDER BY id")]

    def holder(self, holder: HolderId) -> Holder | None:
        """One holder, or None."""
        rows = self._rows(f"{_SELECT_HOLDER} WHERE id = ?", holder)
        return _holder(rows[0]) if rows else None

    def put(self, holder: Holder, *, by: str, now: Instant, if_still: StillHolds = whoever) -> None:
        """Add or change a holder; the change and its event are one transaction.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now.
        """

        def work() -> None:
            before = self._stored(holder.id, if_still)
            if before != holder:
                self._put(holder)
                self._log(EventType.HOLDER_CHANGED, _changes(before, holder), by, now)

        self._write(work)

    def remove(self, holder: HolderId, *, by: str, now: Instant) -> bool:
        """Forget a holder, all references and photographs; False where there is none."""

        def work() -> bool:
            if self.holder(holder) is None:
                return False
            self._connection.execute("DELETE FROM holder WHERE id = ?", (holder,))
            self._log(EventType.HOLDER_REMOVED, {"holder": holder}, by, now)
            return True

        return self._write(work)

    def put_all(self, holders: Sequence[Holder], *, by: str, now: Instant) -> int:
        """Add or change many holders at once, all or none; how many were new or different."""

        def work() -> int:
            changed = 0
            for holder in holders:
                before = self.holder(holder.id)
                if before != holder:
                    self._put(holder)
                    self._log(EventType.HOLDER_CHANGED, _changes(before, holder), by, now)
                    changed += 1
            return changed

        return self._write(work)

    def enrol(
        self,
        holder: Holder,
        references: Sequence[Reference],
        *,
        by: str,
        now: Instant,
        photographs: Sequence[bytes] = (),
        if_still: StillHolds = whoever,
    ) -> None:
        """Put the holder and replace their references for the packs given, in one transaction.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now.
            KeyUnavailableError: there is no key to seal with.
            StoreError: the registry cannot be written.
            InternalError: a reference is another holder's, or no template; it would open for the
                wrong person.
        """
        sealer = self._need_sealer()
        for reference in references:
            if reference.holder != holder.id or not np.isfinite(reference.template).all():
                raise InternalError("a reference is another holder's, or no template")

        def work() -> None:
            before = self._stored(holder.id, if_still)
            self._put(holder)
            for pack in {reference.pack for reference in references}:
                self._connection.execute(
                    "DELETE FROM reference WHERE holder = ? AND pack = ?", (holder.id, pack)
                )
            for reference in references:
                self._insert_reference(holder.id, reference, sealer)
            self._connection.execute("DELETE FROM photograph WHERE holder = ?", (holder.id,))
            for photograph in photographs:
                self._connection.execute(
                    "INSERT INTO photograph (holder, sealed) VALUES (?, ?)",
                    (holder.id, sealer.seal(photograph, "photograph", holder.id)),
                )
            data = _changes(before, holder)
            data["fields"] = [*data["fields"], "references"]
            data["references"] = len(references)
            self._log(EventType.HOLDER_CHANGED, data, by, now)

        self._write(work)

    def references(self, pack: str, pack_version: str) -> list[Reference]:
        """Every reference made by this pack, by holder."""
        owners, templates = self.load_arrays(pack, pack_version)
        return [
            Reference(owner, pack, pack_version, template)
            for owner, template in zip(owners, templates, strict=True)
        ]

    def load_arrays(
        self, pack: str, pack_version: str
    ) -> tuple[list[HolderId], npt.NDArray[np.float32]]:
        """The owners and templates (references x components) of a pack, by holder.

        Raises:
            KeyUnavailableError: there is no key, or another one sealed them.
            StoreError: a row was altered or copied from elsewhere.
        """
        where = "FROM reference WHERE pack = ? AND pack_version = ?"
        rows_of = f"SELECT holder, sealed {where} ORDER BY holder, number"

        def work() -> tuple[list[HolderId], npt.NDArray[np.float32]]:
            owners: list[HolderId] = []
            table = np.zeros((0, 0), dtype=np.float32)
            words = (pack, pack_version)
            count = self._connection.execute(f"SELECT count(*) {where}", words).fetchone()[0]
            # One row at a time: the whole gallery is in memory once, not thrice.
            for number, (owner, sealed) in enumerate(self._connection.execute(rows_of, words)):
                plain = self._need_sealer().open(sealed, "reference", owner, *words)
                template = np.frombuffer(plain, dtype="<f4")
                if not number:
                    table = np.empty((count, len(template)), dtype=np.float32)
                if template.shape != table[number].shape:
                    raise StoreError("references of one pack have different lengths")
                table[number] = template
                owners.append(HolderId(owner))
            return owners, table

        return self._read(work)

    def reference_counts(self) -> dict[HolderId, dict[str, int]]:
        """How many references each holder has, by pack."""
        counts: dict[HolderId, dict[str, int]] = {}
        query = "SELECT holder, pack, count(*) FROM reference GROUP BY holder, pack"
        for owner, pack, count in self._rows(query):
            counts.setdefault(HolderId(owner), {})[pack] = count
        return counts

    def rekey(self, new: Sealer) -> int:
        """Seal every reference, photograph and the document key anew, in one transaction; how many.

        The document key is not counted.
        """
        old = self._need_sealer()

        def work() -> int:
            rows = self._connection.execute(
                "SELECT number, holder, pack, pack_version, sealed FROM reference"
            ).fetchall()
            for number, *words, sealed in rows:
                bound = ("reference", *words)
                again = new.seal(old.open(sealed, *bound), *bound)
                self._connection.execute(
                    "UPDATE reference SET sealed = ? WHERE number = ?", (again, number)
                )
            photographs = self._connection.execute(
                "SELECT number, holder, sealed FROM photograph"
            ).fetchall()
            for number, owner, sealed in photographs:
                again = new.seal(old.open(sealed, "photograph", owner), "photograph", owner)
                self._connection.execute(
                    "UPDATE photograph SET sealed = ? WHERE number = ?", (again, number)
                )
            self._reseal_document_key(new)
            return len(rows) + len(photographs)

        count = self._write(work)
        self._sealer = new
        return count

    def _stored(self, holder: HolderId, if_still: StillHolds) -> Holder | None:
        found = self.holder(holder)
        if not if_still(found):
            message = "somebody else changed the holder meanwhile\nFix: look again, and repeat"
            raise RefusedError("changed_meanwhile", message)
        return found

    def _put(self, holder: Holder) -> None:
        self._connection.execute(
            "INSERT INTO holder (id, name, category, enabled, valid_from, valid_until)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
            " category = excluded.category, enabled = excluded.enabled,"
            " valid_from = excluded.valid_from, valid_until = excluded.valid_until",
            (
                holder.id,
                holder.name,
                holder.category,
                int(holder.enabled),
                text_or_none(holder.valid_from),
                text_or_none(holder.valid_until),
            ),
        )

    def _insert_reference(self, owner: HolderId, reference: Reference, sealer: Sealer) -> None:
        words = (owner, reference.pack, reference.pack_version)
        sealed = sealer.seal(_bytes(reference.template), "reference", *words)
        self._connection.execute(
            "INSERT INTO reference (holder, pack, pack_version, sealed) VALUES (?, ?, ?, ?)",
            (*words, sealed),
        )


_SELECT_HOLDER = "SELECT id, name, category, enabled, valid_from, valid_until FROM holder"


def _holder(row: Sequence[Any]) -> Holder:
    holder, name, category, enabled, valid_from, valid_until = row
    try:
        start, end = moment_or_none(valid_from), moment_or_none(valid_until)
    except (ValueError, TypeError):
        raise CorruptError("a holder's row in the registry is damaged") from None
    return Holder(HolderId(holder), name, category, bool(enabled), start, end)


def _changes(before: Holder | None, after: Holder) -> dict[str, Any]:
    """What changed, by the names of the fields; a person's name is never told."""
    fields = ("name", "category", "enabled", "valid_from", "valid_until")
    changed = [f for f in fields if before is None or getattr(before, f) != getattr(after, f)]
    return {"holder": after.id, "new": before is None, "fields": changed}


def _bytes(template: Template) -> bytes:
    return np.ascontiguousarray(template, dtype="<f4").tobytes()
