"""Whose card is whose: keyed hashes of card numbers, each with its own validity.

A holder may have several cards, a card one holder. What the community's registry brought is marked
as such: a snapshot that no longer names it takes it away, and what somebody bound here stays. What
somebody unbound here was lost: no update binds it again, until one has taken it away itself, or
somebody here binds it.
"""

from collections.abc import Mapping
from datetime import datetime

from agent.adapters.store.people.document_tables import DocumentTables
from agent.adapters.store.people.rows.marked_rows import Row
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.sqlite import moment_or_none, text_or_none
from agent.domain.credential.card import Card
from agent.domain.credential.holder import HolderId
from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType
from agent.errors import RefusedError


class CardTables(DocumentTables):
    """The registry's table of cards."""

    def cards(self) -> Mapping[str, Card]:
        """Cards by the keyed hash of their number; one that is damaged is nobody's."""
        found = ((row, _card_of(row)) for row in self._marked("card"))
        return {row.values["card_hash"]: card for row, card in found if card is not None}

    def bind_card(
        self, card_hash: str, card: Card, *, by: str, now: Instant, move: bool = False
    ) -> bool:
        """From now on the card of this hash is as ``card`` says; False where it is so already.

        Raises:
            RefusedError: ``no_such_holder``; ``card_taken``: it is another holder's, and ``move``
                takes it from them.
            KeyUnavailableError: there is no key, or others were bound under another one.
        """

        def work() -> bool:
            if self._rows("SELECT 1 FROM holder WHERE id = ?", card.holder) == []:
                near = did_you_mean(
                    card.holder, [one for (one,) in self._rows("SELECT id FROM holder")]
                )
                fix = "gate-agent holders list"
                raise RefusedError("no_such_holder", f"there is no such holder{near}\nFix: {fix}")
            before = self.cards().get(card_hash)
            if before == card:
                return False
            taken = before is not None and before.holder != card.holder
            if taken and before is not None and not move:
                fix = f"--force takes it from {before.holder}"
                raise RefusedError("card_taken", f"the card is another holder's\nFix: {fix}")
            self._put_card(card_hash, card)
            for table in ("synced_card", "lost_card"):
                query = f"DELETE FROM {table} WHERE card_hash = ?"  # noqa: S608 - constants
                self._connection.execute(query, (card_hash,))
            for one in {card.holder, before.holder if before is not None else card.holder}:
                self._log_card(one, by, now)
            return True

        return self._write(work)

    def unbind_card(self, card_hash: str, *, by: str, now: Instant) -> HolderId | None:
        """The card opens nothing from now on; whose it was, None where it was nobody's.

        It needs no key. A row that is damaged goes as well.
        """

        def work() -> HolderId | None:
            before = self.cards().get(card_hash)
            gone = self._drop_card(card_hash)
            if gone:
                query = "INSERT OR IGNORE INTO lost_card VALUES (?)"
                self._connection.execute(query, (card_hash,))
            if gone and before is not None:
                self._log_card(before.holder, by, now)
            return None if before is None else before.holder

        return self._write(work)

    def _put_card(self, card_hash: str, card: Card) -> None:
        """Within the caller's transaction."""
        self._keep_document_key(self.document_key())
        self._clear_damage("card", card_hash)
        self._connection.execute(
            "INSERT INTO card (card_hash, holder, valid_from, valid_until) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (card_hash) DO UPDATE SET holder = excluded.holder,"
            " valid_from = excluded.valid_from, valid_until = excluded.valid_until",
            (card_hash, card.holder, text_or_none(card.valid_from), text_or_none(card.valid_until)),
        )
        self._mark("card", card_hash)

    def _card_at(self, card_hash: str) -> Card | None:
        """One card by the index, within the caller's transaction; None where it is not whole."""
        rows = self._judged("card", "card WHERE card_hash = ?", card_hash)
        return next((_card_of(row) for row in rows), None)

    def _drop_card(self, card_hash: str) -> bool:
        """Within the caller's transaction: whether there was one, whole or not."""
        damaged = bool(self._damaged("card", card_hash))
        self._clear_damage("card", card_hash)
        query = "DELETE FROM card WHERE card_hash = ?"
        gone = bool(self._connection.execute(query, (card_hash,)).rowcount) or damaged
        if gone:
            self._owe_erasure()
        return gone

    def _log_card(self, holder: HolderId, by: str, now: Instant) -> None:
        data = {"holder": holder, "new": False, "fields": ["card"]}
        self._log(EventType.HOLDER_CHANGED, data, by, now)


def _card_of(row: Row) -> Card | None:
    """None where the row cannot be read: whose card it was, nobody knows."""
    values = row.values
    if not row.verdict.whole or not intact(values["holder"]):
        return None
    try:
        ends: list[datetime | None] = [
            moment_or_none(values[end]) for end in ("valid_from", "valid_until")
        ]
    except (ValueError, TypeError):
        return None
    return Card(HolderId(values["holder"]), *ends)
