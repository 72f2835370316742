"""Time as the agent is told it: never read here, always an argument."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NewType

MonotonicSeconds = NewType("MonotonicSeconds", float)


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Timers and timeouts use ``monotonic_s`` only: it never steps. ``utc`` is for dates and
    schedules, and means nothing before ``utc_trusted`` (a Pi has no battery clock).
    ``confirmed`` says that it is no single source's word that anybody on the way may have changed:
    it was signed, or two sources agree.
    """

    monotonic_s: float
    utc: datetime
    utc_trusted: bool
    confirmed: bool = False

    def later(self, seconds: float) -> "Instant":
        """The moment ``seconds`` after this one, if nobody sets the clock in between."""
        return replace(
            self, monotonic_s=self.monotonic_s + seconds, utc=self.utc + timedelta(seconds=seconds)
        )


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as events carry it: ``2026-01-02T03:04:05.678Z``."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{in_utc.isoformat(timespec='milliseconds')[:-6]}Z"


def local_text(moment: datetime, zone: tzinfo | None) -> str:
    """As people write it: ``2026-01-02 11:04:05``; with ``zone`` None by the machine's clock."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
