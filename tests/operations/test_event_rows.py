"""What a row of ``events list`` and ``events tail`` says to people."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.domain.record.events import Event, EventType
from agent.operations.events import as_row
from agent.ports import StoredEvent


@pytest.mark.parametrize(
    ("kind", "data", "what"),
    [
        (
            EventType.DOOR_MODE_CHANGED,
            {"door": "lane", "mode": "locked_down", "cause": "command", "by": "uid:0 root"},
            "mode locked down, cause command, by uid:0 root",
        ),
        (EventType.DOOR_RELEASED, {"cause": "rex", "by": "agent"}, "cause rex, by agent"),
        (
            EventType.FAULT_RAISED,
            {"part": "tamper:box", "detail": "the housing is open"},
            "tamper:box: the housing is open",
        ),
        (EventType.PASSBACK_FORGIVEN, {"holder": None, "by": "agent"}, "by agent"),
        (
            EventType.ACCESS_DENIED,
            {"reason": "NotPermittedAtThisTime"},
            "not permitted at this time",
        ),
        (EventType.AGENT_STOPPED, {"why": "SIGTERM"}, "SIGTERM"),
        (EventType.KEY_ROTATED, {"key_id": "ab", "was": "cd", "by": "agent"}, "was cd, by agent"),
        (
            EventType.STATE_ACCEPTED,
            {"file": "a.sqlite", "detail": "it is gone", "reason": "New_Card", "by": "uid:0 root"},
            "a.sqlite: it is gone, reason: New_Card, by uid:0 root",
        ),
        (
            EventType.CLOCK_SET,
            {"change": "set_back", "was": None, "utc": "2026-11-25T17:30:00.000Z", "by": "agent"},
            "set back, now 2026-11-25 17:30:00, by agent",
        ),
        (EventType.CLOCK_SET, {"change": "set_back", "utc": "soon"}, "set back, now soon"),
        (
            EventType.ACCESS_GRANTED,
            {"holder": "r-1", "score": 0.6123, "threshold": 0.552, "pack": "retail"},
            "r-1 ?, score 0.612 of 0.552",
        ),
        (EventType.ACCESS_GRANTED, {"holder": "r-1", "score": 0.5}, "r-1 ?, score 0.500"),
        (EventType.JOURNAL_CHECKPOINT, {"until": f"{100:020d}"}, "signed to 100"),
    ],
)
def test_a_row_says_what_became_of_the_door_and_why(
    kind: EventType, data: dict[str, Any], what: str
):
    moment = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
    event = Event("1", kind, moment, True, "north-entry", data)
    row = as_row(StoredEvent(1, "e", 7, event, published=False), UTC)
    assert row == ("2026-11-25 18:00:00", 7, kind.value, "north-entry", what)
