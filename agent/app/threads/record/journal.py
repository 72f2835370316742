"""The thread that writes events down: before the door moves, without making it wait.

    submit(event) --> [queue] --> append (one transaction) --> durable (fsync) --> outbox
          `-- ticket.wait(20 ms): written in time, or marked late

A row that cannot be written is kept and tried again; the fault says so meanwhile. Beyond what is
kept the oldest are lost, and ``losses`` tells of them once the journal works again. The thread's
loop is ``drain`` over and over; a simulation calls ``drain`` by itself, under a clock of its own.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import structlog

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.record.checkpoints import Checkpoints
from agent.app.threads.record.losses import Losses
from agent.domain.record.events import Event
from agent.errors import StoreError
from agent.ports import Journal

_RETRY_S = 1.0
_MOST_KEPT = 20_000
_log = structlog.get_logger(__name__)
Wait = Callable[[threading.Event, float], object]
"""How a ticket waits for its row, at most so many seconds."""


class Ticket:
    """One event on its way into the journal."""

    def __init__(self, event: Event, wait: Wait = threading.Event.wait) -> None:
        self._event = event
        self._wait = wait
        self._written = threading.Event()
        self._late = False

    def wait(self, timeout_s: float) -> bool:
        """Whether the row was written within ``timeout_s``; if not, it is marked as late."""
        self._wait(self._written, timeout_s)
        if self._written.is_set():
            return True
        self._late = True
        return self._written.is_set()

    def written(self) -> None:
        """The row is committed."""
        self._written.set()

    def event(self) -> Event:
        """The event as it must be written now."""
        if not self._late:
            return self._event
        return replace(self._event, data={**self._event.data, "recorded_late": True})


class JournalWriter:
    """Owns the journal's writes of the daemon; ``submit`` never blocks."""

    def __init__(
        self,
        journal: Journal,
        *,
        written: Callable[[], None],
        fault: FaultLine,
        losses: Losses,
        checkpoints: Checkpoints | None = None,
        wait: Wait = threading.Event.wait,
    ) -> None:
        """``checkpoints`` are made where there are some, after the rows that are waited for."""
        self._journal = journal
        self._wait = wait
        self._written = written
        self._fault = fault
        self._losses = losses
        self._checkpoints = checkpoints
        self._condition = threading.Condition()
        self._waiting: deque[Ticket] = deque()
        self._under_way: Ticket | None = None
        self._stopping = False

    def submit(self, event: Event) -> Ticket:
        """Queue one event."""
        ticket = Ticket(event, self._wait)
        with self._condition:
            if len(self._waiting) - self._busy >= _MOST_KEPT:
                # Only a journal that failed for hours comes here; the oldest word goes first.
                self._losses.add(self._oldest().event())
            self._waiting.append(ticket)
            self._condition.notify()
        return ticket

    @property
    def idle(self) -> bool:
        """Whether everything is written and durable."""
        with self._condition:
            return self._settled

    def stop(self) -> None:
        """Write what waits, then end ``work``; a journal that still fails is not waited for."""
        with self._condition:
            self._stopping = True
            self._condition.notify()

    def work(self) -> None:
        """The thread's loop."""
        while True:
            with self._condition:
                if not self._waiting and not self._stopping:
                    self._condition.wait(_RETRY_S)
                # Rows may be written and not yet durable: a fault is tried again without new ones.
                settled, stopping = self._settled, self._stopping
            if settled:
                self._checkpoint(stopping=stopping)
                if stopping:
                    return
                continue
            if not self.drain():
                with self._condition:
                    if self._stopping:
                        self._give_up()
                        return
                    self._condition.wait(_RETRY_S)

    def drain(self) -> bool:
        """Write what waits and make it durable; False where that failed: try again later."""
        try:
            self._tell_losses()
            while (ticket := self._first()) is not None:
                self._journal.append(ticket.event)
                ticket.written()
                with self._condition:
                    self._waiting.popleft()
                    self._under_way = None
            if self._checkpoints is not None:
                self._checkpoints.written()
            self._journal.make_durable()
        except StoreError as error:
            self._under_way = None
            self._fault.failed(error)
            return False
        self._fault.works()
        self._written()
        return True

    def tend(self) -> None:
        """Nothing waits to be written: make a checkpoint where one is due."""
        self._checkpoint(stopping=False)

    def end(self) -> None:
        """Nothing more will be written: make the last checkpoint."""
        self._checkpoint(stopping=True)

    def _checkpoint(self, *, stopping: bool) -> None:
        if self._checkpoints is None:
            return
        try:
            if stopping:
                self._checkpoints.end()
            elif not self._checkpoints.idle():
                return
            self._journal.make_durable()
        except StoreError as error:
            # The next row that cannot be written raises the fault.
            _log.info("checkpoint_unwritten", error=str(error))
            return
        self._written()

    @property
    def _settled(self) -> bool:
        return not self._waiting and not self._losses.total and not self._fault.failing

    def _tell_losses(self) -> None:
        """Before what waits: there they would have stood."""
        with self._condition:
            if not self._losses.total:
                return
        made: list[Event] = []

        def make() -> Event:
            with self._condition:
                made[:] = [self._losses.event()]
            return made[0]

        self._journal.append(make)
        with self._condition:
            self._losses.told(made[0])

    def _give_up(self) -> None:
        for ticket in self._waiting:
            self._losses.add(ticket.event())
        self._waiting.clear()
        self._losses.give_up()

    def _first(self) -> Ticket | None:
        with self._condition:
            self._under_way = self._waiting[0] if self._waiting else None
            return self._under_way

    @property
    def _busy(self) -> int:
        """How many of those that wait are being written: the first, or none."""
        return 0 if self._under_way is None else 1

    def _oldest(self) -> Ticket:
        """The oldest is taken out, but for the one that is being written."""
        ticket = self._waiting[self._busy]
        del self._waiting[self._busy]
        return ticket
