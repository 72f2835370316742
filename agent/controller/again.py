"""What comes of whoever was refused and stays: the next attempt, when it is due.

    state      refused       the interval over, and a face there   time up          gone, or another
    none       waiting       -                                     -                -
    waiting    -             looking                               -                none
    looking    waiting       -                                     judged, or told  none

Each refusal doubles the interval. After ``MOST_TRIES`` of one track there is none any more while it
stays: a poster on the wall must not fill the journal, nor use up what faces may risk here.

Who was not recognised is looked at anew: only frames count that were taken since, and it is an
attempt of its own. Who was recognised and is sent to the attendant is not judged again, or a minute
at the gate would be a minute of tries at a thermometer; they are told the same again in the same
rhythm, so that nobody who looks on sees who was recognised. Who lacks something, or stands before a
gate that is unwell or closed, is told so once.
"""

from dataclasses import dataclass, replace

from agent.domain.access.hints import Hint, hint_of
from agent.domain.credential.reason import Reason
from agent.domain.sight.track import FaceTrack

MOST_TRIES = 6


@dataclass(slots=True)
class Again:
    """Times are seconds on the monotonic clock."""

    interval_s: float
    interval_max_s: float
    track: int | None = None
    reason: Reason | None = None
    _hint: Hint | None = None
    _tries: int = 0
    _due_s: float = float("inf")
    _since_s: float | None = None
    _began_s: float = float("inf")

    def refused(
        self, track: int, reason: Reason | None, now_s: float, lacking: tuple[str, ...] = ()
    ) -> None:
        """Its attempt ended so, or it was told so once more."""
        self._hint = None if reason is None else hint_of(reason, lacking)
        self._tries = self._tries + 1 if track == self.track else 1
        self.track, self.reason = track, reason
        wait_s = min(self.interval_s * 2.0 ** (self._tries - 1), self.interval_max_s)
        follows = self._tries < MOST_TRIES and self._hint in (Hint.TRY_AGAIN, Hint.SEE_ATTENDANT)
        self._due_s = now_s + wait_s if follows else float("inf")
        self._began_s = float("inf")

    @property
    def anew(self) -> bool:
        """Whether the next attempt looks at the face again."""
        return self._hint is Hint.TRY_AGAIN

    def over(self) -> None:
        """Who stands there was let in."""
        self.track, self._since_s = None, None
        self._due_s = self._began_s = float("inf")

    def comes(self, track: int) -> bool:
        """Whether another attempt of this track follows, while it stays."""
        return track == self.track and self._due_s < float("inf")

    def begins(self, track: FaceTrack, now_s: float) -> bool:
        """Whether its next attempt begins now, with the frames that follow."""
        if track.id != self.track or now_s < self._due_s or not track.samples:
            return False
        self._due_s = float("inf")
        self._since_s, self._began_s = track.samples[-1].captured_s, now_s
        return True

    def looking(self, track: int) -> bool:
        """Whether its next attempt has begun."""
        return track == self.track and self._began_s < float("inf")

    def reminds(self, now_s: float, after_s: float) -> bool:
        """Whether who is not looked at is told the same again, ``after_s`` since it was due."""
        return not self.anew and now_s >= self._began_s + after_s

    def since(self, track: FaceTrack) -> FaceTrack:
        """The track as its next attempt sees it: what was judged before counts no longer."""
        if track.id != self.track or self._since_s is None or not self.anew:
            return track
        newer = tuple(one for one in track.samples if one.captured_s > self._since_s)
        return replace(track, samples=newer)
