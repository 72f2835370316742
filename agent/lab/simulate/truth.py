"""What really was, as the checker of a simulation is told it: people, hours, commands, the clock.

Nothing here asks the code that is under trial: who may pass is written down once more, in the
plainest words, and compared with what the gate did.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

_REMEMBERED = 20
ELEVATED = "an elevated temperature"
_EDGE_S = 2.0
"""So near to the beginning or end of hours either answer is right."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From and until, in hours of the wall clock of the same day."""

    begin_h: float
    end_h: float

    def holds(self, local: datetime, margin_s: float = 0.0) -> bool:
        """Whether ``local`` lies in it, at least so far from its ends (less than 0: or so near)."""
        second = (local - local.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        return self.begin_h * 3600 + margin_s <= second < self.end_h * 3600 - margin_s


@dataclass(frozen=True, slots=True)
class Right:
    """May enter here at these hours; ``limit_c`` is the highest skin temperature."""

    points: frozenset[str]
    hours: Hours | None = None
    limit_c: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands there in truth; ``holder`` None for a stranger.

    ``uses`` is how often their pass opens; None for those who come without a limit. ``credential``
    names the pass that they show, ``probes`` says that they try again and again.
    Whose face is like nobody's ``resembles`` somebody by a chance of ``luck``. Where nothing else
    speaks against it they are let in ``within_s``, or it is a violation of ``promise``.
    """

    holder: str | None
    rights: tuple[Right, ...] = ()
    enabled: bool = True
    valid_until: datetime | None = None
    temperature_c: float = 36.3
    uses: int | None = None
    valid_from: datetime | None = None
    credential: str | None = None
    probes: bool = False
    resembles: str | None = None
    luck: float = 1.0
    within_s: float | None = None
    promise: str = ""

    def may_pass(self, point: str, utc: datetime, zone: tzinfo, *, synced: bool) -> str | None:
        """Why they may not; None where they may."""
        if self.holder is None:
            return "a stranger"
        if not self.enabled:
            return "disabled"
        if self.valid_until is not None or self.valid_from is not None:
            if not synced:
                return "dates count, and the clock is not trusted"
            if self.valid_from is not None and utc < self.valid_from - timedelta(seconds=_EDGE_S):
                return "not valid yet"
            if self.valid_until is not None and utc >= self.valid_until + timedelta(
                seconds=_EDGE_S
            ):
                return "expired"
        here = [right for right in self.rights if point in right.points]
        if not here:
            return "no right at this access point"
        why = [self._against(right, utc.astimezone(zone), synced=synced) for right in here]
        return None if None in why else why[0]

    def _against(self, right: Right, local: datetime, *, synced: bool) -> str | None:
        if right.hours is not None:
            if not synced:
                return "hours count, and the clock is not trusted"
            if not right.hours.holds(local, -_EDGE_S):
                return "outside the hours"
        if right.limit_c is not None and self.temperature_c > right.limit_c:
            return ELEVATED
        return None


@dataclass(slots=True)
class Presence:
    """Somebody stood at an access point; the events that this one brought are counted."""

    person: Person
    from_s: float
    until_s: float = float("inf")
    events: int = 0
    restarted: bool = False
    granted: bool = False
    let_in_s: float = float("inf")
    judged_s: float = float("-inf")
    shown_s: float = float("inf")
    """Since when their face could be compared; never, where something was in its way all along."""
    compared: int = 0
    arrives: bool = False
    went_free: bool = False
    """They went while the way stood free, for them or for everybody."""

    @property
    def outcome(self) -> str:
        """What came of it for them, one of ``OUTCOMES``."""
        if self.granted:
            return "granted"
        if self.judged_s > float("-inf"):
            return "denied"
        if self.went_free:
            return "way_stood_free"
        return "left_unjudged" if self.until_s < float("inf") else "still_there"


OUTCOMES = ("granted", "denied", "way_stood_free", "left_unjudged", "still_there")
"""What can come of an arrival: each is one of them."""


@dataclass(slots=True)
class RecentActs:
    """The last things that the world did, to stand beside a violation."""

    last: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def note(self, time_s: float, what: str, **more: object) -> None:
        """``what`` was done to the gate."""
        self.last.append({"time": round(time_s, 3), "what": what, **more})


class Presences:
    """Who stood where and when."""

    def __init__(self) -> None:
        self._at: dict[str, list[Presence]] = {}

    def begin(self, point: str, person: Person, at_s: float, *, arrives: bool = False) -> None:
        """Somebody steps before an access point; ``arrives``: one of the day's arrivals."""
        self._at.setdefault(point, []).append(Presence(person, at_s, arrives=arrives))

    def shows_face(self, point: str, at_s: float) -> None:
        """The face of whoever stands there can be compared from now on."""
        if here := self._at.get(point):
            here[-1].shown_s = min(here[-1].shown_s, at_s)

    def end(self, point: str, at_s: float, *, free: bool = False) -> None:
        """They went; ``free``: the way was."""
        if here := self._at.get(point):
            here[-1].until_s = at_s
            here[-1].went_free = free

    def outcomes(self) -> dict[str, int]:
        """How many of the day's arrivals came to what."""
        counts = dict.fromkeys(OUTCOMES, 0)
        for _, one in self.all():
            if one.arrives:
                counts[one.outcome] += 1
        return counts

    def restarted(self) -> None:
        """A new agent does not know that whoever stands there was judged before."""
        for here in self._at.values():
            here[-1].restarted = True

    def at(self, point: str) -> Presence | None:
        """Who came there last."""
        here = self._at.get(point)
        return here[-1] if here else None

    def all(self) -> Iterator[tuple[str, Presence]]:
        """Everybody who came, with where."""
        for point, here in self._at.items():
            for one in here:
                yield point, one

    def stood(self, point: str, holder: str | None, from_s: float, until_s: float) -> bool:
        """Whether this holder was at the access point in that time."""
        return any(
            one.person.holder == holder and one.from_s <= until_s and one.until_s >= from_s
            for one in self._at.get(point, [])
        )

    def tried(self, point: str, from_s: float, until_s: float) -> bool:
        """Whether somebody who probes was there in that time; what they began may end later."""
        here = self._at.get(point, [])
        end = bisect_right(here, until_s + 0.002, key=lambda one: one.from_s)
        return any(
            one.person.probes and one.until_s >= from_s for one in here[max(end - 8, 0) : end]
        )

    def find(self, point: str, at_s: float, grace_s: float) -> Presence | None:
        """Who stood there at ``at_s``, or had left no longer than ``grace_s`` before."""
        here = self._at.get(point, [])
        i = bisect_right(here, at_s + 0.002, key=lambda one: one.from_s) - 1
        if i >= 0 and at_s <= here[i].until_s + grace_s:
            return here[i]
        return None


class ClockMap:
    """From the kiosk's own time of day, which may be set, to the seconds of the simulation."""

    def __init__(self) -> None:
        self._from_s: list[float] = []
        self._zero: list[datetime] = []
        self._trusted: list[bool] = []

    def set(self, at_s: float, utc: datetime, *, trusted: bool) -> None:
        """From ``at_s`` on it is ``utc``."""
        self._from_s.append(at_s)
        self._zero.append(utc - timedelta(seconds=at_s))
        self._trusted.append(trusted)

    def moments(self, utc: datetime, *, trusted: bool, until_s: float) -> Iterator[float]:
        """Every second at which the kiosk may have read ``utc``."""
        for i, from_s in enumerate(self._from_s):
            end_s = self._from_s[i + 1] if i + 1 < len(self._from_s) else until_s
            at_s = (utc - self._zero[i]).total_seconds()
            if trusted is self._trusted[i] and from_s - 0.002 <= at_s <= end_s + 0.002:
                yield at_s

    def true_since_s(self, at_s: float) -> float | None:
        """Since when the clock has been trusted; None while it is not."""
        i = bisect_right(self._from_s, at_s) - 1
        if i < 0 or not self._trusted[i]:
            return None
        while i > 0 and self._trusted[i - 1]:
            i -= 1
        return self._from_s[i]

    def truth(self, at_s: float) -> datetime:
        """What time it was, whatever anybody set: the first that was set is right."""
        return self._zero[0] + timedelta(seconds=at_s)

    def utc(self, at_s: float) -> datetime:
        """What the kiosk's clock says at ``at_s``."""
        i = max(bisect_right(self._from_s, at_s) - 1, 0)
        return self._zero[i] + timedelta(seconds=at_s)
