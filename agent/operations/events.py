"""Reads the journal for people: what happened since when, of what kind, as CloudEvents."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import local_text, utc_text
from agent.domain.record.events import EventType, cloud_event, type_words
from agent.errors import RefusedError
from agent.ports import EventLog, StoredEvent

_TOLD = (
    *("reason", "change", "list", "issuer", "pass"),
    *("part", "file", "detail", "pack", "mode", "cause", "was", "utc", "by"),
)
"""What of an event's data stands in a row for people, in this order, behind holder and score."""
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
    return cloud_event(stored.event, source=source, epoch=stored.epoch, sequence=stored.sequence)


def as_row(
    stored: StoredEvent, zone: tzinfo, name_of: NameOf = lambda _holder: None
) -> tuple[str, int, str, str | None, str]:
    """For people: time in ``zone`` (``?``: not trusted), sequence, type, access point, what.

    ``name_of`` a holder stands beside their id.
    """
    event = stored.event
    mark = "" if event.clock_synced else " ?"
    time = local_text(event.time, zone) + mark
    what = ", ".join(_told(event.data, name_of))
    return time, stored.sequence, event.type.value, event.access_point, what


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


def _told(data: Mapping[str, Any], name_of: NameOf) -> Iterator[str]:
    holder = data.get("holder")
    if isinstance(holder, str):
        name = name_of(holder)
        yield holder if name is None else f"{holder} {name}"
    score, limit = data.get("score"), data.get("threshold")
    if isinstance(score, int | float):
        beside = f" of {limit:.3f}" if isinstance(limit, int | float) else ""
        yield f"score {score:.3f}{beside}"
    for key in _TOLD:
        if data.get(key) is not None:
            yield f"{key} {data[key]}"


def follow(
    log: EventLog, wanted: Filter, *, newest: int, pause: Callable[[], None]
) -> Iterator[StoredEvent]:
    """The last ``newest`` events, then each as it comes, for ever; ``pause`` waits in between."""
    row = max((stored.row for stored in log.read(newest=1)), default=0)
    # What came in the meantime comes once: below, and not here.
    yield from (stored for stored in wanted.select(log, newest=newest) if stored.row <= row)
    while True:
        pause()
        for stored in log.read(after_row=row):
            row = stored.row
            if not wanted.types or stored.event.type in wanted.types:
                yield stored
