"""Decisions and what stands at the gate, in the words that people read beside a running agent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from agent.domain.record.events import ATTEMPTS, EventType
from agent.ports import EventLog, StoredEvent

DECISIONS = tuple(kind for kind in EventType if kind in ATTEMPTS)
_GRANTED = (EventType.ACCESS_GRANTED, EventType.WALK_TEST_GRANTED)
_LOOKED_AT = 100
Last = Mapping[str, StoredEvent]
"""Decisions by access point."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as people read it; ``who`` is the holder's name, else the id, else None."""

    time: str
    access_point: str
    granted: bool
    why: str
    who: str | None
    score: str | None
    walk_test: bool = False

    @property
    def outcome(self) -> str:
        """``granted``, or ``denied: no match``; of a walk test, which opens nothing, it says so."""
        came = "granted" if self.granted else f"denied: {self.why}"
        return f"walk test, {came}" if self.walk_test else came


def decided(
    stored: StoredEvent,
    zone: tzinfo,
    name_of: Callable[[str], str | None] = lambda _: None,
    now: datetime | None = None,
) -> Decided:
    """The decision that an access event tells; its time in ``zone`` (``?``: not trusted).

    Where it is known what time is ``now``, one of another day has its date as well.
    """
    event = stored.event
    holder = event.data.get("holder")
    mark = "" if event.clock_synced else "?"
    local = event.time.astimezone(zone)
    today = now is None or local.date() == now.astimezone(zone).date()
    return Decided(
        local.strftime("%H:%M:%S" if today else "%m-%d %H:%M") + mark,
        event.access_point or "",
        grants(event.type),
        in_words(event.data.get("reason")),
        None if holder is None else name_of(str(holder)) or str(holder),
        score_and_limit(event.data),
        walk_test=of_walk_test(event.type),
    )


def grants(kind: EventType) -> bool:
    """Whether it says that somebody might pass."""
    return kind in _GRANTED


def of_walk_test(kind: EventType) -> bool:
    """Whether it is a decision by which nothing opens."""
    return kind in (EventType.WALK_TEST_GRANTED, EventType.WALK_TEST_DENIED)


def last_decisions(log: EventLog) -> Last:
    """The last decision at each access point that has one among the last hundred of either."""
    found = [one for kind in DECISIONS for one in log.read(kind=kind.value, newest=_LOOKED_AT)]
    found.sort(key=lambda one: one.row)
    return {one.event.access_point: one for one in found if one.event.access_point is not None}


def in_words(reason: object) -> str:
    """``NotPermittedAtThisTime`` as ``not permitted at this time``; nothing for None."""
    return "" if reason is None else _WORD.sub(" ", str(reason)).lower().replace("_", " ")


def score_and_limit(data: Mapping[str, Any]) -> str | None:
    """``0.612/0.550``: the comparison score beside the threshold; None where none was compared."""
    score, limit = data.get("score"), data.get("threshold")
    if not isinstance(score, int | float):
        return None
    return f"{score:.3f}/{limit:.3f}" if isinstance(limit, int | float) else f"{score:.3f}"
