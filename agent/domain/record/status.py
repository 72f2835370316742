"""The retained status: what anybody may know of the kiosk as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.domain.access.registry import Registry
from agent.domain.door.walking import Walking
from agent.domain.hours.instant import utc_text
from agent.domain.record.events import CONTRACT
from agent.domain.sight.pad import PAD_THRESHOLD


@dataclass(frozen=True, slots=True)
class PadStatus:
    """The attack detection packs that run, version by name, and the threshold of their score."""

    packs: Mapping[str, str] = field(default_factory=dict)
    threshold: float = PAD_THRESHOLD

    def as_json(self) -> dict[str, Any]:
        """No threshold where nothing runs that it could be of."""
        return {"packs": dict(self.packs), "threshold": self.threshold if self.packs else None}


@dataclass(frozen=True, slots=True)
class FaceStatus:
    """By what faces are judged, as it stands while the agent runs."""

    without_pad: bool
    pad: PadStatus = field(default_factory=PadStatus)
    max_false_grants_per_day: float = 0.05
    pack_why: str = ""
    pack_not_measured_for: Sequence[str] = ()


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
    faces: FaceStatus
    faults: Mapping[str, str] = field(default_factory=dict)
    access_points: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)
    false_grants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    walk_test: Walking | None = None
    clock: Mapping[str, str | None] = field(default_factory=dict)
    registry_sync: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        operating = self.registry.operating
        return {
            "online": True,
            "contract": CONTRACT,
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
            "holders_of_other_packs": self.registry.of_other_packs,
            "threshold": {
                "score": round(operating.threshold, 4),
                "fmr": operating.fmr,
                "extrapolated": operating.extrapolated,
                "sufficient": operating.sufficient,
                "decided_by": self.registry.decided_by().value,
            },
            "face_without_pad": self.faces.without_pad,
            "pad": self.faces.pad.as_json(),
            "faults": dict(self.faults),
            "access_points": dict(self.access_points),
            "modes": dict(self.modes),
            "causes": dict(self.causes),
            "false_grants": {
                "max_per_day": self.faces.max_false_grants_per_day,
                "access_points": {name: dict(one) for name, one in self.false_grants.items()},
            },
            "walk_test": None if self.walk_test is None else self.walk_test.as_json(),
            "clock": dict(self.clock),
            "registry_sync": self.registry_sync,
            "pack_why": self.faces.pack_why,
            "pack_not_measured_for": list(self.faces.pack_not_measured_for),
        }


def offline(reason: str) -> dict[str, Any]:
    """The status of an agent that is gone: ``stopped`` by itself, ``lost`` as the last will."""
    return {"online": False, "reason": reason}
