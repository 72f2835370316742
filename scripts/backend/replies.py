"""What kiosks answer: to the commands by which gaps are asked for, and receipts of a registry."""

import hashlib
from collections.abc import Mapping
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.record.command import Outcome
from backend.heard import Reason, Signed

_SETTLE_S = 10
_MOST_RANGES = 1000
_LAST = 2**62


def take(cursor: psycopg.Cursor[Any], signed: Signed) -> Reason | None:
    """Take what a kiosk signed; why it does not count, where its key does not vouch for it."""
    row = cursor.execute(
        "SELECT no, signing_key FROM kiosks WHERE kiosk = %s", (signed.kiosk,)
    ).fetchone()
    if row is None or row[1] is None:
        return Reason.NOT_SIGNED
    number, key = row[0], Ed25519PublicKey.from_public_bytes(bytes(row[1]))
    if signed.kind == "receipt":
        return _receipt(cursor, number, signed.payload)
    try:
        reply = verify_reply(signed.payload, key)
    except CredentialError:
        return Reason.NOT_SIGNED
    if reply.kiosk != signed.kiosk:
        return Reason.OTHER_KIOSK
    _settle(cursor, number, reply)
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
            case (int(first), int(last)) if 0 < first <= last < _LAST:
                found.append((first, last))
            case int(only) if 0 < only < _LAST:
                found.append((only, only))
    return found


def _receipt(cursor: psycopg.Cursor[Any], number: int, payload: bytes) -> Reason | None:
    cursor.execute(
        "INSERT INTO receipts (kiosk_no, digest, body) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (number, hashlib.sha256(payload).digest(), payload),
    )
    return None
