"""The retained status: what anybody may know of the kiosk as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.domain.access.registry import Registry
from agent.domain.hours.instant import utc_text


@dataclass(frozen=True, slots=True)
class Status:
    """A running agent's state; no name, no secret, counts of people only."""

    version: str
    boot_id: str
    started: datetime
    now: datetime
    clock_synced: bool
    epoch: str
    last_sequence: int
    unpublished: int
    registry: Registry
    face_without_pad: bool
    faults: Mapping[str, str] = field(default_factory=dict)
    access_points: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)
    max_false_grants_per_day: float = 0.05
    false_grants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clock: Mapping[str, str | None] = field(default_factory=dict)
    pack_why: str = ""
    pack_not_measured_for: Sequence[str] = ()
    attack_detection: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        operating = self.registry.operating
        return {
            "online": True,
            "version": self.version,
            "boot_id": self.boot_id,
            "started": utc_text(self.started),
            "time": utc_text(self.now),
            "clock_synced": self.clock_synced,
            "epoch": self.epoch,
            "last_sequence": self.last_sequence,
            "unpublished": self.unpublished,
            "pack": self.registry.pack,
            "pack_version": self.registry.pack_version,
            "holders": len(self.registry.holders),
            "references": self.registry.references,
            "ambiguous_holders": len(self.registry.too_close),
            "unreadable_rows": self.registry.unreadable,
            "threshold": {
                "score": round(operating.threshold, 4),
                "fmr": operating.fmr,
                "extrapolated": operating.extrapolated,
                "sufficient": operating.sufficient,
            },
            "face_without_pad": self.face_without_pad,
            "faults": dict(self.faults),
            "access_points": dict(self.access_points),
            "modes": dict(self.modes),
            "causes": dict(self.causes),
            "false_grants": {
                "max_per_day": self.max_false_grants_per_day,
                "access_points": {name: dict(one) for name, one in self.false_grants.items()},
            },
            "clock": dict(self.clock),
            "pack_why": self.pack_why,
            "pack_not_measured_for": list(self.pack_not_measured_for),
            "attack_detection": list(self.attack_detection),
        }


def offline(reason: str) -> dict[str, Any]:
    """The status of an agent that is gone: ``stopped`` by itself, ``lost`` as the last will."""
    return {"online": False, "reason": reason}
