"""A technician tries lights and voice, and releases a door for a reason: on the whole kiosk."""

import pytest
from gate_parts import Gate

from agent.controller.effects import Hold, Indicate, Record, Release
from agent.controller.inputs import Commanded, TriedOut
from agent.domain.access.indication import Indication, Outcome
from agent.domain.door.door_mode import Command
from agent.domain.record.events import EventType


@pytest.mark.parametrize("outcome", [Outcome.GRANTED, Outcome.DENIED])
def test_what_is_tried_out_is_shown_and_moves_and_writes_nothing(outcome: Outcome) -> None:
    gate = Gate()
    gate.wait(1)
    effects = gate.tell(TriedOut("north-entry", outcome))
    assert Indicate(Indication("north-entry", outcome)) in effects
    gate.wait(10)
    assert not [one for one in gate.log if isinstance(one, Release | Hold | Record)]


@pytest.mark.parametrize("reason", [None, "a parcel"])
def test_why_a_door_was_released_stands_in_its_event(reason: str | None) -> None:
    gate = Gate()
    effects = gate.tell(Commanded(Command.RELEASE, "north-entry", "uid:0 root", reason=reason))
    (event,) = (
        one.draft
        for one in effects
        if isinstance(one, Record) and one.draft.type is EventType.DOOR_RELEASED
    )
    assert event.data.get("reason") == reason
    assert ("reason" in event.data) is (reason is not None)
    assert [one for one in effects if isinstance(one, Release)]
