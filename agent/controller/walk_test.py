"""A walk test: access points decide as ever, and nothing opens by what they decide.

    state   begun                     held by its id   asked to end   30 s unheld, time up, stop
    off     on, where there may be    off              off            off
    on      on: the first one stays   on, 30 s more    off            off

It is nowhere but in this object, which begins off with the process; off is the ordinary gate. No
exit is ever tested: whoever is inside gets out by what they show. What frees a door by no decision
(exit button, fire, a person's command, a schedule) does not ask here at all. An attempt belongs to
what holds when it is decided, whenever it began.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from agent.controller.effects import Record
from agent.controller.inputs import Tick, WalkTestBegun, WalkTestEnded, WalkTestHeld
from agent.controller.lane import LaneSettings
from agent.domain.door.walking import HELD_S, LONGEST_S, Walking, WalkTestEnd
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventDraft, EventType


class WalkTest:
    """Whether one is on; asked by whatever carries out a grant, or makes its event."""

    def __init__(self, lanes: Sequence[LaneSettings]) -> None:
        self._testable = frozenset(one.access_point for one in lanes if one.direction != "exit")
        self._walking: Walking | None = None
        self._ends_s = self._held_until_s = -math.inf

    @property
    def walking(self) -> Walking | None:
        """How it stands; None while there is none."""
        return self._walking

    @property
    def deadline_s(self) -> float | None:
        """When it ends if nobody says a word, on the monotonic clock."""
        return None if self._walking is None else min(self._ends_s, self._held_until_s)

    def holds(self, access_point: str) -> bool:
        """Whether nothing opens there by a decision."""
        return self._walking is not None and access_point in self._walking.access_points

    def asked(
        self, asked: WalkTestBegun | WalkTestHeld | WalkTestEnded | Tick, now: Instant
    ) -> list[Record]:
        """A person begins it, still looks, or ends it; nothing else changes it."""
        walking, now_s = self._walking, now.monotonic_s
        match asked:
            case WalkTestBegun() if walking is None:
                return self._begin(asked, now)
            case WalkTestHeld(id) if walking is not None and id == walking.id:
                self._held_until_s = now_s + HELD_S
            case WalkTestEnded(by):
                return self._end(WalkTestEnd.ASKED, by, now)
            case _:
                pass
        return []

    def tick(self, now: Instant) -> list[Record]:
        """It ends where its time is up, or nobody holds it any more."""
        if now.monotonic_s >= self._ends_s:
            return self._end(WalkTestEnd.TIME, "agent", now)
        if now.monotonic_s >= self._held_until_s:
            return self._end(WalkTestEnd.LEFT, "agent", now)
        return []

    def stop(self, now: Instant) -> list[Record]:
        """The agent ends, and it with it."""
        return self._end(WalkTestEnd.STOPPED, "agent", now)

    def _begin(self, asked: WalkTestBegun, now: Instant) -> list[Record]:
        points = tuple(one for one in asked.access_points if one in self._testable)
        if not points or not asked.for_s > 0.0:
            return []
        for_s = min(asked.for_s, LONGEST_S)
        self._ends_s, self._held_until_s = now.monotonic_s + for_s, now.monotonic_s + HELD_S
        until = now.utc + timedelta(seconds=for_s)
        self._walking = Walking(asked.id, points, asked.by, until)
        return [_record(EventType.WALK_TEST_BEGAN, self._walking.as_json(), now)]

    def _end(self, why: WalkTestEnd, by: str, now: Instant) -> list[Record]:
        walking = self._walking
        if walking is None:
            return []
        self._walking = None
        self._ends_s = self._held_until_s = -math.inf
        data = {"access_points": list(walking.access_points), "by": by, "cause": why.value}
        return [_record(EventType.WALK_TEST_ENDED, data, now)]


def _record(kind: EventType, data: Mapping[str, object], now: Instant) -> Record:
    return Record(EventDraft(kind, now.utc, now.utc_trusted, None, data))
