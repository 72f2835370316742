"""An event as a row of the journal, and back.

Texts are read as bytes and decoded here: SQLite's own message about a damaged one would quote it.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from agent.adapters.store.sqlite import CorruptError, stored_moment
from agent.domain.foreign.json_text import read_json
from agent.domain.record.chain import LINK_BYTES, SALT_BYTES, commitments
from agent.domain.record.events import Event, EventType
from agent.domain.record.jcs import canonical
from agent.domain.record.message import Chained, Commitments, Place, link_of
from agent.domain.record.published import covered, covered_names
from agent.ports import Lost, StoredEvent

PENDING, PUBLISHED, REFUSED = 0, 1, 2
_CHAIN_COLUMNS = ("source", "previous", "salt", "commitments")
_PLAIN_COLUMNS = "epoch, sequence, id, type, time, clock_synced, access_point, data"
EVENT_COLUMNS = ", ".join((_PLAIN_COLUMNS, *_CHAIN_COLUMNS))
COLUMNS = f"row, {EVENT_COLUMNS}, state"
COLUMNS_BEFORE_CHAIN = f"row, {_PLAIN_COLUMNS}, {', '.join(['NULL'] * len(_CHAIN_COLUMNS))}, state"
"""The same of a file from before the chain."""
_BLOBS = ("previous", "salt")
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {kind.value.encode(): kind for kind in EventType}
NO_LINK = bytes(LINK_BYTES)
"""What the first of a chain carries as the link before it."""


def chained_values(
    event: Event, source: str, epoch: str, sequence: int, previous: bytes
) -> tuple[tuple[object, ...], bytes]:
    """The columns of ``EVENT_COLUMNS``, and the event's link."""
    salt = os.urandom(SALT_BYTES)

    def linked(read: Event) -> tuple[bytes, str]:
        known = commitments(salt, covered(read))
        place = Place(source, epoch, sequence, Chained(source, previous, salt, known))
        return link_of(read, place), _in_a_row(known)

    text = _json(dict(event.data))
    try:
        link, known = linked(event)
    except ValueError:
        # Hashed is what will be read again, which need not be what it was made of.
        read = replace(event, data=_mended(json.loads(text)))
        (link, known), text = linked(read), _json(read.data)
    plain = _plain_values(event, epoch, sequence, text)
    return (*plain, source, previous, salt, known), link


def unchained_values(event: Event, epoch: str, sequence: int) -> tuple[object, ...]:
    """The columns of ``EVENT_COLUMNS`` of an event that stands in no chain."""
    plain = _plain_values(event, epoch, sequence, _json(dict(event.data)))
    return (*plain, None, None, None, None)


def _plain_values(event: Event, epoch: str, sequence: int, data: str) -> tuple[object, ...]:
    return (
        *(epoch, sequence, event.id, event.type.value, time_text(event.time)),
        *(int(event.clock_synced), event.access_point, data),
    )


def inserted(row: Sequence[Any]) -> tuple[object, ...]:
    """The columns of ``EVENT_COLUMNS`` of a row of ``COLUMNS``, as they go into another file."""
    _, *columns, _ = row
    names = EVENT_COLUMNS.split(", ")
    return tuple(
        one.decode() if isinstance(one, bytes) and name not in _BLOBS else one
        for name, one in zip(names, columns, strict=True)
    )


def without_covered(stored_event: StoredEvent) -> tuple[str, str]:
    """Data and commitments of an event whose covered values are erased, as columns."""
    data, chained = stored_event.event.data, stored_event.chained
    hidden = covered(stored_event.event)
    known: Mapping[str, str] = {}
    if chained is not None:
        known = chained.commitments
        if chained.salt is not None and not known:
            known = commitments(chained.salt, hidden)
    kept = {name: one for name, one in data.items() if name not in hidden}
    return _json(kept), _json(dict(known))


