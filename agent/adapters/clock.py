"""The system's clocks, and timers that fire even if the controller hangs."""

import ctypes
import heapq
import itertools
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from agent.domain.instant import Instant

_STA_UNSYNC = 0x0040
_TIMEX_BYTES = 512  # more than any libc's struct timex
_STATUS_OFFSET = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20
_TRUST_CHECK_S = 5.0

_log = structlog.get_logger(__name__)


class SystemClock:
    """Monotonic and UTC time; UTC is trusted once the kernel says that NTP keeps it.

    ``trust_system_clock`` vouches for a clock that is kept otherwise, by a battery for example.
    """

    def __init__(self, *, trust_system_clock: bool = False) -> None:
        self._always = trust_system_clock
        self._trusted = trust_system_clock
        self._checked_s = float("-inf")
        self._timers = TimerThread()

    def now(self) -> Instant:
        """This moment; trust is looked up at most every five seconds."""
        monotonic_s = time.monotonic()
        if not self._always and monotonic_s - self._checked_s > _TRUST_CHECK_S:
            self._checked_s = monotonic_s
            self._trusted = kernel_clock_is_kept()
        return Instant(monotonic_s, datetime.now(UTC), self._trusted)

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` once after ``delay_s`` from the timer thread; returns a cancel."""
        return self._timers.after(delay_s, call)


def kernel_clock_is_kept() -> bool:
    """Whether an NTP client keeps the kernel's clock: adjtimex(2), bit STA_UNSYNC of its status.

    systemd-timesyncd's mark in /run counts too, where adjtimex is denied.
    """
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (AttributeError, OSError):
        state = -1
    if state >= 0:
        status = int.from_bytes(buffer.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], sys.byteorder)
        return not status & _STA_UNSYNC
    return Path("/run/systemd/timesync/synchronized").exists()


class TimerThread:
    """One thread that calls what is due; what a call raises is logged and ends nothing."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._numbers = itertools.count()
        self._started = False

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` once after ``delay_s``; the thread begins with the first timer."""
        with self._condition:
            if not self._started:
                self._started = True
                threading.Thread(target=self._work, name="timers", daemon=True).start()
            number = next(self._numbers)
            heapq.heappush(self._due, (time.monotonic() + delay_s, number, call))
            self._condition.notify()

        def cancel() -> None:
            with self._condition:
                if any(waiting == number for _, waiting, _ in self._due):
                    self._cancelled.add(number)

        return cancel

    def _work(self) -> None:
        while True:
            with self._condition:
                while not self._due or (wait_s := self._due[0][0] - time.monotonic()) > 0:
                    self._condition.wait(wait_s if self._due else None)
                _, number, call = heapq.heappop(self._due)
                if number in self._cancelled:
                    self._cancelled.discard(number)
                    continue
            try:
                call()
            except Exception:  # noqa: BLE001 - one bad call must not end the thread
                # A timer secures an output; the next one must fire whatever this one met.
                _log.exception("timer_failed")
