"""Binds ID documents to holders, and says what lies on the reader; never a number, never a name."""

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from agent.credentials.documents.id_hash import kiosk_hash
from agent.credentials.documents.resident_id import check, refused
from agent.domain.credential.holder import HolderId
from agent.domain.credential.id_document import IdDocument
from agent.domain.hours.instant import Instant
from agent.errors import RefusedError
from agent.operations.people.holders import find
from agent.ports import DocumentHashes, DocumentStore, IdReader

_LOOK_S = 0.5
_NO_CHECK_DIGIT = (
    "a number of this form has no check digit: compare it with the document, character by character"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What ``bind`` did: whose document it is now, whether that is new, and what to look at."""

    holder: HolderId
    changed: bool
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As ``holders bind-document --json`` prints it."""
        return {"id": self.holder, "changed": self.changed, "warnings": list(self.warnings)}


def bind(
    store: DocumentStore,
    holder_id: str,
    number: str,
    today: date | None,
    *,
    by: str,
    now: Instant,
    move: bool,
) -> Bound:
    """Bind the document of ``number`` to a holder; only its keyed hash is kept.

    Raises:
        RefusedError: ``no_such_holder``, ``id_number``, ``document_taken``.
        KeyUnavailableError: there is no key to hash with, or not the one of before.
    """
    holder = find(store, holder_id)
    verdict = check(number, today)
    if verdict.fault is not None:
        raise refused(verdict.fault)
    hashed = kiosk_hash(store.document_key(), number)
    changed = store.bind_document(holder.id, hashed, by=by, now=now, move=move)
    return Bound(holder.id, changed, () if verdict.check_digit else (_NO_CHECK_DIGIT,))


def unbind(store: DocumentStore, holder_id: str, *, by: str, now: Instant) -> Bound:
    """Forget a holder's document.

    Raises:
        RefusedError: ``no_such_holder``.
    """
    holder = find(store, holder_id)
    return Bound(holder.id, store.unbind_document(holder.id, by=by, now=now))


def wait_for_document(reader: IdReader, wait_s: float) -> IdDocument:
    """The document that is laid on the reader within ``wait_s``.

    Raises:
        RefusedError: ``no_document``, or the reader's own: what lies there is none.
        UnavailableError: the reader fails.
    """
    ends_s = time.monotonic() + wait_s
    while True:
        left_s = ends_s - time.monotonic()
        document = reader.read(max(min(left_s, _LOOK_S), 0.0))
        if document is not None:
            return document
        if left_s <= 0.0:
            fix = "lay it flat on the reader; one that lies there already: take it away first"
            raise RefusedError("no_document", f"no ID document was laid on\nFix: {fix}")


def expiry_warning(document: IdDocument, today: date | None) -> str | None:
    """What to say of a document whose validity does not include ``today``."""
    if today is None or document.valid_on(today):
        return None
    return "the document has expired" if today > document.valid_from else "it is not yet valid"


def describe(
    document: IdDocument, today: date | None, store: DocumentHashes | None
) -> dict[str, Any]:
    """JSON values for a technician; None for what the clock or a missing key leaves open."""
    owner = None
    if store is not None:
        owner = store.holder_of_document(kiosk_hash(store.document_key(), document.number))
    until = document.valid_until
    return {
        "kind": document.kind.value,
        "valid_from": document.valid_from.isoformat(),
        "valid_until": None if until is None else until.isoformat(),
        "valid": None if today is None else document.valid_on(today),
        "bound": None if store is None else owner is not None,
        "holder": owner,
        "photo_bytes": len(document.photo),
    }
