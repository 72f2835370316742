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
            "mode locked_down, cause command, by uid:0 root",
        ),
        (EventType.DOOR_RELEASED, {"cause": "rex", "by": "agent"}, "cause rex, by agent"),
        (
            EventType.FAULT_RAISED,
            {"part": "tamper:box", "detail": "the housing is open"},
            "part tamper:box, detail the housing is open",
        ),
        (EventType.PASSBACK_FORGIVEN, {"holder": None, "by": "agent"}, "by agent"),
    ],
)
def test_a_row_says_what_became_of_the_door_and_why(
    kind: EventType, data: dict[str, Any], what: str
):
    moment = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
    event = Event("1", kind, moment, True, "north-entry", data)
    row = as_row(StoredEvent(1, "e", 7, event, published=False), UTC)
    assert row == ("2026-11-25 18:00:00", 7, kind.value, "north-entry", what)
