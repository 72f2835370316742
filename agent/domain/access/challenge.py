"""A turn of the head that is asked for: what the frames of one track show of it.

    state     turned   other side   straight   unsure   named    another   time up
    asked     turned   failed       asked      asked    asked    failed    failed
    turned    turned   failed       back       turned   turned   failed    failed
    back      turned   failed       back       back     passed   failed    failed
    passed    passed   passed       passed     passed   passed   passed    passed
    failed    failed   failed       failed     failed   failed   failed    failed

A side is shown by two frames in a row: the points of one may jump by as much as a turn. Only frames
that were compared count, and only those of one track: a frame that is surely another
person's is none of it (``vision.face.track``), so whoever turns is, as far as a turned face tells,
who was recognised. ``named`` is said by a frame after coming back that names the same holder.

A photograph does not turn; a film may, and a mask does. That no turn was seen accuses nobody: a
child, or whoever hears and sees badly, does not turn either.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from agent.domain.access.evidence import Evidence
from agent.domain.credential.holder import HolderId
from agent.domain.sight.track import FaceSample, FaceTrack

TURN_DEG = 25.0
"""From where the face looked when it was asked. Simulated pictures that shake in a hand (a second
each, six portraits twice; pack ``retail``) showed 14 degrees at most over two frames in a row,
films that do not turn 18. The 11 photographs of AT&T that are turned by 24 and more were compared
well all the same: 0.82 and above to the mean of the same person's straight ones, 999 of 1000
strangers' below 0.39."""
BACK_DEG = 10.0
"""Within this of where it looked, it looks straight again, and within this of straight ahead: a
picture of somebody who looks aside, and its mirror image, are far apart and both as far aside."""
CHALLENGE_S = 6.0


class Side(StrEnum):
    """The person's own; the value is the word in events."""

    LEFT = "left"
    RIGHT = "right"


class Turning(StrEnum):
    """How far it has come."""

    ASKED = "asked"
    TURNED = "turned"
    BACK = "back"
    PASSED = "passed"
    FAILED = "failed"


class Shown(StrEnum):
    """What frames, or the time, say."""

    TURNED = "turned"
    OTHER_SIDE = "other_side"
    STRAIGHT = "straight"
    UNSURE = "unsure"
    """Neither one nor the other, or the pose is not known."""
    NAMED = "named"
    ANOTHER = "another"
    TIME_UP = "time_up"


_SIDES = (Shown.TURNED, Shown.OTHER_SIDE)
_ENDS = {
    Shown.OTHER_SIDE: Turning.FAILED,
    Shown.ANOTHER: Turning.FAILED,
    Shown.TIME_UP: Turning.FAILED,
}
_NEXT: dict[Turning, dict[Shown, Turning]] = {
    Turning.ASKED: {Shown.TURNED: Turning.TURNED, **_ENDS},
    Turning.TURNED: {Shown.STRAIGHT: Turning.BACK, **_ENDS},
    Turning.BACK: {Shown.TURNED: Turning.TURNED, Shown.NAMED: Turning.PASSED, **_ENDS},
    Turning.PASSED: {},
    Turning.FAILED: {},
}


def after(state: Turning, shown: Shown) -> Turning:
    """The next state, by the table above; total."""
    return _NEXT[state].get(shown, state)


def shown_by(yaw_deg: float | None, straight_deg: float, side: Side) -> Shown:
    """What a frame's pose says; ``straight_deg`` is where the face looked when it was asked.

    A yaw rises to the person's left. One that is no number is not known. A turn counts from there
    and from straight ahead: a mirror image is far from its picture, and no farther from ahead.
    """
    if yaw_deg is None:
        return Shown.UNSURE
    sign = 1.0 if side is Side.LEFT else -1.0
    aside_deg, moved_deg = sign * yaw_deg, sign * (yaw_deg - straight_deg)
    there_deg = aside_deg - sign * min(max(straight_deg, -BACK_DEG), BACK_DEG)
    if min(there_deg, aside_deg) >= TURN_DEG:
        return Shown.TURNED
    if max(moved_deg, aside_deg) <= -TURN_DEG:
        return Shown.OTHER_SIDE
    straight = max(abs(there_deg), abs(aside_deg)) <= BACK_DEG
    return Shown.STRAIGHT if straight else Shown.UNSURE


@dataclass(frozen=True, slots=True)
class Challenge:
    """One that was asked; times are on the monotonic clock.

    ``evidence`` is what was agreed on before; ``seen_s`` the capture of the newest frame that
    counted and ``pose`` what its own pose says, ``back_s`` the capture of the first one that looked
    straight again.
    """

    side: Side
    track: int
    holder: HolderId
    straight_deg: float
    seen_s: float
    ends_s: float
    evidence: Evidence
    state: Turning = Turning.ASKED
    back_s: float | None = None
    pose: Shown = Shown.UNSURE

    @property
    def open(self) -> bool:
        """Whether it has still to come to something."""
        return self.state not in (Turning.PASSED, Turning.FAILED)

    @property
    def passed(self) -> bool:
        """Whether the head was turned, and whoever came back is who was recognised."""
        return self.state is Turning.PASSED

    @property
    def asks(self) -> str:
        """What is to be done now, as an indication's word."""
        return f"turn_{self.side}" if self.state is Turning.ASKED else "face"

    def report(self) -> dict[str, Any]:
        """What an event says of it."""
        return {"side": self.side.value, "passed": self.passed}

    def seen(self, track: FaceTrack | None, now_s: float) -> "Challenge":
        """After the newest picture of whoever stands there, and at ``now_s``.

        None is silence: nobody is seen just now, and time goes on.
        """
        if now_s >= self.ends_s:
            return self._after(Shown.TIME_UP, None)
        if track is None:
            return self
        if track.id != self.track:
            return self._after(Shown.ANOTHER, None)
        found = self
        for sample in track.samples:
            if found.seen_s < sample.captured_s <= now_s:
                pose = shown_by(sample.yaw_deg, self.straight_deg, self.side)
                once = pose in _SIDES and pose is not found.pose
                found = found._after(Shown.UNSURE if once else pose, sample)
                found = replace(found, pose=pose)
        return found

    def named(self, holder: HolderId | None, newest_s: float) -> "Challenge":
        """After the frames agree on ``holder``, the newest of them of ``newest_s``."""
        fresh = self.back_s is not None and newest_s >= self.back_s
        same = holder is not None and holder == self.holder
        return self._after(Shown.NAMED, None) if fresh and same else self

    def _after(self, shown: Shown, sample: FaceSample | None) -> "Challenge":
        state = after(self.state, shown)
        back_s = self.back_s
        if state is not self.state:
            back = state is Turning.BACK and sample is not None
            back_s = sample.captured_s if back and sample is not None else None
        seen_s = self.seen_s if sample is None else sample.captured_s
        return replace(self, state=state, back_s=back_s, seen_s=seen_s)
