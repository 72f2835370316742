"""The system's clocks, and timers that fire even if the controller hangs.

A Pi has no battery clock: until an NTP client has set it, the time of day means nothing, and a rule
with dates must not grant by it. The kernel knows (adjtimex(2), STA_UNSYNC), but it withdraws its
word some nine hours after the last contact, though the clock is still right to the second. So the
trust is kept from then on for as long as nobody steps the clock: CLOCK_REALTIME minus
CLOCK_BOOTTIME changes by steps only, since slewing moves both.
"""

import ctypes
import heapq
import itertools
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import DRIFT, TOLERANCE
from agent.errors import InternalError

_STA_UNSYNC = 0x0040
_TIMEX_BYTES = 512  # more than any libc's struct timex
_STATUS_OFFSET = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20
_TIMESYNCD_MARK = Path("/run/systemd/timesync/synchronized")
_TRUST_CHECK_S = 5.0
_STEP_S = 1.0
_MOST_TIMERS = 1000

_log = structlog.get_logger(__name__)


class SystemClock:
    """Monotonic and UTC time; UTC is trusted once an NTP client has set it, until it is stepped.

    A signed time outranks it: where the system's clock differs from it by more than ``tolerance``,
    the signed one goes on by the monotonic clock, and where it does not, two sources agree.

    ``trust_system_clock`` vouches for a clock that is kept otherwise, by a battery for example;
    where an NTP client then finds it right, those are two sources too. Without it and without an
    NTP client (a bare container) UTC is never trusted.
    """

    def __init__(
        self,
        *,
        trust_system_clock: bool = False,
        tolerance: timedelta = TOLERANCE,
        kept: Callable[[], bool] | None = None,
        offset_s: Callable[[], float] | None = None,
    ) -> None:
        """``kept`` and ``offset_s`` (UTC minus time since boot) stand for the kernel in tests."""
        self._always = trust_system_clock
        self._tolerance_s = tolerance.total_seconds()
        self._kept = kept or kernel_clock_is_kept
        self._offset_s = offset_s or _utc_since_boot_s
        self._lock = threading.Lock()
        self._trusted = trust_system_clock
        self._checked_s = float("-inf")
        # timesyncd leaves its mark for the whole of this boot, so a restart offline keeps trust.
        marked = kept is None and _TIMESYNCD_MARK.exists()
        self._set_offset_s: float | None = self._offset_s() if marked else None
        # What a battery kept before any NTP client spoke, and whether one has found it right.
        unspoken = trust_system_clock and not self._kept()
        self._battery_s: float | None = self._offset_s() if unspoken else None
        self._found_right = False
        self._signed: tuple[float, float] | None = None
        self._overruled = False
        self._timers = TimerThread()

    def now(self) -> Instant:
        """This moment; trust is looked up at most every five seconds."""
        monotonic_s = time.monotonic()
        with self._lock:
            if monotonic_s - self._checked_s > _TRUST_CHECK_S:
                self._checked_s = monotonic_s
                self._found_right = self._agrees()
                self._trusted = self._always or self._look()
            trusted, signed, confirmed = self._trusted, self._signed, self._found_right
        utc = datetime.now(UTC)
        if signed is None:
            return Instant(monotonic_s, utc, trusted, confirmed)
        offset_s, heard_s = signed
        surely = datetime.fromtimestamp(offset_s + monotonic_s, UTC)
        allowed_s = self._tolerance_s + (monotonic_s - heard_s) * DRIFT
        differs_s = (utc - surely).total_seconds()
        agrees = abs(differs_s) <= allowed_s
        if trusted and not agrees and not self._overruled:
            _log.warning("system_clock_overruled", by="signed time", differs_s=round(differs_s, 1))
        self._overruled = trusted and not agrees
        return Instant(monotonic_s, utc if trusted and agrees else surely, True, confirmed=True)

    def believe(self, utc: datetime, monotonic_s: float) -> None:
        """It was surely ``utc`` at ``monotonic_s``: whoever signs the time said so."""
        with self._lock:
            self._signed = (utc.timestamp() - monotonic_s, monotonic_s)

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` once after ``delay_s`` from the timer thread; returns a cancel.

        Raises:
            InternalError: a thousand timers wait already.
        """
        return self._timers.after(delay_s, call)

    def _agrees(self) -> bool:
        if self._battery_s is None or not (self._found_right or self._kept()):
            return False
        return abs(self._offset_s() - self._battery_s) <= self._tolerance_s

    def _look(self) -> bool:
        offset_s = self._offset_s()
        if self._kept():
            self._set_offset_s = offset_s
        elif self._set_offset_s is not None and abs(offset_s - self._set_offset_s) > _STEP_S:
            _log.warning("clock_stepped", by_s=round(offset_s - self._set_offset_s, 3))
            self._set_offset_s = None
        return self._set_offset_s is not None


def kernel_clock_is_kept() -> bool:
    """Whether an NTP client keeps the kernel's clock now: STA_UNSYNC is not in adjtimex's status.

    Any client will do: systemd-timesyncd, ntpd, chrony with ``rtcsync`` (Debian's default).
    """
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (AttributeError, OSError):
        return False
    status = int.from_bytes(buffer.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], sys.byteorder)
    return bool(state >= 0 and not status & _STA_UNSYNC)


def _utc_since_boot_s() -> float:
    return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)


class TimerThread:
    """One thread that calls what is due; what a call raises is logged and ends nothing."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._started = False

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` once after ``delay_s``; the thread begins with the first timer.

        Raises:
            InternalError: a thousand timers wait already.
        """
        with self._condition:
            if len(self._due) >= _MOST_TIMERS:
                raise InternalError(f"{_MOST_TIMERS} timers wait already")
            if not self._started:
                threading.Thread(target=self._work, name="timers", daemon=True).start()
                self._started = True
            number = next(self._numbers)
            heapq.heappush(self._due, (time.monotonic() + delay_s, number, call))
            self._condition.notify()

        def cancel() -> None:
            with self._condition:
                self._due = [timer for timer in self._due if timer[1] != number]
                heapq.heapify(self._due)

        return cancel

    def _work(self) -> None:
        while True:
            with self._condition:
                while not self._due or (wait_s := self._due[0][0] - time.monotonic()) > 0:
                    self._condition.wait(wait_s if self._due else None)
                _, _, call = heapq.heappop(self._due)
            try:
                call()
            except BaseException:  # noqa: BLE001 - one bad call must not end the thread
                # A timer secures an output; the next one must fire whatever this one met.
                _log.exception("timer_failed")
