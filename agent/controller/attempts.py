"""When a presentation becomes an attempt: once, and not too often.

    state        track with samples      agreed / time up        track gone or another
    idle         collecting(track)       -                       idle
    collecting   collecting              judged(track)           idle / collecting(other)
    judged       judged                  judged                  idle / collecting(other)

An attempt is a presentation, not a frame: a judged track is never judged again, however long it
stays. Between two attempts lies the interval, and each denial in a row doubles it up to a maximum;
a track that comes sooner waits in ``collecting`` and is judged when the interval is over, if it is
still there. A grant, or a quiet minute, makes the interval short again.

No timer is needed: while a face is there, frames come, and each of them asks again.
"""

from dataclasses import dataclass

from agent.controller.pacer import Pacer
from agent.domain.access.agreement import Requirements, agree, conclude
from agent.domain.access.evidence import FaceEvidence
from agent.domain.sight.track import FaceTrack


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a face is looked at before it is judged, and how long the next one waits."""

    timeout_s: float = 1.5
    interval_s: float = 2.0
    interval_max_s: float = 16.0


class Attempts:
    """The presentations at one access point, one after the other."""

    def __init__(self, pace: Pace, requirements: Requirements) -> None:
        self._pace = pace
        self._requirements = requirements
        self._track: FaceTrack | None = None
        self._threshold = 0.0
        self._began_s = 0.0
        self._judged: int | None = None
        self._pacer = Pacer(pace.interval_s, pace.interval_max_s)

    def observe(self, track: FaceTrack | None, threshold: float) -> None:
        """The newest picture of the presentation; None where nobody stands in the zone."""
        before = self._track
        if track is not None and track.samples:
            known = before is not None and before.id == track.id and before.samples
            if not known:
                self._began_s = track.samples[0].captured_s
        self._track = track
        self._threshold = threshold

    def due(self, now_s: float) -> FaceEvidence | None:
        """The evidence to judge now, once a track; None while there is nothing to judge."""
        track = self._track
        if track is None or track.id == self._judged or not track.samples:
            return None
        # An old frame grants nothing; without a new one the track ends by itself.
        fresh = now_s - track.samples[-1].captured_s <= self._requirements.freshness_s
        if now_s < self._pacer.not_before_s or not fresh:
            return None
        agreed = agree(track, self._threshold, self._requirements)
        if agreed is not None:
            return agreed
        if now_s < self._time_up_s:
            return None
        return conclude(track, self._threshold, self._requirements)

    def judged(self, *, granted: bool, now_s: float, track: int | None = None) -> int | None:
        """The presentation has been judged: it is over, the interval begins; its track's id.

        ``track`` names it where somebody else may stand there by now.
        """
        if track is not None:
            self._judged = track
        elif self._track is not None:
            self._judged = self._track.id
        self._pacer.judged(granted=granted, now_s=now_s)
        return self._judged

    def leave(self) -> int | None:
        """The presentation goes on as part of a combination; its track's id."""
        if self._track is not None:
            self._judged = self._track.id
        return self._judged

    def again(self, now_s: float) -> FaceEvidence | None:
        """What the presentation agrees on now, though it was judged; None where it does not."""
        track = self._track
        if track is None or not track.samples:
            return None
        fresh = now_s - track.samples[-1].captured_s <= self._requirements.freshness_s
        return agree(track, self._threshold, self._requirements) if fresh else None

    @property
    def track(self) -> FaceTrack | None:
        """The presentation as it stands."""
        return self._track

    @property
    def _time_up_s(self) -> float:
        return self._began_s + self._pace.timeout_s
