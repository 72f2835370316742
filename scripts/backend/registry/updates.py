"""Updates of the registry on their way to kiosks: sent, asked for by parts, and acknowledged.

A kiosk says in a signed request which version it has and what it lacks. What is small is sent at
once; of what is large it asks part by part, and a part that was made is kept until that update is
there, for its chunks are known to the kiosk by their hashes. Where the registry's lines changed in
between, so that the update cannot be made again, another one takes its place.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.chunks import (
    LEAST_MESSAGE_BYTES,
    MOST_MESSAGE_BYTES,
    acknowledged_message,
)
from agent.credentials.sealed.parcel import PUSHED, Parcel, Recipient, Update, make_update
from agent.credentials.signed.receipt import (
    MOST_ACKNOWLEDGED,
    Request,
    acknowledge,
    verify_request,
)
from agent.credentials.signed.update import UPDATE_ID_BYTES
from backend.database import Connection
from backend.places import flag
from backend.registry import lines

_log = logging.getLogger("backend")
Publish = Callable[[str, bytes], None]
_ROUND = 20
_MOST_MESSAGES = 512
"""In answer to one request: whoever lacks more asks again."""


@dataclass(frozen=True, slots=True)
class _Kiosk:
    no: int
    recipient: Recipient
    version: int


def push(connection: Connection, key: Ed25519PrivateKey, publish: Publish) -> list[str]:
    """Send what is new to every kiosk whose sealing key is pinned; their names."""
    sent = []
    numbers = connection.execute(
        "SELECT no FROM kiosks, registry WHERE sealing_key IS NOT NULL"
        " AND greatest(registry_version, registry_sent) < version ORDER BY kiosk"
    ).fetchall()
    for begin in range(0, len(numbers), _ROUND):
        # Some of them at a time: a commit waits for the disk, as long as all else of a kiosk takes.
        with connection.transaction(), connection.cursor() as cursor:
            for (number,) in numbers[begin : begin + _ROUND]:
                kiosk = _kiosk(cursor, number)
                if kiosk is None:
                    continue
                with _alone(connection, kiosk):
                    if _send_new(cursor, kiosk, key, publish):
                        sent.append(kiosk.recipient.kiosk)
    return sent


def answer(connection: Connection, key: Ed25519PrivateKey, publish: Publish) -> int:
    """Answer some of what kiosks asked for, and acknowledge receipts; how many of both."""
    with connection.transaction(), connection.cursor() as cursor:
        asked = cursor.execute(
            "DELETE FROM registry_requests WHERE ctid IN"
            " (SELECT ctid FROM registry_requests LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING kiosk_no, payload",
            (_ROUND,),
        ).fetchall()
        for number, payload in asked:
            row = cursor.execute(
                "SELECT signing_key FROM kiosks WHERE no = %s", (number,)
            ).fetchone()
            kiosk = _kiosk(cursor, number)
            if row is None or row[0] is None or kiosk is None:
                continue
            public = Ed25519PublicKey.from_public_bytes(bytes(row[0]))
            try:
                request = verify_request(bytes(payload), public)
            except CredentialError:
                continue  # its key was pinned anew in between
            with _alone(connection, kiosk):
                _answer(cursor, kiosk, request, key, publish)
    return len(asked) + _acknowledge(connection, key, publish)


@contextmanager
def _alone(connection: Connection, kiosk: _Kiosk) -> Iterator[None]:
    """What does not fit into this kiosk's messages is no other's matter."""
    try:
        with connection.transaction():
            yield
    except ValueError as error:
        _log.warning("%s gets no update: %s", kiosk.recipient.kiosk, error)


def _kiosk(cursor: psycopg.Cursor[Any], number: int) -> _Kiosk | None:
    row = cursor.execute(
        "SELECT kiosk, sealing_key, message_bytes, greatest(registry_version, registry_sent)"
        " FROM kiosks WHERE no = %s FOR UPDATE",
        (number,),
    ).fetchone()
    if row is None or row[1] is None:
        return None
    most = min(max(row[2] or MOST_MESSAGE_BYTES, LEAST_MESSAGE_BYTES), MOST_MESSAGE_BYTES)
    public = X25519PublicKey.from_public_bytes(bytes(row[1]))
    return _Kiosk(number, Recipient(row[0], public, most), row[3])


def _answer(
    cursor: psycopg.Cursor[Any],
    kiosk: _Kiosk,
    request: Request,
    key: Ed25519PrivateKey,
    publish: Publish,
) -> None:
    if request.sealing_key_id != key_id(kiosk.recipient.key):
        # It could open nothing; somebody has to pin the key that it has now.
        flag(cursor, kiosk.no, 0, 0, "sealing_key_differs")
        return
    kiosk = replace(kiosk, version=request.version)
    update = None if request.update is None else _under_way(cursor, kiosk, request.update)
    if update is None or not request.lacks:
        _send_new(cursor, kiosk, key, publish)
        return
    left = _MOST_MESSAGES
    for number, runs in request.lacks:
        if 0 <= number < update.step.parts and left > 0:
            messages = _part(cursor, kiosk, update, number, key).lacked(runs)
            _publish(kiosk, messages[:left], publish)
            left -= len(messages)


def _send_new(
    cursor: psycopg.Cursor[Any], kiosk: _Kiosk, key: Ed25519PrivateKey, publish: Publish
) -> bool:
    """Begin an update from the version that the kiosk has; False where it has the newest."""
    row = cursor.execute("SELECT version FROM registry").fetchone()
    newest = 0 if row is None else int(row[0])
    if newest <= kiosk.version:
        return False
    made = lines.entries(cursor, kiosk.recipient.kiosk, kiosk.version, newest)
    update = make_update(made, kiosk.recipient, (kiosk.version, newest))
    step = update.step
    cursor.execute("DELETE FROM registry_updates WHERE kiosk_no = %s", (kiosk.no,))
    cursor.execute(
        "INSERT INTO registry_updates (kiosk_no, update, since, version, parts, message_bytes,"
        " digest) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            *(kiosk.no, step.update, step.since, step.version, step.parts),
            *(kiosk.recipient.message_bytes, lines.digest(made)),
        ),
    )
    cursor.execute("UPDATE kiosks SET registry_sent = %s WHERE no = %s", (newest, kiosk.no))
    parcel = _part(cursor, kiosk, update, 0, key)
    small = step.parts == 1 and len(parcel.messages) <= PUSHED
    _publish(kiosk, parcel.messages if small else (parcel.head,), publish)
    return True


def _under_way(cursor: psycopg.Cursor[Any], kiosk: _Kiosk, wanted: bytes) -> Update | None:
    """The update of this name, made again; None where it is another, or cannot be."""
    row = cursor.execute(
        "SELECT update, since, version, message_bytes, digest FROM registry_updates"
        " WHERE kiosk_no = %s",
        (kiosk.no,),
    ).fetchone()
    if row is None or bytes(row[0]) != wanted or len(wanted) != UPDATE_ID_BYTES:
        return None
    since, version, most, digest = row[1:]
    if since != kiosk.version or most != kiosk.recipient.message_bytes:
        return None
    made = lines.entries(cursor, kiosk.recipient.kiosk, since, version)
    if not secrets.compare_digest(lines.digest(made), bytes(digest)):
        return None
    return make_update(made, kiosk.recipient, (since, version), wanted)


def _part(
    cursor: psycopg.Cursor[Any], kiosk: _Kiosk, update: Update, number: int, key: Ed25519PrivateKey
) -> Parcel:
    row = cursor.execute(
        "SELECT head, chunks FROM registry_parts WHERE kiosk_no = %s AND part = %s",
        (kiosk.no, number),
    ).fetchone()
    if row is not None:
        return Parcel(number, bytes(row[0]), tuple(bytes(one) for one in row[1]))
    parcel = update.parcel(number, kiosk.recipient, key, datetime.now(UTC))
    cursor.execute(
        "INSERT INTO registry_parts (kiosk_no, part, head, chunks) VALUES (%s, %s, %s, %s)",
        (kiosk.no, number, parcel.head, list(parcel.chunks)),
    )
    return parcel


def _publish(kiosk: _Kiosk, messages: tuple[bytes, ...], publish: Publish) -> None:
    for message in messages:
        publish(f"gate/{kiosk.recipient.kiosk}/registry", message)


def _acknowledge(connection: Connection, key: Ed25519PrivateKey, publish: Publish) -> int:
    """Tell kiosks which receipts are kept: they send the others again."""
    with connection.transaction():
        rows = connection.execute(
            "SELECT k.kiosk, r.kiosk_no, array_agg(r.id) FROM (SELECT kiosk_no, id FROM receipts"
            "  WHERE NOT acknowledged LIMIT %s FOR UPDATE SKIP LOCKED) r"
            " JOIN kiosks k ON k.no = r.kiosk_no GROUP BY 1, 2",
            (MOST_ACKNOWLEDGED,),
        ).fetchall()
        for kiosk, number, ids in rows:
            known = [bytes(one) for one in ids]
            message = acknowledged_message(acknowledge(kiosk, known, key))
            publish(f"gate/{kiosk}/registry", message)
            connection.execute(
                "UPDATE receipts SET acknowledged = true WHERE kiosk_no = %s AND id = ANY(%s)",
                (number, known),
            )
    return len(rows)
