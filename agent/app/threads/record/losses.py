"""What found no room in memory while the journal could not be written: counted, and told there.

    lost --fault raised--> counted --journal works--> one event --written--> fault cleared

The event stands where the lost ones would have stood, and says how many of which kind, between
when and when. What they said is gone.
"""

from collections import Counter
from collections.abc import Callable

import structlog

from agent.app.threads.fault_line import FaultLine
from agent.domain.hours.instant import utc_text
from agent.domain.record.events import Event, EventDraft, EventType

_log = structlog.get_logger(__name__)


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
        draft = EventDraft(
            EventType.JOURNAL_EVENTS_LOST,
            last.time,
            first.clock_synced and last.clock_synced,
            None,
            {
                "total": self.total,
                "counts": dict(sorted(self._counts.items())),
                "first": utc_text(first.time),
                "last": utc_text(last.time),
            },
        )
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
