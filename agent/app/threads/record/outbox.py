"""From the journal to the broker: in order, at least once, marked only when acknowledged.

    journal.unpublished --> [under way: at most a window] --publish--> broker
           ^                                                             |
           `------------------ mark_published <--- PUBACK ---------------'

A row that the broker refuses stays where it is and is sent again later; one that no broker would
ever take (its payload or topic is malformed) is marked as refused and said to be a fault, so that
it cannot hold up the stream.
"""

import json
import threading
from collections.abc import Callable

import structlog

from agent.domain.record.events import cloud_event
from agent.domain.record.published import Trace, published
from agent.domain.record.topics import Topics
from agent.errors import StoreError
from agent.ports import Broker, Journal, StoredEvent

_POLL_S = 1.0
_REFUSED_PAUSE_S = 5.0
_HOPELESS = ("Topic name invalid", "Payload format invalid", "Packet too large")

_log = structlog.get_logger(__name__)


class Outbox:
    """Owns what is under way; its own thread does all the work, the callbacks only note."""

    def __init__(
        self,
        journal: Journal,
        topics: Topics,
        *,
        window: int,
        trace: Trace,
        refused: Callable[[str], None],
        accepted: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._topics = topics
        self._window = window
        self._trace = trace
        self._refused = refused
        self._accepted = accepted
        self._condition = threading.Condition()
        self._under_way: dict[int, StoredEvent] = {}
        self._answers: list[tuple[int, str | None]] = []
        self._awake = False
        self._stopping = False
        self._pause_s = 0.0
        self._refusing = False

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
        while True:
            with self._condition:
                if not self._awake and not self._stopping:
                    self._condition.wait(self._pause_s or _POLL_S)
                elif self._pause_s and not self._stopping:
                    self._condition.wait(self._pause_s)
                stopping = self._stopping
            self.round(broker)
            if stopping:
                return

    def round(self, broker: Broker) -> float:
        """Settle what was answered and send what may go; for how many seconds to pause then."""
        with self._condition:
            self._awake = False
            self._pause_s = 0.0
            answers, self._answers = self._answers, []
        try:
            self._settle(answers)
            self._send(broker)
        except StoreError as error:
            # The journal's writer raises the fault; here it is only waited for.
            _log.warning("outbox_waits", error=str(error))
            with self._condition:
                self._answers = answers + self._answers
        return self._pause_s

    def _settle(self, answers: list[tuple[int, str | None]]) -> None:
        done = []
        for mid, refusal in answers:
            row = self._under_way.get(mid)
            if row is None:
                continue  # a status, or a repeat
            if refusal is None:
                done.append(row.row)
            elif refusal in _HOPELESS:
                self._journal.mark_refused(row.row, refusal)
                self._refused(f"event {row.event.id} is refused for good: {refusal}")
            else:
                self._pause_s = _REFUSED_PAUSE_S
                self._refusing = True
                self._refused(f"the broker refuses events: {refusal}")
        if done:
            self._journal.mark_published(done)
            if self._refusing and not self._pause_s:
                self._refusing = False
                self._accepted()
        # Only now: where the store fails, the same answers are settled again.
        for mid, _ in answers:
            self._under_way.pop(mid, None)

    def _send(self, broker: Broker) -> None:
        if self._pause_s or not broker.connected() or len(self._under_way) > self._window // 2:
            return
        busy = {row.row for row in self._under_way.values()}
        for row in self._journal.unpublished(self._window):
            if row.row in busy or len(self._under_way) >= self._window:
                continue
            topic = self._topics.event(row.event.type)
            mid = broker.publish(topic, self._payload(row))
            if mid is None:
                return
            with self._condition:
                self._under_way[mid] = row

    def _payload(self, row: StoredEvent) -> bytes:
        event = published(row.event, self._trace)
        body = cloud_event(
            event, source=self._topics.source, epoch=row.epoch, sequence=row.sequence
        )
        # ASCII only: half a character, as of a file name that is no text, has no UTF-8.
        return json.dumps(body, separators=(",", ":")).encode()
