"""What a fleet's day came to, in figures; the keys of its JSON are only ever added to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

_SHARES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


@dataclass(frozen=True, slots=True)
class Recovery:
    """After how many seconds all was as before; None where it was not within the time given."""

    away_s: float
    connected_s: float | None
    caught_up_s: float | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What PostgreSQL has: rows, places that are missing, rows too many, and what looks forged.

    ``bytes_per_event`` is what a row takes on its disk, with its place in the chain and its
    indexes.
    """

    stored: int
    missing: int
    doubles: int
    flaws: int
    bytes_per_event: int


@dataclass(frozen=True, slots=True)
class Report:
    """One fleet's day; milliseconds and seconds by their names.

    ``events_per_s`` is what was said in the steady part. Where ``rate_held`` is false this machine
    was slower than what was asked for; ``unsaid`` were left out for it, of the whole day.
    ``cpu_ms_per_event`` is by kiosks, broker, backend and database, of the steady part.

    ``acknowledged_ms`` is from an event to the broker's answer, ``end_to_end_ms`` to the
    transaction that stores it, both of the steady part.
    """

    kiosks: int
    per_s: float
    seconds: float
    instances: int
    said: int
    counted: Counted
    connect_s: float | None
    events_per_s: float
    asked_per_s: float
    rate_held: bool
    unsaid: int
    acknowledged_ms: Mapping[str, float]
    end_to_end_ms: Mapping[str, float]
    broker_restart: Recovery
    backend_kill: Recovery
    registry_s: float | None
    settle_s: float | None
    cpu_share: float
    cpu_ms_per_event: Mapping[str, float]
    rss_mb: float
    refusals: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, double or doubtful."""
        counted = self.counted
        return not (counted.missing or counted.doubles or counted.flaws)

    def as_json(self) -> dict[str, Any]:
        """Its fields, with what was counted among them."""
        found = asdict(self)
        return {**found.pop("counted"), **found, "whole": self.whole}


def spread(values_ms: Sequence[float]) -> dict[str, float]:
    """Percentiles of milliseconds; empty where nothing was measured."""
    if not values_ms:
        return {}
    return {
        name: round(float(np.percentile(values_ms, share)), 1) for name, share in _SHARES.items()
    }
