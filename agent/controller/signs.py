"""When which sign is shown before a decision: steady lights, few words, nothing over a decision.

    scene of each input --before--> state --steady--> shown --due--> Guide(state, aloud)

    state            shown                                   heard
    a hindrance      once it has lasted 0.4 s                 once it has lasted 1.2 s, then again
    ends the other   at once: a decision, what is asked for   -
    another          once the one shown is gone, or has       as above
                     stood for a second and a half
    nobody           half a second after the last frame       -

Two hindrances that take turns from frame to frame are one that lasts: the one shown stays while it
comes back. What is heard is said again after 6, 12, 24, 48 and then every 60 seconds, and only
while somebody is there; between any two words lie four seconds. What was said of an attempt counts
as a word, and a decision's own seconds are its own. Whoever comes next is told anew; but after five
words upon which nobody was compared (headlights, a face on a wall) the pauses stay as long.

No timer is needed while frames come: each of them asks again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.controller.effects import Consume, Effect, Guide, Indicate
from agent.controller.lane import Lane
from agent.domain.access.indication import SHOWN_S, Outcome, Standing
from agent.domain.access.signs import SIGNS, Before, Face, Guidance, Scene, before
from agent.domain.door.access_point import State
from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.track import Observation

STALE_S = 1.0
"""A frame older than this says nothing of who is there now."""
UNREADABLE_S = 2.5
"""So long a face may be followed without being compared before it is asked to look here."""
CODE_LASTS_S = 0.6
_GAP_S = 0.5
_STANDS_S = 1.5
_FIRST_AGAIN_S, _LONGEST_AGAIN_S = 6.0, 60.0
_BETWEEN_WORDS_S = 4.0
_MOST_IN_VAIN = 5
_NEVER_S = float("-inf")
_AT_ONCE = frozenset(
    {
        *(Before.TOLD, Before.NOT_SERVING, Before.PASSING, Before.ASKED, Before.LET_IN),
        *(Before.TURN_LEFT, Before.TURN_RIGHT),
    }
)


@dataclass(slots=True)
class _Run:
    """How long a state has held; a gap of half a second does not end it."""

    since_s: float
    last_s: float


@dataclass(slots=True)
class Steady:
    """From what each moment looks like to what is shown and heard; monotonic seconds."""

    shown: Before = Before.NOBODY
    _shown_s: float = _NEVER_S
    _runs: dict[Before, _Run] = field(default_factory=dict)
    _hindered: _Run | None = None
    _word_s: float = _NEVER_S
    _in_vain: int = 0
    """How many words were said since somebody was last compared."""
    _said: dict[Before, tuple[float, float]] = field(default_factory=dict)
    """What whoever is there was told: when it may be said again, and how long it waits then."""

    def step(self, state: Before, now_s: float) -> tuple[bool, bool]:
        """Whether the sign has changed, and whether it is heard now."""
        run = self._hold(state, now_s)
        if state in (Before.COMPARED, Before.TOLD):
            self._in_vain = 0
        changed = self._takes_over(state, run, now_s)
        if changed:
            self.shown, self._shown_s = state, now_s
            if state is Before.NOBODY:
                self.forget()
        return changed, self._is_heard(now_s)

    def told(self, state: Before, now_s: float, *, aloud: bool) -> None:
        """Somebody else showed this: a decision, or what is asked for."""
        self.shown, self._shown_s = state, now_s
        if aloud:
            self._word_s = now_s

    def forget(self) -> None:
        """Somebody else comes: they have been told nothing yet."""
        if self._in_vain < _MOST_IN_VAIN:
            self._said.clear()

    def _hold(self, state: Before, now_s: float) -> _Run:
        run = self._runs.get(state)
        if run is None or now_s - run.last_s > _GAP_S:
            run = self._runs[state] = _Run(now_s, now_s)
        run.last_s = now_s
        if SIGNS[state].after_s > 0.0:
            held = self._hindered
            if held is None or now_s - held.last_s > _GAP_S:
                held = self._hindered = _Run(now_s, now_s)
            held.last_s = now_s
        return run

    def _takes_over(self, state: Before, run: _Run, now_s: float) -> bool:
        if state is self.shown:
            return False
        if state in _AT_ONCE or self.shown in _AT_ONCE:
            return self._lasts(state, run, now_s) or state in _AT_ONCE or self._gone(now_s)
        if self.shown in (Before.NOBODY, Before.COMPARED) and state is not Before.NOBODY:
            return self._lasts(state, run, now_s)
        if state is Before.NOBODY:
            return self._gone(now_s)
        if SIGNS[state].after_s > 0.0 and SIGNS[self.shown].after_s > 0.0:
            return self._gone(now_s) and self._lasts(state, run, now_s)
        return now_s - self._shown_s >= _STANDS_S and self._lasts(state, run, now_s)

    def _lasts(self, state: Before, run: _Run, now_s: float) -> bool:
        """Whether the state, or a turn of several that hinder, has lasted for long enough."""
        after_s = SIGNS[state].after_s
        since_s = run.since_s
        if after_s > 0.0 and self._hindered is not None:
            since_s = self._hindered.since_s
        return now_s - since_s >= after_s - 1e-6

    def _gone(self, now_s: float) -> bool:
        """Whether what is shown has not been so for half a second."""
        run = self._runs.get(self.shown)
        return run is None or now_s - run.last_s >= _GAP_S

    def _is_heard(self, now_s: float) -> bool:
        sign, run = SIGNS[self.shown], self._runs.get(self.shown)
        if not sign.messages or run is None or run.last_s != now_s:
            return False
        if now_s - (self._shown_s - sign.after_s) < sign.aloud_after_s - 1e-6:
            return False
        if now_s - self._word_s < _BETWEEN_WORDS_S:
            return False
        due_s, wait_s = self._said.get(self.shown, (_NEVER_S, _FIRST_AGAIN_S))
        if now_s < due_s:
            return False
        self._said[self.shown] = (now_s + wait_s, min(wait_s * 2.0, _LONGEST_AGAIN_S))
        self._word_s = now_s
        self._in_vain += 1
        return True


@dataclass(slots=True)
class _Point:
    """What was seen last at one access point."""

    lane: Lane
    steady: Steady = field(default_factory=Steady)
    seen: bool = False
    seen_s: float = _NEVER_S
    uncompared_s: float | None = None
    hindrance: Hindrance | None = None
    code_s: float = _NEVER_S
    told_until_s: float = _NEVER_S
    awaits_gone: bool = False


class Signs:
    """The signs of all access points of one kiosk."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        """``lanes`` are the kiosk's own, and change under it."""
        self._points = {lane.settings.access_point: _Point(lane) for lane in lanes}

    def observed(self, observation: Observation, now_s: float) -> None:
        """What vision says of a frame."""
        for point in self._points.values():
            if point.lane.settings.camera != observation.camera:
                continue
            point.seen, point.seen_s = observation.track is not None, now_s
            point.hindrance = observation.hindrance

    def code_unread(self, access_point: str, now_s: float) -> None:
        """A code is held up there that cannot be read."""
        if (point := self._points.get(access_point)) is not None:
            point.code_s = now_s

    @property
    def deadline_s(self) -> float | None:
        """When a sign ends at the latest though no frame comes; None where none is shown."""
        ends = [
            max(point.seen_s, point.code_s) + STALE_S + _GAP_S
            for point in self._points.values()
            if point.awaits_gone
        ]
        return min(ends, default=None)

    def tell(
        self,
        lane: Lane,
        effects: Sequence[Effect],
        standing: Standing,
        now_s: float,
        *,
        face_suffices: bool,
    ) -> list[Guide]:
        """The sign of the lane, where it has changed or is heard again; ``effects`` go before."""
        name = lane.settings.access_point
        point = self._points[name]
        self._heed(point, effects, now_s)
        state = before(self._scene(point, standing, now_s, face_suffices=face_suffices))
        was = point.steady.shown
        changed, aloud = point.steady.step(state, now_s)
        shown = point.steady.shown
        point.awaits_gone = bool(SIGNS[shown].lights) and shown is not Before.ASKED
        told_by_others = shown is Before.TOLD or not (SIGNS[shown].lights or SIGNS[was].lights)
        if not aloud and (not changed or told_by_others):
            return []
        return [Guide(Guidance(name, shown, aloud))]

    def _heed(self, point: _Point, effects: Sequence[Effect], now_s: float) -> None:
        """A decision, or what is asked for, takes the place of a sign by itself."""
        for effect in effects:
            counted = effect.counted if isinstance(effect, Consume) else (effect,)
            for one in counted:
                if not isinstance(one, Indicate):
                    continue
                if one.indication.access_point != point.lane.settings.access_point:
                    continue
                if one.indication.outcome is Outcome.WAITING:
                    point.steady.told(Before.ASKED, now_s, aloud=True)
                else:
                    point.told_until_s = now_s + SHOWN_S
                    if one.indication.outcome is Outcome.GRANTED:
                        point.steady.forget()
                    point.steady.told(Before.TOLD, now_s, aloud=True)

    def _scene(
        self, point: _Point, standing: Standing, now_s: float, *, face_suffices: bool
    ) -> Scene:
        lane = point.lane
        fresh = now_s - point.seen_s <= STALE_S
        return Scene(
            standing,
            now_s < point.told_until_s,
            lane.door.state is State.RELEASED,
            _asked(lane),
            point.hindrance if fresh else None,
            now_s - point.code_s <= CODE_LASTS_S,
            self._face(point, now_s) if fresh else Face.NOBODY,
            face_suffices,
        )

    def _face(self, point: _Point, now_s: float) -> Face:
        face = point.lane.attempts.face(now_s)
        if face is Face.NOBODY and point.seen:
            face = Face.SEEN  # compared with what is no longer the gallery
        if face is not Face.SEEN or point.hindrance is not None:
            point.uncompared_s = None
        elif point.uncompared_s is None:
            point.uncompared_s = now_s
        elif now_s - point.uncompared_s >= UNREADABLE_S:
            return Face.UNREADABLE
        return face


def _asked(lane: Lane) -> frozenset[str] | None:
    """What an attempt under way waits for; None where none is."""
    if lane.challenge is not None and lane.challenged:
        return frozenset({lane.challenge.asks})
    if lane.combination.open:
        return frozenset(factor.value for factor in lane.combination.waiting_for)
    return frozenset({"temperature"}) if lane.measurement is not None else None
