"""What the community's registry says, entry by entry, within the transaction of an update.

    disabled here, and the registry's last word was enabled, or it had none   stays disabled
    removed here, and nobody of that id is back                               stays removed
    anything else that was changed here                                       the registry wins
    rules that this kiosk cannot keep, or whose config takes none             those of before stay

An entry that overrules ends the first two. Trust lists are files, and not of this transaction.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.people.said_here import of_holder, of_issuer, of_rules
from agent.credentials.documents.card_hash import CardHasher, card_hasher
from agent.credentials.passes.issuers import IssuerKey
from agent.credentials.signed.card_entries import CardEntry, CardGone
from agent.credentials.signed.entries import (
    Entry,
    Face,
    HolderEntry,
    IssuerEntry,
    IssuerGone,
    Removal,
    Revocation,
)
from agent.credentials.signed.receipt import RECEIPT_ID_BYTES, Receipt
from agent.credentials.signed.update import Step
from agent.credentials.signed.word_entries import RulesEntry, TrustListEntry, TrustListGone
from agent.domain.access.tombstone import tombstone_hash
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.registry_sync import ReceiptOutcome
from agent.errors import StoreError
from agent.ports import Reference

BY = "registry"
"""Who changed what an update changed."""
COUNTED = (
    *("holders", "references", "removed", "revoked", "issuers"),
    *("kept", "without_consent", "photographs", "rules", "rules_refused", "trust_lists"),
    *("cards", "cards_refused"),
)
"""What is counted of an update."""
_FEW = 64
"""Holders up to which each looks for damaged rows of its own; beyond, all are looked up once."""


ReadRules = Callable[[str, str], object]


@dataclass(frozen=True, slots=True)
class Taking:
    """How an update is taken: when, ``at_least`` as in ``remove``, and who signs receipts.

    ``on_premises``: faces come without their holder's consent. ``read_rules`` refuses a category's
    rules by ``ValueError``; None where the registry may say none.
    """

    now: Instant
    at_least: datetime | None
    sign: Callable[[Receipt], bytes] = field(repr=False)
    on_premises: bool = False
    read_rules: ReadRules | None = None

    def admitted(self, entry: HolderEntry) -> HolderEntry:
        """What of ``entry`` may enter this kiosk: no face without consent."""
        if entry.holder.consent is None and not self.on_premises:
            return entry.without_faces()
        return entry


@dataclass(slots=True)
class Merge:
    """One update on its way into the registry."""

    step: Step
    how: Taking
    removed_here: frozenset[str]
    tombstone_key: bytes = field(repr=False)
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))
    holders: set[str] = field(default_factory=set, repr=False)
    issuers: set[str] = field(default_factory=set)
    ruled: set[str] = field(default_factory=set)
    cards: set[str] = field(default_factory=set, repr=False)
    hasher: CardHasher | None = field(default=None, repr=False)
    issued_s: int = 0
    damaged: frozenset[str] | None = None
    replaced: bool = False
    """Something was written over, which the file must not keep."""

    def was_removed_here(self, holder: HolderId) -> bool:
        """Whether somebody removed them at this kiosk."""
        if not self.removed_here:
            return False
        return tombstone_hash(self.tombstone_key, holder) in self.removed_here

    def receipt(
        self,
        outcome: ReceiptOutcome,
        holder: HolderId,
        counts: Mapping[str, int] | None = None,
    ) -> Receipt:
        """What is answered about a holder."""
        return make_receipt(self.step, outcome, holder, self.how.now, counts)


def make_receipt(
    step: Step,
    outcome: ReceiptOutcome,
    holder: HolderId,
    now: Instant,
    counts: Mapping[str, int] | None = None,
    reason: str | None = None,
) -> Receipt:
    """What is answered about a holder; of the same thing the id is always the same."""
    words = b"\0".join((step.update, holder.encode(), outcome.value.encode()))
    return Receipt(
        step.kiosk,
        hashlib.sha256(words).digest()[:RECEIPT_ID_BYTES],
        step.version,
        outcome,
        holder,
        int(now.utc.timestamp()),
        now.utc_trusted,
        counts or {},
        reason,
    )


class MergedRows(SqliteRegistry):
    """The registry's rows as an update changes them."""

    def _begin_merge(self, step: Step, how: Taking) -> Merge:
        rows = self._connection.execute("SELECT holder_hash FROM tombstone WHERE here").fetchall()
        key = self._tombstone_key(make=False) if rows else b""
        return Merge(step, how, frozenset(one for (one,) in rows), key)

    def _merge(self, merge: Merge, entry: Entry) -> None:
        match entry:
            case HolderEntry():
                self._merge_holder(merge, entry)
            case Removal(holder):
                self._merge_removal(merge, holder)
            case Revocation(gate_pass):
                merge.counts["revoked"] += self._revoke(gate_pass)
            case IssuerEntry(key):
                self._merge_issuer(merge, key)
            case IssuerGone(key_id):
                self._merge_issuer_gone(merge, key_id)
            case RulesEntry():
                self._merge_rules(merge, entry)
            case TrustListEntry(piece=piece):
                merge.counts["trust_lists"] += piece == 0
            case TrustListGone():
                merge.counts["trust_lists"] += 1
            case CardEntry() | CardGone():
                self._merge_card(merge, entry)

    def _end_merge(self, merge: Merge) -> None:
        """After a snapshot, whom the registry had brought and does not name any more is removed."""
        if merge.step.is_snapshot:
            brought = self._connection.execute("SELECT holder FROM synced_holder").fetchall()
            for (holder,) in brought:
                if holder not in merge.holders:
                    self._merge_removal(merge, HolderId(holder))
            keys = self._connection.execute("SELECT key_id FROM synced_issuer").fetchall()
            for (key_id,) in keys:
                if key_id not in merge.issuers:
                    self._merge_issuer_gone(merge, key_id)
            self._end_cards(merge)
            for category, one in self.said_rules()[0].items():
                if one.by == BY and category not in merge.ruled:
                    merge.counts["rules"] += self._say_rules(category, None, BY, merge.how.now)
        if merge.counts["removed"]:
            self._outlived(merge.how.now, merge.how.at_least)
        if merge.replaced:
            self._owe_erasure()

    def _keep_receipt(self, receipt: Receipt, how: Taking) -> None:
        """A receipt that waits from now on, once for its id."""
        self._connection.execute(
            "INSERT OR IGNORE INTO receipt (id, signed) VALUES (?, ?)",
            (receipt.id, how.sign(receipt)),
        )

    def _merge_holder(self, merge: Merge, entry: HolderEntry) -> None:
        wanted, holder = entry.holder, entry.holder.id
        merge.holders.add(holder)
        self._clear_damaged_holder(merge, holder)
        before = self._holder_at(holder)
        here = before is None and merge.was_removed_here(holder)
        if here and not entry.overrules:
            self._kept(merge, ReceiptOutcome.KEPT_REMOVED, holder)
            return
        if here:
            name = tombstone_hash(merge.tombstone_key, holder)
            query = "UPDATE tombstone SET here = 0 WHERE holder_hash = ?"
            self._connection.execute(query, (name,))
        admitted = merge.how.admitted(entry)
        merge.counts["without_consent"] += entry.has_face_data and not admitted.has_face_data
        merge.counts["photographs"] += admitted.photograph is not None
        if before is not None and self._stays_disabled(before, entry):
            wanted = replace(wanted, enabled=False)
            self._kept(merge, ReceiptOutcome.KEPT_DISABLED, holder)
        changed = before != wanted
        if changed:
            self._put_row(wanted, before)
            self._note_category(before, wanted, BY, merge.how.now)
            merge.replaced |= before is not None and before.name != wanted.name
        if before is not None and (changed or not entry.holder.enabled):
            self._say_then(of_holder(holder), merge.issued_s)
        self._connection.execute(
            "INSERT INTO synced_holder (holder, enabled) VALUES (?, ?)"
            " ON CONFLICT (holder) DO UPDATE SET enabled = excluded.enabled"
            " WHERE enabled IS NOT excluded.enabled",
            (holder, int(entry.holder.enabled)),
        )
        if admitted.faces is not None:
            changed |= self._merge_faces(merge, holder, admitted.faces)
        merge.counts["holders"] += changed

    def _stays_disabled(self, before: Holder, entry: HolderEntry) -> bool:
        """Whether somebody disabled them at this kiosk, which the registry does not know."""
        if before.enabled or not entry.holder.enabled or entry.overrules:
            return False
        query = "SELECT enabled FROM synced_holder WHERE holder = ?"
        said = self._connection.execute(query, (before.id,)).fetchone()
        return said is None or bool(said[0])

    def _merge_faces(self, merge: Merge, holder: HolderId, faces: tuple[Face, ...]) -> bool:
        wanted = [
            Reference(holder, one.pack, one.pack_version, one.template, one.parts) for one in faces
        ]
        if wanted and self._has(holder, wanted):
            return False
        if not wanted:
            deleted = self._delete(merge, "DELETE FROM reference WHERE holder = ?", holder)
            return bool(deleted)
        for pack in {one.pack for one in wanted}:
            # The sign keeps SQLite from looking through the whole pack.
            query = "DELETE FROM reference WHERE holder = ? AND +pack = ?"
            self._delete(merge, query, holder, pack)
        sealer = self._sealer_now()
        for one in wanted:
            self._insert_reference(holder, one, sealer)
        merge.counts["references"] += len(wanted)
        return True

    def _has(self, holder: HolderId, wanted: list[Reference]) -> bool:
        """Whether these are the references there are; where one cannot be read, they are not."""
        packs = {one.pack for one in wanted}
        query = "SELECT DISTINCT pack, pack_version FROM reference WHERE holder = ?"
        there = {
            (pack, version)
            for pack, version in self._connection.execute(query, (holder,))
            if pack in packs
        }
        if there != {(one.pack, one.pack_version) for one in wanted}:
            return False
        try:
            return self._are_still(holder, wanted, there)
        except StoreError:
            return False

    def _delete(self, merge: Merge, query: str, *parameters: object) -> int:
        deleted: int = self._connection.execute(query, parameters).rowcount
        merge.replaced |= bool(deleted)
        return deleted

    def _merge_removal(self, merge: Merge, holder: HolderId) -> None:
        counts = self._forget(holder, merge.how.now, merge.how.at_least, here=False)
        if counts:
            merge.counts["removed"] += 1
            self._say_removed(holder, merge.how.now, merge.issued_s)
        outcome = ReceiptOutcome.ERASED if counts else ReceiptOutcome.NOT_HERE
        self._keep_receipt(merge.receipt(outcome, holder, counts), merge.how)

    def _merge_issuer(self, merge: Merge, key: IssuerKey) -> None:
        named = key.key_id.hex()
        merge.issuers.add(named)
        if key not in self.issuers():
            merge.counts["issuers"] += 1
            self._say_then(of_issuer(named), merge.issued_s)
        self._believe(key)
        self._connection.execute("INSERT OR IGNORE INTO synced_issuer VALUES (?)", (named,))

    def _merge_issuer_gone(self, merge: Merge, key_id: str) -> None:
        if self._disbelieve(key_id):
            merge.counts["issuers"] += 1
            self._say_then(of_issuer(key_id), merge.issued_s)
        self._connection.execute("DELETE FROM synced_issuer WHERE key_id = ?", (key_id,))

    def _merge_card(self, merge: Merge, entry: CardEntry | CardGone) -> None:
        """A card is the holder's whom the registry names last, or nobody's."""
        if merge.hasher is None:
            merge.hasher = card_hasher(self.document_key())
        hashed = merge.hasher.of_text(entry.number)
        if isinstance(entry, CardGone):
            merge.counts["cards"] += self._drop_card(hashed)
            self._connection.execute("DELETE FROM lost_card WHERE card_hash = ?", (hashed,))
            return
        lost = "SELECT 1 FROM lost_card WHERE card_hash = ?"
        if self._connection.execute(lost, (hashed,)).fetchone() is not None:
            merge.counts["kept"] += 1
            return
        card = entry.card
        known = self._connection.execute("SELECT 1 FROM holder WHERE id = ?", (card.holder,))
        if known.fetchone() is None:
            # One bad entry holds up no other; and whose it was before, it is no longer.
            merge.counts["cards_refused"] += 1
            merge.counts["cards"] += self._drop_card(hashed)
            return
        merge.cards.add(hashed)
        if self._card_at(hashed) != card:
            self._put_card(hashed, card)
            merge.counts["cards"] += 1
        self._connection.execute("INSERT OR IGNORE INTO synced_card VALUES (?)", (hashed,))

    def _end_cards(self, merge: Merge) -> None:
        """After a snapshot, a card that the registry had brought and does not name is nobody's."""
        brought = self._connection.execute("SELECT card_hash FROM synced_card").fetchall()
        for (card_hash,) in brought:
            if card_hash not in merge.cards:
                merge.counts["cards"] += self._drop_card(card_hash)

    def _merge_rules(self, merge: Merge, entry: RulesEntry) -> None:
        category, text = entry.category, entry.rules
        merge.ruled.add(category)
        why = "not_allowed" if merge.how.read_rules is None else None
        if merge.how.read_rules is not None and text is not None:
            try:
                merge.how.read_rules(category, text)
            except ValueError:
                why = "cannot_be_kept"
        if why is not None:
            merge.counts["rules_refused"] += 1
            outcome, now = ReceiptOutcome.RULES_REFUSED, merge.how.now
            receipt = make_receipt(merge.step, outcome, HolderId(category), now, reason=why)
            self._keep_receipt(receipt, merge.how)
            return
        if self._say_rules(category, text, BY, merge.how.now):
            merge.counts["rules"] += 1
            self._say_then(of_rules(category), merge.issued_s)

    def _kept(self, merge: Merge, outcome: ReceiptOutcome, holder: HolderId) -> None:
        merge.counts["kept"] += 1
        self._keep_receipt(merge.receipt(outcome, holder), merge.how)

    def _clear_damaged_holder(self, merge: Merge, holder: HolderId) -> None:
        if merge.damaged is None and len(merge.holders) > _FEW:
            merge.damaged = frozenset(
                one
                for row in self._each("holder")
                if not row.verdict.whole
                for one in row.verdict.subjects
            )
        if merge.damaged is None or holder in merge.damaged:
            self._clear_damage("holder", holder)
