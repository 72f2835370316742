"""A journal in memory: the chain of the real one, and no disk under a thousand of them.

A kiosk of the fleet never dies, so nothing has to outlive it. What the broker has acknowledged is
kept for a while: a backend may ask for it again.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence

from agent.domain.record.chain import ORIGIN, SALT_BYTES, commitments
from agent.domain.record.events import Event
from agent.domain.record.message import Chained, Place, link_of
from agent.domain.record.published import covered
from agent.ports import StoredEvent, Tip

MOST_KEPT = 500


class MemoryJournal:
    """Implements ``ports.Journal``; of one thread."""

    def __init__(self, source: str) -> None:
        """``source`` is the kiosk's, as its events name it."""
        self.epoch = secrets.token_hex(8)
        self.last_sequence = 0
        self._source = source
        self._link = bytes.fromhex(ORIGIN)
        self._waiting: dict[int, StoredEvent] = {}
        self._kept: deque[StoredEvent] = deque(maxlen=MOST_KEPT)

    @property
    def pending(self) -> int:
        """How many rows the broker does not have yet."""
        return len(self._waiting)

    def append(self, event: Event | Callable[[], Event]) -> int:
        """Keep an event and return its sequence number."""
        one = event if isinstance(event, Event) else event()
        self.last_sequence += 1
        # With its commitments, as the real one: made anew they are half of what sending takes.
        salt = secrets.token_bytes(SALT_BYTES)
        known = commitments(salt, covered(one))
        chained = Chained(self._source, self._link, salt, known)
        place = Place(self._source, self.epoch, self.last_sequence, chained)
        self._link = link_of(one, place)
        stored = StoredEvent(
            self.last_sequence,
            self.epoch,
            self.last_sequence,
            one,
            published=False,
            chained=chained,
        )
        self._waiting[self.last_sequence] = stored
        self._kept.append(stored)
        return self.last_sequence

    def stretch(self, epoch: str, first: int, last: int) -> list[StoredEvent]:
        """What is still there of the events from ``first`` to ``last``."""
        return [one for one in self._kept if one.epoch == epoch and first <= one.sequence <= last]

    def tip(self) -> Tip | None:
        """Where the stream ends; None before its first event."""
        if not self.last_sequence:
            return None
        return Tip(self._source, self.epoch, self.last_sequence, self._link)

    def make_durable(self) -> None:
        """Nothing outlives the process."""

    def unpublished(self, limit: int, *, after_row: int = 0) -> Sequence[StoredEvent]:
        """The oldest rows after ``after_row`` not yet acknowledged, in their order."""
        found: list[StoredEvent] = []
        for row, stored in self._waiting.items():
            if row > after_row:
                found.append(stored)
                if len(found) == limit:
                    break
        return found

    def newest_row(self) -> int:
        """The number of the newest row; 0 before the first."""
        return self.last_sequence

    def mark_published(self, rows: Sequence[int]) -> None:
        """The broker has acknowledged these rows."""
        for row in rows:
            self._waiting.pop(row, None)

    def mark_refused(self, row: int, why: str) -> None:
        """No broker will ever take this row."""
        del why
        self._waiting.pop(row, None)
