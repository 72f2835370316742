"""The heartbeat: that the kiosk lives, and the figures by which somebody sees trouble come.

It is said by the minute and kept nowhere: one that is lost is followed by the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.domain.hours.instant import utc_text
from agent.domain.record.events import CONTRACT
from agent.domain.record.wear import Wear


@dataclass(frozen=True, slots=True)
class Queue:
    """The stream's name, how far it has come, and how many events the broker does not have yet."""

    epoch: str
    last_sequence: int
    unpublished: int

    def as_json(self) -> dict[str, Any]:
        """JSON values, under the keys that the status has for them."""
        return {
            "epoch": self.epoch,
            "last_sequence": self.last_sequence,
            "unpublished": self.unpublished,
        }


@dataclass(frozen=True, slots=True)
class Space:
    """What is free where the state lies, and how much there is; bytes."""

    free: int
    total: int

    def as_json(self) -> dict[str, int]:
        """JSON values under stable keys."""
        return {"free_bytes": self.free, "total_bytes": self.total}


@dataclass(frozen=True, slots=True)
class Health:
    """One heartbeat; ``queue`` and ``disk`` are None where the journal or the disk is silent.

    ``temperatures_c`` by the system's name of the sensor, degrees Celsius. ``expected_last_day`` is
    how many false grants are to be expected of the last 24 hours' attempts, all access points
    together. ``commands_refused`` counts commands by the reason why they were not carried out, also
    those that nobody known had signed.
    """

    now: datetime
    clock_synced: bool
    version: str
    boot_id: str
    uptime_s: float
    queue: Queue | None
    disk: Space | None
    temperatures_c: Mapping[str, float]
    clock: Mapping[str, str | None]
    faults: Sequence[str]
    holders: int
    references: int
    expected_last_day: float
    commands_refused: Mapping[str, int] = field(default_factory=dict)
    written: Wear | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        return {
            "contract": CONTRACT,
            "time": utc_text(self.now),
            "clock_synced": self.clock_synced,
            "version": self.version,
            "boot_id": self.boot_id,
            "uptime_s": round(self.uptime_s, 1),
            "queue": None if self.queue is None else self.queue.as_json(),
            "disk": None if self.disk is None else self.disk.as_json(),
            "temperatures_c": {name: round(one, 1) for name, one in self.temperatures_c.items()},
            "clock": dict(self.clock),
            "faults": sorted(self.faults),
            "holders": self.holders,
            "references": self.references,
            "expected_false_grants_last_day": float(f"{self.expected_last_day:.3g}"),
            "commands_refused": dict(self.commands_refused),
            "written": None if self.written is None else self.written.as_json(),
        }
