"""How much was written on one day, and when another day begins: what wears a memory card.

    trusted time, another date                         a new day
    trusted time, no date known yet                    the day gets its date, the count goes on
    no trusted time                                    the count goes on, for 24 h of this process

So a clock that nobody vouches for, as at each start of a kiosk without a battery, forgives nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from agent.domain.hours.instant import Instant

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Meter:
    """Bytes since the process began; ``written`` reached a disk, ``logged`` went to the log.

    ``device`` is what everybody wrote to the disk of the state since the system's start. None:
    this system does not tell. ``by_thread`` has of ``written`` what each thread caused.
    """

    written: int | None
    logged: int
    device: int | None
    by_thread: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Day:
    """What was written ``on`` a date, in UTC, None where no time is known; bytes.

    ``began_s`` is the monotonic second from which this process counts it.
    """

    on: date | None = None
    written: int = 0
    logged: int = 0
    device: int = 0
    by_thread: Mapping[str, int] = field(default_factory=dict)
    began_s: float = 0.0

    @property
    def total(self) -> int:
        """What counts against the budget: the log lies on the same card."""
        return self.written + self.logged


def day_of(before: Day, now: Instant) -> Day:
    """The day that it is: ``before``, or a new one with nothing written yet."""
    today = now.utc.date() if now.utc_trusted else None
    if today is None:
        late = now.monotonic_s - before.began_s >= _DAY_S
        return Day(began_s=now.monotonic_s) if late else before
    if before.on is None:
        return replace(before, on=today)
    return before if before.on == today else Day(today, began_s=now.monotonic_s)


def counted(day: Day, last: Meter, now: Meter) -> Day:
    """``day`` with what the meter ran on since ``last``; one that ran back counts nothing."""
    by_thread = dict(day.by_thread)
    for name, more in now.by_thread.items():
        grown = _grown(last.by_thread.get(name, 0), more)
        if grown:
            by_thread[name] = by_thread.get(name, 0) + grown
    return replace(
        day,
        written=day.written + _grown(last.written, now.written),
        logged=day.logged + _grown(last.logged, now.logged),
        device=day.device + _grown(last.device, now.device),
        by_thread=by_thread,
    )


def _grown(last: int | None, now: int | None) -> int:
    return 0 if last is None or now is None else max(now - last, 0)


@dataclass(frozen=True, slots=True)
class Wear:
    """The day so far beside its budget; bytes."""

    day: Day
    budget: int
    measured: bool
    """Whether this system tells what reaches a disk; else the log alone is counted."""

    @property
    def over(self) -> bool:
        """More than the budget was written."""
        return self.day.total > self.budget

    def as_json(self) -> dict[str, Any]:
        """As the heartbeat says it."""
        return {
            "date": None if self.day.on is None else self.day.on.isoformat(),
            "bytes": self.day.total,
            "log_bytes": self.day.logged,
            "device_bytes": self.day.device,
            "budget_bytes": self.budget,
            "over": self.over,
            "measured": self.measured,
        }

    def told(self) -> dict[str, Any]:
        """As the status at the kiosk says it: the same, and which threads wrote most."""
        most = sorted(self.day.by_thread.items(), key=lambda one: (-one[1], one[0]))
        return {**self.as_json(), "by": dict(most)}
