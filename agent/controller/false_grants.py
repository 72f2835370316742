"""What a lane risks by faces alone: each track that is compared is an attempt, however it ends.

    track compared      drawn at the rate in force; the threshold of that rate holds for the track
    granted             given back
    recognised, denied  given back: the face was somebody's, and something else spoke against it
    any other denial    kept
    another, or none    kept; a track that was not judged is counted for the minute's event

    calm --many without a grant--> suspected --nothing left--> second_factor
      ^---------- few ----------------'            |
      '------ few, and faces open again -----------'

Each change is one event. A crowd that is let in is none: probing is suspected where more attempts
end without a grant than with one.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.domain.access.evidence import Evidence
from agent.domain.access.policy import Decision
from agent.domain.access.registry import Registry
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventDraft, EventType
from agent.domain.sight.grant_budget import Draw, GrantBudget
from agent.domain.sight.operating_point import OperatingPoint

UNJUDGED_EVERY_S = 60.0
SUSPECT_WITHIN_S = 600.0
SUSPECT_FROM, CALM_BELOW = 20, 5
_REMEMBERED = 16
_BESIDE_THE_FACE = frozenset(
    {
        *(Reason.CREDENTIAL_NOT_ENABLED, Reason.CREDENTIAL_NOT_ACTIVE, Reason.CREDENTIAL_EXPIRED),
        *(Reason.NOT_PERMITTED_AT_THIS_TIME, Reason.UNAUTHORIZED, Reason.CLOCK_UNTRUSTED),
        *(Reason.ANTI_PASSBACK, Reason.ELEVATED_TEMPERATURE, Reason.HEALTH_CERTIFICATE_INVALID),
        # Nobody is let in just now, or not by the face alone: neither is the face's doing.
        *(Reason.LOCKED_DOWN, Reason.SENSOR_FAULT, Reason.FACTOR_MISSING),
    }
)


def recognised(evidence: Evidence, decision: Decision) -> bool:
    """Whether the attempt was, as far as anybody knows, no stranger's at another's face.

    A stranger's attempt is refused by the face but for the chance that was drawn: who was named and
    is refused for the hour or the rule does not make another false grant likelier.
    """
    face = evidence.face
    named = face is not None and face.holder is not None and not (face.ambiguous or face.frozen)
    return decision.granted or (named and decision.reason in _BESIDE_THE_FACE)


class Probing(StrEnum):
    """How hard strangers try; the value is the word in events and status."""

    CALM = "calm"
    SUSPECTED = "suspected"
    SECOND_FACTOR = "second_factor"


@dataclass(frozen=True, slots=True)
class Terms:
    """At which threshold a track is judged; not ``suffices``: its face alone opens nothing."""

    operating: OperatingPoint
    suffices: bool


@dataclass(slots=True)
class _Attempt:
    track: int
    draw: Draw
    revision: int
    terms: Terms
    judged: bool = False


class FalseGrants:
    """The attempts at one access point by face alone; times are on the monotonic clock."""

    def __init__(self, access_point: str, budget: GrantBudget) -> None:
        """``searches`` is False while no rule opens here by face alone: nothing is drawn."""
        self.budget = budget
        self.probing = Probing.CALM
        self.searches = True
        self._access_point = access_point
        self._current: _Attempt | None = None
        self._draws: OrderedDict[int, Draw] = OrderedDict()
        self._unjudged = 0
        self._unjudged_since_s: float | None = None
        self._minutes: deque[list[float]] = deque()

    def terms(self, track: int, registry: Registry, now_s: float) -> Terms:
        """Those of ``track``, a sample of which was compared with ``registry``'s references."""
        attempt = self._current
        if attempt is None or attempt.track != track:
            self.ended(now_s)
            draw = self._draw(registry, now_s)
            attempt = _Attempt(track, draw, registry.revision, _terms(draw, registry))
            self._current = attempt
            self._draws[track] = draw
            if len(self._draws) > _REMEMBERED:
                self._draws.popitem(last=False)
        elif attempt.revision != registry.revision:
            if attempt.draw.allowed and attempt.draw.rate <= 0.0:
                # Nothing could open for it before; now something may.
                attempt.draw = self._draws[track] = self._draw(registry, now_s)
            attempt.revision, attempt.terms = registry.revision, _terms(attempt.draw, registry)
        return attempt.terms

    def ended(self, now_s: float) -> None:
        """The track is gone, or another came; what it drew stays drawn."""
        attempt, self._current = self._current, None
        if attempt is not None and not attempt.judged:
            self._unjudged += 1
            if self._unjudged_since_s is None:
                self._unjudged_since_s = now_s

    def judged(self, track: int | None, *, recognised: bool, now_s: float) -> None:
        """An event says how ``track`` ended; one who was ``recognised`` gives back the draw."""
        if self._current is not None and self._current.track == track:
            self._current.judged = True
        draw = self._draws.pop(track, None) if recognised and track is not None else None
        if draw is not None:
            self.budget.give_back(draw)
            self._count(now_s, failed=-1.0, granted=1.0)

    @property
    def deadline_s(self) -> float | None:
        """When the count of unjudged tracks is told; None while there is none."""
        since_s = self._unjudged_since_s
        return None if since_s is None else since_s + UNJUDGED_EVERY_S

    def tell(self, registry: Registry, now: Instant, boot_id: str) -> list[EventDraft]:
        """What is to be said by now: unjudged tracks by the minute, and each change of probing."""
        told = []
        if self.deadline_s is not None and now.monotonic_s >= self.deadline_s:
            data = {"count": self._unjudged, "period_s": UNJUDGED_EVERY_S, "boot_id": boot_id}
            told.append(self._event(EventType.ACCESS_UNJUDGED, now, data))
            self._unjudged, self._unjudged_since_s = 0, None
        probing = self._probing(now.monotonic_s)
        if probing is not self.probing:
            self.probing = probing
            data = {"boot_id": boot_id, **self.report(registry, now.monotonic_s)}
            told.append(self._event(EventType.ACCESS_PROBING, now, data))
        return told

    def report(self, registry: Registry, now_s: float) -> dict[str, Any]:
        """The budget as JSON values: the threshold that it leaves, and what was tried of late."""
        failed, _ = self._lately(now_s)
        operating = registry.operating_at(self.budget.rate(*registry.rates(), now_s))
        return {
            "stage": self.probing.value,
            "threshold": round(operating.threshold, 4),
            "fmr": float(f"{operating.fmr:.3g}"),
            "attempts": round(failed),
            "left": round(self.budget.left(now_s) / self.budget.capacity, 4),
            "expected_last_day": float(f"{self.budget.expected_last_day(now_s):.3g}"),
        }

    def _draw(self, registry: Registry, now_s: float) -> Draw:
        most, least = registry.rates()
        if not self.searches or most <= 0.0:
            return Draw(0.0, allowed=True, drawn_s=now_s)  # nothing opens, so nothing is risked
        draw = self.budget.draw(most, least, now_s)
        self._count(now_s, failed=1.0)
        return draw

    def _probing(self, now_s: float) -> Probing:
        if self.budget.closed(now_s):
            return Probing.SECOND_FACTOR
        failed, granted = self._lately(now_s)
        if failed >= SUSPECT_FROM and failed > granted:
            return Probing.SUSPECTED
        quiet = failed < CALM_BELOW or failed <= granted
        return Probing.CALM if quiet or self.probing is Probing.CALM else Probing.SUSPECTED

    def _count(self, now_s: float, *, failed: float = 0.0, granted: float = 0.0) -> None:
        minute = now_s // 60.0
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append([minute, 0.0, 0.0])
        self._minutes[-1][1] += failed
        self._minutes[-1][2] += granted

    def _lately(self, now_s: float) -> tuple[float, float]:
        """Attempts that ended without a grant and with one, of the last ten minutes."""
        while self._minutes and self._minutes[0][0] * 60.0 <= now_s - SUSPECT_WITHIN_S - 60.0:
            self._minutes.popleft()
        failed = sum(minute[1] for minute in self._minutes)
        return max(failed, 0.0), sum(minute[2] for minute in self._minutes)

    def _event(self, kind: EventType, now: Instant, data: dict[str, Any]) -> EventDraft:
        return EventDraft(kind, now.utc, now.utc_trusted, self._access_point, data)


def _terms(draw: Draw, registry: Registry) -> Terms:
    operating = registry.operating_at(draw.rate) if draw.rate > 0.0 else registry.operating
    return Terms(operating, suffices=draw.allowed and operating.sufficient)
