"""What time it is for whoever judges dates: one rule for every start and every end.

A clock makes claims; a claim is heard only while somebody vouches for the clock. What is believed
of them only grows: the *confirmed* time goes on with the monotonic clock, and nothing but a person
takes it back. The claim ``c`` of an instant is compared with it:

    claim                                     state      starts are judged by   ends by
    nobody vouches for the clock              UNKNOWN    confirmed, gone on     confirmed, gone on
    c below confirmed by more than tolerance  BEHIND     confirmed, gone on     confirmed, gone on
    c more than a day above the anchor, and   AHEAD      confirmed, gone on     the latest claim
    only one source that is not signed
    any other                                 SETTLED    c                      the later of c and
                                                                                confirmed

The *anchor* is the last time that a signed source, two sources that agree or a person gave, or the
first of a process: hops of less than a day, one behind the other, do not walk away from it. An
AHEAD claim is remembered until one of them settles it, even where the clock takes it back itself:
so no clock makes valid again what has ended. It is never confirmed, hence never written down.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from agent.domain.hours.instant import Instant, utc_text

TOLERANCE = timedelta(minutes=5)
"""By how much clocks may disagree that are right."""
LEAP = timedelta(days=1)
"""How far one source alone may lead ahead of the anchor."""
DRIFT = 1e-4
"""By how much a quartz may run wrong, at the least favourable temperature, tenfold."""


class Certainty(StrEnum):
    """How sure the time is; the value is the word in the status."""

    UNKNOWN = "unknown"
    SETTLED = "settled"
    AHEAD = "ahead"
    BEHIND = "behind"


class ClockChange(StrEnum):
    """What a person says of the time; the value is the word in events."""

    CONFIRMED = "confirmed"
    SET_BACK = "set_back"


DOUBTFUL = frozenset({Certainty.AHEAD, Certainty.BEHIND})
"""A clock that somebody vouches for says what cannot be believed."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """It is surely ``earliest``, by which starts are judged; ends are judged by ``latest``."""

    earliest: datetime
    latest: datetime

    @property
    def both(self) -> tuple[datetime, ...]:
        """What holds at each of them holds by this rule; one where they are the same."""
        return (self.latest,) if self.latest == self.earliest else (self.latest, self.earliest)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A time that was, and the monotonic clock then: None in an earlier process."""

    utc: datetime
    at_s: float | None

    def since(self, now_s: float) -> timedelta:
        """How long ago, as far as this process knows."""
        return timedelta(seconds=0.0 if self.at_s is None else max(now_s - self.at_s, 0.0))

    def at(self, now_s: float) -> datetime:
        """The time now, counted on from it."""
        return self.utc + self.since(now_s)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is known of the time; immutable, so that any thread may judge by it."""

    tolerance: timedelta = TOLERANCE
    certainty: Certainty = Certainty.UNKNOWN
    claimed: datetime | None = None
    _confirmed: _Mark | None = None
    _anchor: _Mark | None = None

    @classmethod
    def since(cls, latest: datetime | None, tolerance: timedelta = TOLERANCE) -> "Reckoning":
        """From the latest confirmed time that the last process wrote down, None where none did."""
        mark = None if latest is None else _Mark(latest, None)
        return cls(tolerance, _confirmed=mark, _anchor=mark)

    @property
    def holds(self) -> bool:
        """Whether rights with dates hold by it: AHEAD leaves what had begun by the confirmed time.

        BEHIND is as no clock at all.
        """
        return self.certainty in (Certainty.SETTLED, Certainty.AHEAD)

    def confirmed(self, now_s: float) -> datetime | None:
        """It is at least so late; None where no time was ever believed."""
        return None if self._confirmed is None else self._confirmed.at(now_s)

    def heard(self, now: Instant) -> "Reckoning":
        """With the claim of ``now``; pure, and never less than before."""
        confirmed, anchor = self._confirmed, self._anchor
        if confirmed is not None and confirmed.at_s is None:
            # From its first instant on a process counts by the monotonic clock.
            confirmed = anchor = _Mark(confirmed.utc, now.monotonic_s)
        if confirmed is None or anchor is None:
            if not now.utc_trusted:
                return replace(self, certainty=Certainty.UNKNOWN)
            mark = _Mark(now.utc, now.monotonic_s)
            return replace(self, certainty=Certainty.SETTLED, _confirmed=mark, _anchor=mark)
        gone_on = _Mark(confirmed.at(now.monotonic_s), now.monotonic_s)
        if not now.utc_trusted:
            return replace(self, certainty=Certainty.UNKNOWN, _confirmed=gone_on)
        slack = self.tolerance + confirmed.since(now.monotonic_s) * DRIFT
        behind = now.utc < gone_on.utc - slack
        # Whoever is sure settles what one source alone has claimed.
        claimed = None if now.confirmed else self.claimed
        if now.confirmed and not behind:
            anchor = _Mark(now.utc, now.monotonic_s)
        if now.utc > anchor.at(now.monotonic_s) + LEAP:
            claimed = now.utc if claimed is None else max(claimed, now.utc)
        if claimed is not None and claimed < now.utc:
            claimed = None
        certainty = Certainty.BEHIND if behind else Certainty.AHEAD
        if not behind and claimed is None:
            certainty = Certainty.SETTLED
            gone_on = _Mark(now.utc, now.monotonic_s) if now.utc > confirmed.utc else confirmed
        return replace(
            self, certainty=certainty, claimed=claimed, _confirmed=gone_on, _anchor=anchor
        )

    def told(self, utc: datetime, now: Instant) -> "Reckoning":
        """A person says that it is ``utc`` at ``now``: also earlier than what was believed."""
        mark = _Mark(utc, now.monotonic_s)
        return replace(self, claimed=None, _confirmed=mark, _anchor=mark).heard(now)

    def bounds(self, now: Instant) -> Bounds | None:
        """Between which times it is, after ``heard`` of the same ``now``; None where none was."""
        lower = self.confirmed(now.monotonic_s)
        if lower is None or self._confirmed is None:
            return None
        if self.certainty is Certainty.SETTLED:
            return Bounds(now.utc, max(now.utc, self._confirmed.utc))
        return Bounds(lower, lower if self.claimed is None else max(lower, self.claimed))

    def as_json(self, now_s: float) -> dict[str, str | None]:
        """JSON values under stable keys, as the status carries them."""
        confirmed = self.confirmed(now_s)
        return {
            "state": self.certainty.value,
            "confirmed": None if confirmed is None else utc_text(confirmed),
            "claimed": None if self.claimed is None else utc_text(self.claimed),
        }

    def judged(self, now: Instant) -> Instant:
        """``now`` as all others may believe it: trusted only where the time is settled."""
        return replace(now, utc_trusted=self.certainty is Certainty.SETTLED)
