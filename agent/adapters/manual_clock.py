"""A clock that stands still until it is told."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.domain.hours.instant import Instant


class ManualClock:
    """Time that a test or a simulation moves; timers fire in order on the way."""

    def __init__(
        self,
        monotonic_s: float = 1000.0,
        utc: datetime = datetime(2026, 5, 6, 12, 0, tzinfo=UTC),
        *,
        trusted: bool = True,
    ) -> None:
        self._now = Instant(monotonic_s, utc, trusted)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def now(self) -> Instant:
        """The moment that was last set."""
        return self._now

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` when ``advance`` passes ``delay_s``; returns a cancel."""
        number = next(self._numbers)
        heapq.heappush(self._due, (self._now.monotonic_s + delay_s, number, call))

        def cancel() -> None:
            self._due = [timer for timer in self._due if timer[1] != number]
            heapq.heapify(self._due)

        return cancel

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks; a timer set by a timer fires too where it is due."""
        end_s = self._now.monotonic_s + seconds
        while self._due and self._due[0][0] <= end_s:
            due_s, _, call = heapq.heappop(self._due)
            self._now = self._now.later(max(due_s - self._now.monotonic_s, 0.0))
            call()
        self._now = self._now.later(max(end_s - self._now.monotonic_s, 0.0))

    def step_utc(
        self, seconds: float, *, trusted: bool | None = None, confirmed: bool | None = None
    ) -> None:
        """Set the time of day as NTP would; the monotonic clock does not move.

        ``confirmed`` says that it was signed, or that two sources agree.
        """
        self._now = replace(self._now, utc=self._now.utc + timedelta(seconds=seconds))
        if trusted is not None:
            self._now = replace(self._now, utc_trusted=trusted)
        if confirmed is not None:
            self._now = replace(self._now, confirmed=confirmed)

    def believe(self, utc: datetime, monotonic_s: float) -> None:
        """It was surely ``utc`` at ``monotonic_s``: whoever signs the time said so."""
        passed = timedelta(seconds=self._now.monotonic_s - monotonic_s)
        self._now = replace(self._now, utc=utc + passed, utc_trusted=True, confirmed=True)

    @property
    def waiting(self) -> int:
        """Timers that have neither fired nor been cancelled."""
        return len(self._due)
