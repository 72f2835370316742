"""An event as a row of the journal, and back.

Texts are read as bytes and decoded here: SQLite's own message about a damaged one would quote it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from agent.adapters.store.sqlite import CorruptError, stored_moment
from agent.domain.record.events import Event, EventType
from agent.ports import StoredEvent

PENDING, PUBLISHED, REFUSED = 0, 1, 2
EVENT_COLUMNS = "epoch, sequence, id, type, time, clock_synced, access_point, data"
COLUMNS = f"row, {EVENT_COLUMNS}, state"


def values(event: Event) -> tuple[object, ...]:
    """The columns from ``id`` on; times are in UTC, so that they sort as text."""
    data = json.dumps(dict(event.data), separators=(",", ":"), allow_nan=False)
    return (
        event.id,
        event.type.value,
        time_text(event.time),
        int(event.clock_synced),
        event.access_point,
        data,
    )


def time_text(moment: datetime) -> str:
    """A moment as the column holds it."""
    return moment.astimezone(UTC).isoformat()


def stored(row: Sequence[Any]) -> StoredEvent:
    """A row of ``COLUMNS``.

    Raises:
        CorruptError: it is no event: the file was damaged where SQLite does not look.
    """
    number, epoch, sequence, event_id, kind, time, synced, access_point, data, state = row
    try:
        event = Event(
            id=_text(event_id),
            type=EventType(_text(kind)),
            time=stored_moment(_text(time)),
            clock_synced=bool(synced),
            access_point=None if access_point is None else _text(access_point),
            data=_object(_text(data)),
        )
        return StoredEvent(int(number), _text(epoch), int(sequence), event, state == PUBLISHED)
    except (ValueError, TypeError, RecursionError):
        # Without the cause, which would quote the row.
        raise CorruptError(f"row {number} of the journal is damaged") from None


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError
    return value.decode()


def _object(text: str) -> dict[str, Any]:
    data = json.loads(text)
    if not isinstance(data, dict):
        raise TypeError
    return data
