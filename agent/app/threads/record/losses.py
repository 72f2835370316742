"""What was lost before anybody got it: counted, and told in the journal.

    found no room in memory, the journal could not be written:
        lost --fault raised--> counted --journal works--> one event --written--> fault cleared
    found no room in the journal any more, and was never sent:
        forgotten and told of in one transaction, by ``forgotten``

The event says how many of which kind, between when and when; of the second sort, where they stood
as well. What they said is gone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import structlog

from agent.app.threads.fault_line import FaultLine
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.record.events import Event, EventDraft, EventType
from agent.ports import Lost

_log = structlog.get_logger(__name__)


class LossCause(StrEnum):
    """Why events were lost."""

    UNWRITTEN = "unwritten"
    NO_ROOM = "no_room"


def forgotten(lost: Lost, now: Instant, new_id: Callable[[EventDraft], str]) -> Event:
    """The event of what the journal had, had no room for any more, and nobody got."""
    ranges = [
        {"epoch": epoch, "first": f"{first:020d}", "last": f"{last:020d}"}
        for epoch, (first, last) in lost.ranges.items()
    ]
    data = {**_data(LossCause.NO_ROOM, lost.counts, lost.first, lost.last), "ranges": ranges}
    _log.warning("events_forgotten", **data)
    draft = EventDraft(EventType.JOURNAL_EVENTS_LOST, now.utc, now.utc_trusted, None, data)
    return draft.with_id(new_id(draft))


def _data(
    cause: LossCause, counts: Mapping[str, int], first: datetime, last: datetime
) -> dict[str, Any]:
    return {
        "cause": cause.value,
        "total": sum(counts.values()),
        "counts": dict(sorted(counts.items())),
        "first": utc_text(first),
        "last": utc_text(last),
    }


class Losses:
    """The lost events of one writer, who guards it with its own lock."""

    def __init__(self, fault: FaultLine, new_id: Callable[[EventDraft], str]) -> None:
        self._fault = fault
        self._new_id = new_id
        self._counts: Counter[str] = Counter()
        self._first: Event | None = None
        self._last: Event | None = None
        self._since: Event | None = None

    @property
    def total(self) -> int:
        """How many are not told of yet."""
        return self._counts.total()

    def add(self, event: Event) -> None:
        """One more is lost; the oldest come first."""
        self._counts[event.type.value] += 1
        self._first = self._first or event
        self._since = self._since or event
        self._last = event
        self._fault.failed("events were lost: the journal could not be written for too long")

    def event(self) -> Event:
        """The event that tells of all that are lost by now; there must be some."""
        first, last = self._first, self._last
        assert first is not None
        assert last is not None
        self._since = None
        synced = first.clock_synced and last.clock_synced
        data = _data(LossCause.UNWRITTEN, self._counts, first.time, last.time)
        draft = EventDraft(EventType.JOURNAL_EVENTS_LOST, last.time, synced, None, data)
        return draft.with_id(self._new_id(draft))

    def told(self, event: Event) -> None:
        """``event`` is written; only what was lost after it was made is still to be told."""
        self._counts.subtract(event.data["counts"])
        self._counts = +self._counts
        self._first = self._since
        _log.warning("events_lost", **event.data)
        if not self._counts:
            self._fault.works()

    def give_up(self) -> None:
        """Nobody will write any more: the log at least says what is lost."""
        if self._counts:
            _log.error("events_lost", **self.event().data)
