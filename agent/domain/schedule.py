"""When a rule holds: weekly spans of wall-clock time at the kiosk."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)`` on the named weekdays (0 is Monday); an end at or before the start runs
    past midnight into the next day, and equal ends make a whole day.
    """

    days: frozenset[int]
    start: time
    end: time

    def holds(self, local: datetime) -> bool:
        """Whether ``local`` wall-clock time lies in the span."""
        wall = local.time()
        if self.start < self.end:
            return local.weekday() in self.days and self.start <= wall < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (local.weekday() in self.days and wall >= self.start) or (
            yesterday in self.days and wall < self.end
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weekly spans in one time zone; daylight saving moves them with the wall clock."""

    spans: tuple[Span, ...]
    zone: tzinfo

    def holds(self, utc: datetime) -> bool:
        """Whether any span holds at ``utc`` (time-zone aware)."""
        local = utc.astimezone(self.zone)
        return any(span.holds(local) for span in self.spans)
