"""The time of day, and timers."""

from collections.abc import Callable
from typing import Protocol

from agent.domain.hours.instant import Instant


class Clock(Protocol):
    """The only way to the time of day and to timers."""

    def now(self) -> Instant:
        """This moment on both clocks."""

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` once after ``delay_s`` from a thread of the clock's; returns a cancel."""
