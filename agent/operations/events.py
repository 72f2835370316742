"""Reads the journal for people: what happened since when, of what kind, as CloudEvents."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import local_text, utc_text
from agent.domain.hours.iso_time import read_moment
from agent.domain.record.events import Event, EventType, type_words
from agent.domain.record.message import message
from agent.errors import RefusedError
from agent.operations.decisions import DECISIONS, in_words
from agent.ports import EventLog, StoredEvent

_BY_ITSELF = ("change", "why")
_NAMED = ("list", "issuer", "pass", "pack", "mode", "cause", "was", "now", "by")
"""What of an event's data stands in a row for people behind its word, in this order."""
_IN_WORDS = ("change", "mode", "cause")
COLUMNS = ("time", "sequence", "type", "access point", "holder", "score", "limit", "what")
"""What ``as_columns`` gives."""
UNREAD = "?"
"""In the place of a name that this user, or this machine, cannot read."""
NameOf = Callable[[str], str | None]
"""The name of a holder, for whoever may read it; else None."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; empty ``types`` are all."""

    since: datetime | None = None
    types: frozenset[EventType] = frozenset()

    def select(
        self, log: EventLog, *, after_row: int = 0, newest: int | None = None
    ) -> Iterable[StoredEvent]:
        """Those of ``log`` in order; the last ``newest`` of them where that is given."""
        if len(self.types) <= 1:
            kind = next((kind.value for kind in self.types), None)
            return log.read(after_row=after_row, since=self.since, kind=kind, newest=newest)
        rows = log.read(after_row=after_row, since=self.since)
        found = (row for row in rows if row.event.type in self.types)
        return found if newest is None else deque(found, maxlen=newest)


def parse_types(words: Iterable[str]) -> frozenset[EventType]:
    """Event types by name, with or without the prefix of CloudEvents; a family names all of it.

    Raises:
        RefusedError: ``event_type``: there is none of this name.
    """
    found: set[EventType] = set()
    for word in words:
        name = word.removeprefix("gate.")
        named = {kind for kind in EventType if name in (kind.value, kind.value.partition(".")[0])}
        if not named:
            known = ", ".join(kind.value for kind in EventType)
            near = did_you_mean(name, type_words())
            said = f"there are no events of type {word!r}{near}\nFix: one of {known}"
            raise RefusedError("event_type", said)
        found |= named
    return frozenset(found)


def as_json(stored: StoredEvent, source: str) -> dict[str, Any]:
    """The CloudEvent with all that the journal has; the broker may get less of it."""
    return message(stored.event, stored.place(source))


class Columns(NamedTuple):
    """An event as people read it, a value a column; None where it says nothing of it."""

    time: str
    sequence: int
    type: str
    access_point: str | None
    holder: str | None
    score: str | None
    limit: str | None
    what: str | None


UNSURE = " ?"
"""Behind a time that no clock which was set confirms."""
UNSURE_MEANS = "? the clock was not set by then: the order holds, the time may not"


def when(event: Event, zone: tzinfo) -> str:
    """The time of an event in ``zone``, marked where it is not trusted."""
    return local_text(event.time, zone) + ("" if event.clock_synced else UNSURE)


def as_columns(
    stored: StoredEvent, zone: tzinfo, name_of: NameOf = lambda _holder: None
) -> Columns:
    """For people, by ``COLUMNS``: times in ``zone`` (``?``: not trusted), names by ``name_of``."""
    event = stored.event
    holder = event.data.get("holder")
    return Columns(
        when(event, zone),
        stored.sequence,
        event.type.value,
        event.access_point,
        f"{holder} {name_of(holder) or UNREAD}" if isinstance(holder, str) else None,
        _score(event.data.get("score")),
        _score(event.data.get("threshold")),
        ", ".join(_told(event, zone)) or None,
    )


def as_row(
    stored: StoredEvent, zone: tzinfo, name_of: NameOf = lambda _holder: None
) -> tuple[str, int, str, str | None, str]:
    """The same for a line: time, sequence, type, access point, and the rest in one."""
    one = as_columns(stored, zone, name_of)
    beside = "" if one.limit is None else f" of {one.limit}"
    score = None if one.score is None else f"score {one.score}{beside}"
    what = ", ".join(told for told in (one.holder, score, one.what) if told is not None)
    return one.time, one.sequence, one.type, one.access_point, what


SHEET = (
    *("time", "epoch", "sequence", "type", "access_point", "holder", "reason"),
    *("score", "threshold", "part", "by"),
)
"""The columns of events as a sheet."""


def as_cells(stored: StoredEvent) -> tuple[object, ...]:
    """The values of ``SHEET``; never a name."""
    event = stored.event
    known = {
        "time": utc_text(event.time),
        "epoch": stored.epoch,
        "sequence": stored.sequence,
        "type": event.type.value,
        "access_point": event.access_point,
    }
    return tuple(known.get(name, event.data.get(name)) for name in SHEET)


def _score(value: object) -> str | None:
    return f"{value:.3f}" if isinstance(value, int | float) else None


def _told(event: Event, zone: tzinfo) -> Iterator[str]:
    data = dict(event.data)
    if event.type is EventType.CLOCK_SET:
        data["was"], data["now"] = (_moment(data.get(key), zone) for key in ("was", "utc"))
    if event.type is EventType.JOURNAL_CHECKPOINT:
        yield f"signed to {str(data.get('until')).lstrip('0')}"
    about, detail = data.get("part", data.get("file")), data.get("detail")
    if about is not None:
        yield f"{about}" if detail is None else f"{about}: {detail}"
    if data.get("reason") is not None:
        # A denial's is a word of ours, any other a person's own.
        denied = event.type in (EventType.ACCESS_DENIED, EventType.WALK_TEST_DENIED)
        yield in_words(data["reason"]) if denied else f"reason: {data['reason']}"
    if event.type in DECISIONS:
        data.pop("pack", None)  # by which faces were compared, which is nearly always the same
    for key in (*_BY_ITSELF, *_NAMED):
        if data.get(key) is not None:
            value = in_words(data[key]) if key in _IN_WORDS else data[key]
            yield f"{value}" if key in _BY_ITSELF else f"{key} {value}"


def _moment(text: object, zone: tzinfo) -> str | None:
    try:
        return None if text is None else local_text(read_moment(str(text)), zone)
    except ValueError:
        return str(text)
