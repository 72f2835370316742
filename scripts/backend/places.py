"""One place of a stream: taken by an event, doubted, vouched for by a checkpoint."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from agent.credentials.formats import base64url
from backend.heard import Heard

CHECKPOINT = "gate.journal.checkpoint"
COLUMNS = (
    "stream, sequence, kiosk_no, at, time, received, clock_synced, type, access_point, holder,"
    " altered, body"
)
"""Of ``events``, in the order of what is written there."""
_PLAUSIBLE_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_PLAUSIBLE_AHEAD = timedelta(days=1)
_MOST_SIGNATURE, _LINK_BYTES = 1024, 32


def believable(time: datetime, received: datetime) -> datetime:
    """When it was: by the kiosk's clock, or by ours where that clock cannot be right."""
    return time if _PLAUSIBLE_FROM <= time <= received + _PLAUSIBLE_AHEAD else received


def take_place(cursor: psycopg.Cursor[Any], stream: int, number: int, one: Heard) -> bool:
    """Store one event by itself; False where its place or its id is taken."""
    taken = cursor.execute(
        "INSERT INTO places (stream, sequence, kiosk_no, id, previous, link)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (stream, one.sequence, number, one.id, one.previous, one.link),
    ).rowcount
    if taken:
        now = datetime.now(UTC)
        cursor.execute(
            f"INSERT INTO events ({COLUMNS})"  # noqa: S608 - names of columns of ours
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(stream, one.sequence, number, believable(one.time, now), one.time, now),
                *(one.clock_synced, one.type, one.access_point, one.holder, one.altered, one.body),
            ),
        )
    return bool(taken)


def keep_checkpoint(
    cursor: psycopg.Cursor[Any], stream: int, number: int, one: Heard, *, quietly: bool = False
) -> None:
    """What a checkpoint says, until it is held against its event; ``quietly`` without a flaw."""
    match one.data:
        case {"until": str(until), "link": str(link), "signature": str(signature)}:
            try:
                raw = base64url.decode(signature)
                values = (stream, one.sequence, int(until), bytes.fromhex(link), raw)
            except ValueError:
                pass
            else:
                short = len(raw) <= _MOST_SIGNATURE and len(values[3]) == _LINK_BYTES
                if 0 < values[2] < one.sequence and short:
                    cursor.execute(
                        "INSERT INTO checkpoints (stream, sequence, until, link, signature)"
                        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                        values,
                    )
                    return
    if not quietly:
        flag(cursor, number, stream, one.sequence, "checkpoint_malformed")


def flag(cursor: psycopg.Cursor[Any], kiosk_no: int, stream: int, sequence: int, kind: str) -> None:
    """Note what cannot be trusted; once."""
    cursor.execute(
        "INSERT INTO flaws (kiosk_no, stream, sequence, kind) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (kiosk_no, stream, sequence, kind),
    )
