"""What the controller believes of the time, and what it tells when that is in doubt.

every instant --> Reckoning.heard --> the instant that all others judge by
                     |-- AHEAD, BEHIND --> the fault ``clock``, until it is settled
                     `-- bounds, by which dates are judged
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.controller.effects import Effect, Record
from agent.controller.inputs import ClockTold, FaultCleared, FaultRaised
from agent.controller.settings import KioskSettings
from agent.domain.access.part import PartKind
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.hours.reckoning import DOUBTFUL, Bounds, Certainty, Reckoning
from agent.domain.record.events import EventDraft, EventType

PART = PartKind.CLOCK.part()
_SAYS = {
    Certainty.AHEAD: "the clock says {claim}, more than a day ahead of the confirmed {confirmed}:"
    " one source alone",
    Certainty.BEHIND: "the clock says {claim}, behind the confirmed {confirmed}",
}


@dataclass(slots=True)
class Timekeeping:
    """The kiosk's own reckoning; ``snapshot`` is for other threads, new where much has changed."""

    _reckoning: Reckoning
    snapshot: Reckoning
    _by_lower_bound: bool
    _raw: Instant | None = None

    @classmethod
    def of(cls, settings: KioskSettings, latest_utc: datetime | None) -> "Timekeeping":
        """Going on from the time that the last agent wrote down."""
        known = Reckoning.since(latest_utc, settings.clock_tolerance)
        return cls(known, known, settings.judge_by_lower_bound)

    @property
    def doubtful(self) -> bool:
        """Whether the clock says what cannot be believed."""
        return self._reckoning.certainty in DOUBTFUL

    @property
    def bounds(self) -> Bounds | None:
        """By which dates are judged at the instant heard last; None denies them."""
        if self._raw is None:
            return None
        known = self._reckoning.holds or self._by_lower_bound
        return self._reckoning.bounds(self._raw) if known else None

    def heard(self, now: Instant) -> Instant:
        """The instant as all else judges by it: trusted only where the time is settled."""
        self._believe(self._reckoning.heard(now), now)
        self._raw = now
        return self._reckoning.judged(now)

    def trouble(self, faulty: bool) -> FaultRaised | FaultCleared | None:  # noqa: FBT001 - a state
        """The fault to raise or clear, where ``faulty`` is not how it stands."""
        certainty, now = self._reckoning.certainty, self._raw
        if now is None:
            return None
        if certainty in DOUBTFUL and not faulty:
            confirmed = self._reckoning.confirmed(now.monotonic_s) or now.utc
            says = _SAYS[certainty].format(claim=utc_text(now.utc), confirmed=utc_text(confirmed))
            return FaultRaised(PART, says)
        if certainty is Certainty.SETTLED and faulty:
            return FaultCleared(PART, "agent")
        return None

    def told(self, told: ClockTold) -> list[Effect]:
        """A person's word: an event says whose, why, and by how much it changed the time."""
        if self._raw is None:
            return []
        before = self._reckoning.confirmed(self._raw.monotonic_s)
        self._reckoning = self.snapshot = self._reckoning.told(told.utc, self._raw)
        now = self._reckoning.judged(self._raw)
        data = {
            "change": told.change,
            "by": told.by,
            "reason": told.reason,
            "was": None if before is None else utc_text(before),
            "utc": utc_text(told.utc),
        }
        return [Record(EventDraft(EventType.CLOCK_SET, now.utc, now.utc_trusted, None, data))]

    def _believe(self, reckoning: Reckoning, now: Instant) -> None:
        self._reckoning = reckoning
        told, seen = self.snapshot, self.snapshot.heard(now)
        as_told = told.certainty is seen.certainty is reckoning.certainty
        if not as_told or _apart(seen.bounds(now), reckoning.bounds(now)) > reckoning.tolerance:
            self.snapshot = reckoning


def _apart(one: Bounds | None, other: Bounds | None) -> timedelta:
    if one is None or other is None:
        return timedelta(0) if one is other else timedelta.max
    return max(abs(one.earliest - other.earliest), abs(one.latest - other.latest))
