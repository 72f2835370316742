"""The thread that counts what the agent writes a day, and has what can wait be said less often.

    written today         the fault wear   heartbeat, status           log
    within the budget     -                as ever                     as ever
    more                  raised           every second one; status    warnings and errors
                                           once a minute

Decisions, events, the journal and whatever the doors need never wait for it: a card that wears out
is a card to be replaced, a gate that forgets is none. The count is kept over a restart, and written
down at the start, at the end, at a new day, and each tenth of the budget.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

from agent import logs
from agent.app.threads.fault_line import FaultLine
from agent.controller.inputs import Input
from agent.domain.access.part import PartKind
from agent.domain.record.wear import Day, Meter, Wear, counted, day_of
from agent.ports import Clock

_EVERY_S = 60.0
_SHARE_KEPT = 10
_NOTHING = Meter(0, 0, None)


class WearWatch:
    """Counts; ``wear`` is what others go by, from any thread."""

    def __init__(
        self,
        day: Day,
        budget_bytes: int,
        clock: Clock,
        meter: Callable[[], Meter],
        keep: Callable[[Day], object],
        post: Callable[[Input], None],
        thin: Callable[[bool], None] = logs.thin,
    ) -> None:
        """``day`` is what the last agent counted; of this process all counts from its start on.

        ``thin`` has the log say less, or as ever again.
        """
        self._budget = budget_bytes
        self._clock = clock
        self._meter = meter
        self._keep = keep
        self._thin = thin
        self._fault = FaultLine(PartKind.WEAR.part(), post)
        self._day = day
        self._began = False
        self._last = _NOTHING
        self._kept: Day | None = None
        self._measured = True
        self._stopping = threading.Event()

    def wear(self) -> Wear:
        """The day so far."""
        return Wear(self._day, self._budget, self._measured)

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        self.look()
        while not self._stopping.wait(_EVERY_S):
            self.look()
        self.look(at_end=True)
        self._thin(False)

    def look(self, *, at_end: bool = False) -> None:
        """Count once."""
        now, meter = self._clock.now(), self._meter()
        if not self._began:
            self._began = True
            self._day = replace(self._day, began_s=now.monotonic_s)
        # What was written since the last look is the day's that it was then.
        day = counted(self._day, self._last, meter)
        self._last, self._measured = meter, meter.written is not None
        self._day = day_of(day, now)
        self._judge()
        if at_end or self._due():
            self._kept = self._day
            self._keep(self._day)

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()

    def _judge(self) -> None:
        wear = self.wear()
        if wear.over:
            self._fault.failed(
                f"{wear.day.total / 1e6:.0f} MB were written today, more than"
                f" {wear.budget / 1e6:.0f} MB: the log and the status say less until tomorrow"
            )
        else:
            self._fault.works()
        self._thin(wear.over)

    def _due(self) -> bool:
        kept = self._kept
        if kept is None or kept.on != self._day.on or kept.began_s != self._day.began_s:
            return True
        return self._day.total - kept.total >= self._budget // _SHARE_KEPT
