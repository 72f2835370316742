"""What kiosks sign beside checkpoints: replies, and receipts and requests of registry sync."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.credentials.signed.receipt import Receipt, Request, verify_receipt, verify_request
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.record.command import Outcome
from backend.heard import Reason, Signed

_SETTLE_S = 10
_MOST_RANGES = 1000
_LAST = 2**62
_MOST_MESSAGE = 2**31 - 1
_VERIFY: Mapping[str, Callable[[bytes, Ed25519PublicKey], Reply | Receipt | Request]] = {
    "reply": verify_reply,
    "receipt": verify_receipt,
    "request": verify_request,
}


def take(cursor: psycopg.Cursor[Any], signed: Signed) -> Reason | None:
    """Take what a kiosk signed; why it does not count, where its key does not vouch for it."""
    row = cursor.execute(
        "SELECT no, signing_key FROM kiosks WHERE kiosk = %s", (signed.kiosk,)
    ).fetchone()
    if row is None or row[1] is None:
        return Reason.NOT_SIGNED
    number, key = row[0], Ed25519PublicKey.from_public_bytes(bytes(row[1]))
    try:
        said = _VERIFY[signed.kind](signed.payload, key)
    except CredentialError:
        return Reason.NOT_SIGNED
    if said.kiosk != signed.kiosk:
        return Reason.OTHER_KIOSK
    match said:
        case Reply():
            _settle(cursor, number, said)
        case Receipt():
            _keep_receipt(cursor, number, said, signed.payload)
        case Request():
            _keep_request(cursor, number, said, signed.payload)
    return None


def _settle(cursor: psycopg.Cursor[Any], number: int, reply: Reply) -> None:
    """What a reply says of a gap; the answers to other commands are for whoever gave them."""
    row = cursor.execute(
        "UPDATE gaps g SET state = 'waiting', reason = %s, command = NULL, changed = now(),"
        " due = CASE WHEN %s THEN now() + make_interval(secs => %s) ELSE due END"
        " FROM streams s WHERE s.id = g.stream AND s.kiosk_no = %s AND g.command = %s"
        " RETURNING g.stream, g.first, g.last",
        (
            *(reply.reason, reply.outcome is Outcome.DONE, _SETTLE_S),
            *(number, reply.command_id),
        ),
    ).fetchone()
    if row is None or reply.outcome is not Outcome.DONE:
        return
    stream, first, last = row
    newest: Any = (reply.result or {}).get("last")
    if cbor.is_int(newest) and 0 <= newest < _LAST:
        # Nobody signs a heartbeat: what it says beyond this has not happened yet, and is not gone.
        last = min(last, newest)
        cursor.execute(
            "UPDATE streams SET said_last = least(said_last, %s) WHERE id = %s", (newest, stream)
        )
        cursor.execute(
            "DELETE FROM gaps g USING streams s WHERE s.id = g.stream AND s.id = %s"
            " AND g.state <> 'filled' AND g.last > greatest(s.highest, %s)",
            (stream, newest),
        )
    for said in gone(reply.result):
        start, end = max(said[0], first), min(said[1], last)
        if start <= end:
            cursor.execute(
                "INSERT INTO gaps (stream, first, last, state, reason, due)"
                " VALUES (%s, %s, %s, 'gone', 'kiosk_has_it_no_more', now())"
                " ON CONFLICT (stream, last) DO UPDATE SET first = excluded.first,"
                " state = excluded.state, reason = excluded.reason, changed = now()",
                (stream, start, end),
            )


def gone(result: Mapping[str, Any] | None) -> list[tuple[int, int]]:
    """The stretches that a kiosk says it has no more; each number, or pair, of ``missing``."""
    found = []
    said = (result or {}).get("missing")
    for one in said[:_MOST_RANGES] if isinstance(said, tuple) else ():
        match one:
            case (int(first), int(last)) if _are_numbers(first, last) and first <= last:
                found.append((first, last))
            case int(only) if _are_numbers(only):
                found.append((only, only))
    return found


def _are_numbers(*said: int) -> bool:
    """Whether these can be of events; true is none, though Python takes it for 1."""
    return all(cbor.is_int(one) and 0 < one < _LAST for one in said)


def _keep_receipt(cursor: psycopg.Cursor[Any], number: int, receipt: Receipt, raw: bytes) -> None:
    """A receipt that comes again was not told that it is kept: it is told once more."""
    cursor.execute(
        "INSERT INTO receipts (kiosk_no, id, version, outcome, holder, counts, reason, time,"
        " clock_trusted, signed) VALUES (%s, %s, %s, %s, %s, %s, %s, to_timestamp(%s), %s, %s)"
        " ON CONFLICT (kiosk_no, id) DO UPDATE SET acknowledged = false",
        (
            *(number, receipt.id, receipt.version, receipt.outcome.value, receipt.holder),
            *(json.dumps(dict(receipt.counts)), receipt.reason, receipt.utc_s),
            *(receipt.clock_trusted, raw),
        ),
    )


def _keep_request(cursor: psycopg.Cursor[Any], number: int, request: Request, raw: bytes) -> None:
    """What a kiosk says to have counts, be it less than before: its state may be an older one.

    Its newest question says all that it lacks: whoever repeats them keeps no other waiting.
    """
    cursor.execute(
        "UPDATE kiosks SET registry_version = %s, registry_sent = %s, message_bytes = %s"
        " WHERE no = %s",
        (request.version, request.version, min(request.most_bytes, _MOST_MESSAGE), number),
    )
    cursor.execute("DELETE FROM registry_requests WHERE kiosk_no = %s", (number,))
    cursor.execute(
        "INSERT INTO registry_requests (kiosk_no, payload) VALUES (%s, %s)", (number, raw)
    )
