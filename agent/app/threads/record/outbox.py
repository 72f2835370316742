"""From the journal to the broker: in order, at least once, marked only when acknowledged.

    journal.unpublished --> [under way: at most a window] --publish--> broker
           ^                                                             |
           `------------------ mark_published <--- PUBACK ---------------'

Where more than a hundred wait when the broker comes, what waits is a backlog. It goes in its order
and at its pace, in a part of the window; what happens from then on is not held up by it, and goes
in its order beside it:

    rows       1 ............ boundary | ................ newest
    cursors          ^ backlog                ^ stream

A row that the broker refuses stays where it is and is sent again later. One that is too large for
it is passed by, and tried again once the broker says that it takes another size, or after some
minutes. One that no broker would ever take (its payload or topic is malformed) is marked as
refused. Each is said to be a fault, and none holds up the stream.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

import structlog

from agent.app.threads.record.wire import wire
from agent.domain.record.events import EventType
from agent.domain.record.pace import Pace
from agent.domain.record.published import Trace
from agent.domain.record.topics import Topics
from agent.errors import StoreError
from agent.ports import TOO_LARGE, Broker, Journal, StoredEvent

_POLL_S = 1.0
_REFUSED_PAUSE_S = 5.0
_AGAIN_S = 600.0
_SHORT = 100
"""Rows that wait and are no backlog yet."""
_AT_LEAST_OF_A_WINDOW = 4
"""Of the backlog this part of the window goes at once: each look at the journal costs some rows."""
_MOST_PASSED_BY = 10_000
_HOPELESS = ("Topic name invalid", "Payload format invalid")

_log = structlog.get_logger(__name__)


class _Sent(NamedTuple):
    row: StoredEvent
    at_s: float
    paced: bool


class Outbox:
    """Owns what is under way; its own thread does all the work, the callbacks only note."""

    def __init__(
        self,
        journal: Journal,
        topics: Topics,
        *,
        pace: Pace,
        trace: Trace,
        refused: Callable[[str], None],
        accepted: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._topic_of = {kind: topics.event(kind) for kind in EventType}
        self._pace = pace
        self._wire = wire(topics, trace)
        self._refused = refused
        self._accepted = accepted
        self._condition = threading.Condition()
        self._under_way: dict[int, _Sent] = {}
        self._answers: list[tuple[int, str | None]] = []
        self._awake = False
        self._stopping = False
        self._pause_s = 0.0
        self._refusing = False
        self._begun = False
        self._boundary = self._backlog = self._stream = 0
        self._passed_by: set[int] = set()
        self._passed_by_s = 0.0
        self._largest_bytes: int | None = None

    def notify(self) -> None:
        """There may be something to do; never blocks."""
        with self._condition:
            self._awake = True
            self._condition.notify()

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered; called from its client's thread."""
        with self._condition:
            self._answers.append((mid, refusal))
            self._awake = True
            self._condition.notify()

    @property
    def awake(self) -> bool:
        """Whether something was noted since the last round."""
        with self._condition:
            return self._awake

    def stop(self) -> None:
        """End ``work`` after the round under way."""
        with self._condition:
            self._stopping = True
            self._condition.notify()

    def work(self, broker: Broker) -> None:
        """The thread's loop."""
        wait_s = _POLL_S
        while True:
            with self._condition:
                if not self._awake and not self._stopping:
                    self._condition.wait(wait_s)
                elif self._pause_s and not self._stopping:
                    self._condition.wait(self._pause_s)
                stopping = self._stopping
            wait_s = self.round(broker) or _POLL_S
            if stopping:
                return

    def round(self, broker: Broker) -> float:
        """Settle what was answered and send what may go; for how many seconds to wait then.

        0 where there is nothing to do until something is noted.
        """
        with self._condition:
            self._awake = False
            self._pause_s = 0.0
            answers, self._answers = self._answers, []
        try:
            self._settle(answers)
            paced_s = self._send(broker)
        except StoreError as error:
            # The journal's writer raises the fault; here it is only waited for.
            _log.warning("outbox_waits", error=str(error))
            with self._condition:
                self._answers = answers + self._answers
            return 0.0
        return self._pause_s or paced_s

    def _settle(self, answers: list[tuple[int, str | None]]) -> None:
        done = []
        for mid, refusal in answers:
            sent = self._under_way.get(mid)
            if sent is None:
                continue  # a status, or a repeat
            if refusal is None:
                done.append(sent.row.row)
                if sent.paced:
                    self._pace.answered(self._pace.now_s - sent.at_s)
            else:
                self._settle_refused(sent.row, refusal)
        if done:
            self._journal.mark_published(done)
            if self._refusing and not self._pause_s and not self._passed_by:
                self._refusing = False
                self._accepted()
        # Only now: where the store fails, the same answers are settled again.
        for mid, _ in answers:
            self._under_way.pop(mid, None)

    def _settle_refused(self, row: StoredEvent, refusal: str) -> None:
        if refusal in _HOPELESS:
            self._journal.mark_refused(row.row, refusal)
            self._refused(f"event {row.event.id} is refused for good: {refusal}")
            return
        self._refusing = True
        if refusal.startswith(TOO_LARGE) and len(self._passed_by) < _MOST_PASSED_BY:
            if not self._passed_by:
                self._passed_by_s = self._pace.now_s
            self._passed_by.add(row.row)
            self._refused(f"an event waits until the broker takes it. {refusal}")
            return
        self._pause_s = _REFUSED_PAUSE_S
        self._begun = False
        self._refused(f"the broker refuses events: {refusal}")

    def _send(self, broker: Broker) -> float:
        if not broker.connected():
            self._begun = False
            return 0.0
        if self._pause_s:
            return 0.0
        if self._again(broker) or not self._begun:
            self._begin()
        window, before = broker.window, len(self._under_way)
        if self._boundary or before <= window // 2:
            self._stream = self._hand_over(broker, self._stream, window - before, paced=False)
        if self._boundary:
            room = window - window // 4 - len(self._under_way)
            if self._under_way and room < window // _AT_LEAST_OF_A_WINDOW:
                return self._pace.wait_s
            room = min(room, self._pace.allowance)
            self._backlog = self._hand_over(broker, self._backlog, room, paced=True)
            return self._pace.wait_s if self._boundary else 0.0
        if not self._under_way and not self._passed_by and self._journal.unpublished(1):
            self._begun = False  # whatever became of it, it is looked for from the beginning
        return 0.0

    def _again(self, broker: Broker) -> bool:
        """Whether the broker may take by now what was too large for it."""
        before, self._largest_bytes = self._largest_bytes, broker.largest_bytes
        if not self._passed_by:
            return False
        if before == self._largest_bytes and self._pace.now_s - self._passed_by_s < _AGAIN_S:
            return False
        self._passed_by.clear()
        return True

    def _begin(self) -> None:
        """Tell the backlog from the stream."""
        newest = self._journal.newest_row()
        waits = len(self._journal.unpublished(_SHORT + 1)) > _SHORT
        self._boundary = self._stream = newest if waits else 0
        self._backlog = 0
        self._begun = True

    def _hand_over(self, broker: Broker, after: int, room: int, *, paced: bool) -> int:
        """Send at most ``room`` rows after the row ``after``; the last row that was dealt with."""
        busy = {sent.row.row for sent in self._under_way.values()} | self._passed_by
        while room > 0:
            most, rows = room, self._journal.unpublished(room, after_row=after)
            for row in rows:
                if paced and row.row > self._boundary:
                    self._boundary = 0
                    return after
                if row.row not in busy:
                    mid = broker.publish(self._topic_of[row.event.type], self._wire(row))
                    if mid is None:
                        return after
                    with self._condition:
                        self._under_way[mid] = _Sent(row, self._pace.now_s, paced)
                    room -= 1
                    if paced:
                        self._pace.took(1)
                after = row.row
            if len(rows) < most:
                if paced:
                    self._boundary = 0
                break
        return after
