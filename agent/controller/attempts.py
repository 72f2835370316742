"""When a presentation becomes an attempt: once, and not too often.

    state        track with samples      agreed / time up        track gone or another
    idle         collecting(track)       -                       idle
    collecting   collecting              judged(track)           idle / collecting(other)
    judged       judged                  judged                  idle / collecting(other)
    judged, and its next attempt due (``controller.again``)      collecting(track)

An attempt is a presentation, not a frame: a judged track is judged again only where it was refused,
stays, and the interval is over, and by new frames alone. Between two attempts lies the interval,
and each denial in a row doubles it up to a maximum; a track that comes sooner waits in
``collecting`` and is judged when the interval is over, if it is still there. A grant, or a quiet
minute, makes the interval short again. A face that is recognised waits for one interval at most,
whoever was denied before it. A track that leaves ``collecting`` was an attempt all the same:
``controller.false_grants`` counts it.

No timer is needed: while a face is there, frames come, and each of them asks again.
"""

import math
from dataclasses import dataclass

from agent.controller.again import Again
from agent.controller.false_grants import FalseGrants, Terms
from agent.controller.pacer import Pacer
from agent.domain.access.agreement import Requirements, agree, conclude
from agent.domain.access.evidence import FaceEvidence
from agent.domain.access.registry import Registry
from agent.domain.access.signs import Face
from agent.domain.credential.reason import Reason
from agent.domain.sight.track import FaceTrack


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a face is looked at before it is judged, and how long the next one waits."""

    timeout_s: float = 1.5
    interval_s: float = 2.0
    interval_max_s: float = 16.0


class Attempts:
    """The presentations at one access point, one after the other."""

    def __init__(self, pace: Pace, requirements: Requirements, false_grants: FalseGrants) -> None:
        self.false_grants = false_grants
        self.terms: Terms | None = None
        self._pace = pace
        self._requirements = requirements
        self._track: FaceTrack | None = None
        self._began_s = 0.0
        self._judged: int | None = None
        self._let_in = False
        self.again_of = Again(pace.interval_s, pace.interval_max_s)
        self._pacer = Pacer(pace.interval_s, pace.interval_max_s)

    def observe(self, track: FaceTrack | None, registry: Registry, now_s: float) -> None:
        """The newest picture of the presentation; None where nobody stands in the zone."""
        before = self._track
        if track is not None:
            track = self._once_more(track, now_s)
        self._track = track
        if track is None:
            self.false_grants.ended(now_s)
        elif track.samples:
            if before is None or before.id != track.id or not before.samples:
                self._began_s = track.samples[0].captured_s
            self.terms = self.false_grants.terms(track.id, registry, now_s)

    def _once_more(self, track: FaceTrack, now_s: float) -> FaceTrack:
        """The track as its attempt sees it: where its next one is due, that begins."""
        fresh = track.samples and now_s - track.samples[-1].captured_s <= (
            self._requirements.freshness_s
        )
        begins = track.id == self._judged and fresh and self.again_of.begins(track, now_s)
        if begins and self.again_of.anew:
            self._judged = None
            self.false_grants.ended(now_s)
        return self.again_of.since(track)

    def forget(self) -> None:
        """What was compared counts no longer; the presentation itself goes on."""
        self._track = None

    def due(self, now_s: float) -> FaceEvidence | None:
        """The evidence to judge now, once a track; None while there is nothing to judge."""
        track = self._track
        if track is None or track.id == self._judged or not track.samples:
            return None
        agreed = self.again(now_s)
        if agreed is not None and self._awaits_life(agreed, now_s):
            return None
        if agreed is not None and now_s >= self._pacer.recognised_not_before_s:
            return agreed
        # An old frame grants nothing; without a new one the track ends by itself.
        if now_s < max(self._pacer.not_before_s, self._time_up_s) or not self.somebody_there(now_s):
            return None
        return conclude(track, self._threshold, self._requirements)

    def _awaits_life(self, agreed: FaceEvidence, now_s: float) -> bool:
        unknown = self._requirements.liveness and agreed.cues.liveness is None
        return unknown and now_s < self._time_up_s

    def judged(
        self,
        *,
        granted: bool,
        recognised: bool,
        now_s: float,
        track: int | None = None,
        reason: Reason | None = None,
        lacking: tuple[str, ...] = (),
    ) -> int | None:
        """The presentation has been judged: it is over, the interval begins; its track's id.

        ``track`` names it where somebody else may stand there by now. None where nobody does: a
        pass alone says nothing of whoever was judged before it.
        """
        if track is None and self._track is not None:
            track = self._track.id
        if track is not None:
            self._judged = track
            self._let_in = granted
            if granted:
                self.again_of.over()
            else:
                self.again_of.refused(track, reason, now_s, lacking)
        self._pacer.judged(granted=granted, now_s=now_s)
        self.false_grants.judged(track, recognised=recognised, now_s=now_s)
        return track

    def leave(self, now_s: float) -> int | None:
        """The presentation goes on as part of a combination; its track's id."""
        if self._track is not None:
            self._judged = self._track.id
            self.false_grants.judged(self._judged, recognised=False, now_s=now_s)
        return self._judged

    def again(self, now_s: float) -> FaceEvidence | None:
        """What the presentation agrees on now, though it was judged; None where it does not."""
        if self._track is None or not self.somebody_there(now_s):
            return None
        return agree(self._track, self._threshold, self._requirements)

    def somebody_there(self, now_s: float) -> bool:
        """Whether a face that could be compared stands there now."""
        if self._track is None or not self._track.samples:
            return False
        return now_s - self._track.samples[-1].captured_s <= self._requirements.freshness_s

    def reminded(self, now_s: float) -> Reason | None:
        """Why who stays was refused, where they are to be told so again now."""
        track, again = self._track, self.again_of
        if track is None or not again.looking(track.id) or not self.somebody_there(now_s):
            return None
        if not again.reminds(now_s, self._pace.timeout_s):
            return None
        again.refused(track.id, again.reason, now_s)
        return again.reason

    def face(self, now_s: float) -> Face:
        """How far this access point has come with whoever stands there."""
        track = self._track
        if track is None:
            return Face.NOBODY
        if track.id == self._judged:
            if self._let_in:
                return Face.LET_IN
            if self.again_of.looking(track.id):
                return Face.COMPARED
            return Face.PACED if self.again_of.comes(track.id) else Face.REFUSED
        if not self.somebody_there(now_s):
            return Face.SEEN
        waits = self._time_up_s <= now_s < self._pacer.not_before_s
        return Face.PACED if waits else Face.COMPARED

    @property
    def track(self) -> FaceTrack | None:
        """The presentation as it stands."""
        return self._track

    @property
    def _threshold(self) -> float:
        return math.inf if self.terms is None else self.terms.operating.threshold

    @property
    def _time_up_s(self) -> float:
        return self._began_s + self._pace.timeout_s