def lost_of(rows: Sequence[Sequence[Any]]) -> Lost:
    """What is to be told of rows of ``COLUMNS`` that nobody will get.

    What one of them told of earlier losses goes on in it.
    """
    counts: Counter[str] = Counter()
    times: list[datetime] = []
    ranges: dict[str, tuple[int, int]] = {}
    for row in rows:
        spans = {row[1].decode(errors="replace"): (int(row[2]), int(row[2]))}
        try:
            event = stored(row).event
        except CorruptError:
            counts["unreadable"] += 1
            times.append(_NO_TIME)
        else:
            counts[event.type.value] += 1
            times.append(event.time)
            if event.type is EventType.JOURNAL_EVENTS_LOST:
                counts.update(event.data["counts"])
                times.append(stored_moment(event.data["first"]))
                for one in event.data.get("ranges", ()):
                    _widen(spans, one["epoch"], int(one["first"]), int(one["last"]))
        for epoch, span in spans.items():
            _widen(ranges, epoch, *span)
    return Lost(counts, min(times), max(times), ranges)


def _widen(ranges: dict[str, tuple[int, int]], epoch: str, first: int, last: int) -> None:
    known = ranges.get(epoch, (first, last))
    ranges[epoch] = min(known[0], first), max(known[1], last)


def time_text(moment: datetime) -> str:
    """A moment as the column holds it; in UTC, so that it sorts as text."""
    return moment.astimezone(UTC).isoformat()


def stored(row: Sequence[Any]) -> StoredEvent:
    """A row of ``COLUMNS``.

    Raises:
        CorruptError: it is no event: the file was damaged where SQLite does not look.
    """
    number, epoch, sequence, event_id, kind, time, synced, access_point, data, *chained, state = row
    try:
        event = Event(
            id=_text(event_id),
            type=_KINDS.get(kind) or EventType(_text(kind)),
            time=stored_moment(_text(time)),
            clock_synced=bool(synced),
            access_point=None if access_point is None else _text(access_point),
            data=_object(data),
        )
        return StoredEvent(
            int(number),
            _text(epoch),
            int(sequence),
            event,
            state == PUBLISHED,
            _chained(event, *chained),
        )
    except (ValueError, TypeError):
        # Without the cause, which would quote the row.
        raise CorruptError(f"row {number} of the journal is damaged") from None


def _chained(
    event: Event, source: object, previous: object, salt: object, known: object
) -> Chained | None:
    if previous is None:
        return None
    if salt is not None:
        made: Mapping[str, str] = (
            {} if known is None else Commitments(covered_names(event), _text(known))
        )
        return Chained(_text(source), _bytes(previous, LINK_BYTES), _bytes(salt, SALT_BYTES), made)
    promised = {name: str(one) for name, one in _object(known).items()}
    return Chained(_text(source), _bytes(previous, LINK_BYTES), None, promised)


def _in_a_row(known: Mapping[str, str]) -> str:
    """The commitments one behind the other, by name: which these are, the data says.

    They are kept beside what they follow from: to make them anew takes several times as long as all
    else of sending a row.
    """
    return "".join([known[name] for name in sorted(known)])


def _mended(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with another text for what has no canonical form, half a character say."""
    return {_whole(name): _with_form(one) for name, one in data.items()}


def _with_form(value: Any) -> Any:
    try:
        canonical(value)
    except ValueError:
        return _whole(value) if isinstance(value, str) else _json(value)
    return value


def _whole(text: str) -> str:
    return text.encode(errors="replace").decode()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _bytes(value: object, length: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != length:
        raise TypeError
    return value


def _text(value: Any) -> str:
    return str(value, "utf-8")  # a TypeError for whatever is no bytes


def _object(value: object) -> dict[str, Any]:
    text = _text(value)
    try:
        data = from_json(text)
    except ValueError:
        data = read_json(text)  # half a character, which that parser does not take
    if not isinstance(data, dict):
        raise TypeError
    return data
