"""The thread that forgets what the journal holds for longer, or beyond, what the config allows.

By time once a day, by the bounds each minute: what comes fast must not wait for the day's end.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from agent.errors import StoreError
from agent.ports import Clock

_POLL_S = 60.0
_EVERY_S = 86_400.0
_NOTHING_IS_OLDER = datetime(1, 1, 1, tzinfo=UTC)

_log = structlog.get_logger(__name__)


class Retention:
    """Once a day, by a clock that is trusted: a wrong one would forget what is new.

    While it is not, the latest time that surely was stands for now: it is at least so late. Where
    no time is known at all, nothing is old, and the journal is held to its size only.
    """

    def __init__(
        self,
        prune: Callable[[datetime], object],
        clock: Clock,
        days: int,
        latest: Callable[[], datetime | None] = lambda: None,
        hold: Callable[[], object] = lambda: None,
    ) -> None:
        """``prune`` removes what is older than the time that it is given; ``latest`` surely was.

        ``hold`` keeps to the bounds, and costs little while they are kept.
        """
        self._latest = latest
        self._hold = hold
        self._prune = prune
        self._clock = clock
        self._days = days
        self._pruned_s = self._by_time_s = float("-inf")
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            self.tend()
            if self._stopping.wait(_POLL_S):
                return

    def tend(self) -> None:
        """Prune where it is due; a journal that cannot is asked again a day later."""
        try:
            self._hold()
        except StoreError as error:
            _log.warning("bounds_wait", error=str(error))
        now = self._clock.now()
        if now.monotonic_s - self._by_time_s < _EVERY_S:
            return
        try:
            utc = now.utc if now.utc_trusted else self._latest()
            if utc is not None:
                self._by_time_s = now.monotonic_s
            elif now.monotonic_s - self._pruned_s < _EVERY_S:
                return
            self._pruned_s = now.monotonic_s
            known = None if utc is None else utc - timedelta(days=self._days)
            self._prune(known or _NOTHING_IS_OLDER)
        except StoreError as error:
            _log.warning("retention_waits", error=str(error))

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()
