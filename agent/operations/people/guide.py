"""Guides somebody through three photographs at the kiosk: what to do next, and what was taken.

    step       asks for                  a frame is taken that
    straight   look straight ahead       shows one good face, turned by at most 12 degrees
    one_side   turn the head a little    is turned by 8 to 35 degrees, to whichever side
    other_side turn it the other way     is turned likewise to the other side

A frame counts for the step that is on or for nothing: total over all that a frame may show. What
keeps it from counting is said as one hint, the first of these that applies:

    nobody  one_at_a_time  closer  more_light  less_light  hold_still  look_up  look_down
    look_straight  turn_more  turn_less  other_way  hold (good; stays so for a moment)

A step takes its sharpest frame of those that counted in a row over ``HOLD_S``, so that nobody is
photographed while they move; and a frame that is the one before to the pixel never counts, as a
camera that hangs would fill all three.

Where a head is not turned as asked for ``PATIENCE_S`` the step takes the next good frame that
differs from those taken: whoever cannot turn is enrolled as well, and is told so
(``settled``). Nothing happens after the end; the limit of time is ``timeout_s`` from the first
frame. Left and right are never asked for by name first: a mirror or none, either is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

HOLD_S = 0.4
PATIENCE_S = 12.0
_STRAIGHT_DEG = 12.0
_LEAST_TURN_DEG, _MOST_TURN_DEG = 8.0, 35.0
_MOST_NOD_DEG = 35.0
"""A guess at a nod is off by more than one at a turn."""


class Step(StrEnum):
    """What is asked for now."""

    STRAIGHT = "straight"
    ONE_SIDE = "one_side"
    OTHER_SIDE = "other_side"
    DONE = "done"
    TIMED_OUT = "timed_out"

    @property
    def over(self) -> bool:
        """Whether nothing more is taken."""
        return self in (Step.DONE, Step.TIMED_OUT)


_NEXT = {Step.STRAIGHT: Step.ONE_SIDE, Step.ONE_SIDE: Step.OTHER_SIDE, Step.OTHER_SIDE: Step.DONE}


class Hint(StrEnum):
    """What to do; each is doable as said."""

    NOBODY = "nobody"
    ONE_AT_A_TIME = "one_at_a_time"
    CLOSER = "closer"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"
    LOOK_UP = "look_up"
    LOOK_DOWN = "look_down"
    LOOK_STRAIGHT = "look_straight"
    TURN_MORE = "turn_more"
    TURN_LESS = "turn_less"
    OTHER_WAY = "other_way"
    HOLD = "hold"


SHORTFALL_HINTS: Mapping[str, Hint] = {
    "no_face": Hint.NOBODY,
    "several_faces": Hint.ONE_AT_A_TIME,
    "face_too_small": Hint.CLOSER,
    "low_contrast": Hint.MORE_LIGHT,
    "too_bright": Hint.LESS_LIGHT,
    "blurred": Hint.HOLD_STILL,
}
"""By the word for why a face is not good enough."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame shows.

    ``shortfall`` is why its face is not good enough, None where it is; the turn and nod are None
    where nothing can be told of them. ``differs`` from every frame taken before, and from the
    frame before it.
    """

    number: int
    at_s: float
    shortfall: str | None
    sharpness: float = 0.0
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    differs: bool = True


@dataclass(frozen=True, slots=True)
class Guide:
    """Where the guidance stands.

    ``taken`` are the numbers of the frames taken; ``settled`` how many of them do not show the
    turn that was asked for. ``best`` is the sharpest of those that counted since ``good_since_s``.
    """

    timeout_s: float
    step: Step = Step.STRAIGHT
    hint: Hint = Hint.NOBODY
    taken: tuple[int, ...] = ()
    settled: int = 0
    began_s: float | None = None
    step_since_s: float = 0.0
    good_since_s: float | None = None
    best: Look | None = None
    first_turn_deg: float = field(default=0.0)

    def left_s(self, now_s: float) -> float:
        """How long it may still take."""
        if self.began_s is None:
            return self.timeout_s
        return max(self.began_s + self.timeout_s - now_s, 0.0)


def advance(guide: Guide, look: Look) -> Guide:
    """The guidance after one more frame; total, and frames come in the order of their time."""
    if guide.step.over:
        return guide
    if guide.began_s is None:
        guide = replace(guide, began_s=look.at_s, step_since_s=look.at_s)
    if guide.left_s(look.at_s) <= 0.0:
        return replace(guide, step=Step.TIMED_OUT, good_since_s=None, best=None)
    hint, settles = _judged(guide, look)
    if hint is not Hint.HOLD:
        return replace(guide, hint=hint, good_since_s=None, best=None)
    best = guide.best
    if best is None or look.sharpness > best.sharpness:
        best = look
    since_s = look.at_s if guide.good_since_s is None else guide.good_since_s
    guide = replace(guide, hint=hint, good_since_s=since_s, best=best)
    if look.at_s - since_s < HOLD_S:
        return guide
    return _took(guide, best, look.at_s, settles=settles)


def expire(guide: Guide, now_s: float) -> Guide:
    """The guidance where no frame came: only its time may be over."""
    if guide.step.over:
        return guide
    if guide.began_s is None:
        return replace(guide, began_s=now_s, step_since_s=now_s)
    if guide.left_s(now_s) > 0.0:
        return guide
    return replace(guide, step=Step.TIMED_OUT, good_since_s=None, best=None)


def _took(guide: Guide, best: Look, now_s: float, *, settles: bool) -> Guide:
    turn = guide.first_turn_deg
    if guide.step is Step.ONE_SIDE:
        turn = best.yaw_deg or 0.0
    return replace(
        guide,
        step=_NEXT[guide.step],
        taken=(*guide.taken, best.number),
        settled=guide.settled + settles,
        step_since_s=now_s,
        good_since_s=None,
        best=None,
        first_turn_deg=turn,
    )


def _judged(guide: Guide, look: Look) -> tuple[Hint, bool]:
    """The hint, and whether the frame counts though it is not turned as asked."""
    if look.shortfall is not None:
        return SHORTFALL_HINTS.get(look.shortfall, Hint.HOLD_STILL), False
    if not look.differs:
        return Hint.TURN_MORE if guide.taken else Hint.HOLD_STILL, False
    wanted = _turn_hint(guide, look)
    if wanted is Hint.HOLD:
        return wanted, False
    waited_s = look.at_s - guide.step_since_s
    return (Hint.HOLD, True) if waited_s >= PATIENCE_S else (wanted, False)


def _turn_hint(guide: Guide, look: Look) -> Hint:
    yaw, pitch = look.yaw_deg, look.pitch_deg
    if yaw is None or pitch is None:
        return Hint.HOLD  # nothing can be told, and the face is good
    if pitch > _MOST_NOD_DEG:
        return Hint.LOOK_UP
    if pitch < -_MOST_NOD_DEG:
        return Hint.LOOK_DOWN
    if guide.step is Step.STRAIGHT:
        return Hint.HOLD if abs(yaw) <= _STRAIGHT_DEG else Hint.LOOK_STRAIGHT
    if guide.step is Step.OTHER_SIDE and yaw * guide.first_turn_deg > 0.0:
        return Hint.OTHER_WAY
    if abs(yaw) < _LEAST_TURN_DEG:
        return Hint.TURN_MORE
    return Hint.HOLD if abs(yaw) <= _MOST_TURN_DEG else Hint.TURN_LESS
