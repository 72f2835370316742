"""Whatever a kiosk may say of its parts, doors and rows is as the contract describes it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncapi import complaints, objections, payload
from door_parts import WiredDoor
from gate_parts import REGISTRY

from agent.adapters.manual_clock import ManualClock
from agent.app.open.files.stores import open_journal
from agent.app.open.site import site_of
from agent.app.threads.record.journal import Ticket
from agent.app.threads.record.status import StatusBoard
from agent.controller.effects import Effect, SetStatus
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.domain.access.part import PartKind
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Cause, Command, Mode
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.events import Event, EventDraft, EventType, cloud_event
from agent.domain.record.status import FaceStatus

ID = "0196a4f0-0000-7000-8000-000000000000"
NOW = datetime(2026, 5, 6, tzinfo=UTC)


def as_sent(event: Event) -> dict[str, Any]:
    body = cloud_event(
        event, source="/gate/lakeside/g3/north-1", epoch="7f1c2a9e04b8d6c5", sequence=1
    )
    sent: dict[str, Any] = json.loads(json.dumps(body, allow_nan=False))
    return sent


@pytest.fixture
def status(tmp_path: Path):
    """The status as it is published where the controller said so."""
    with open_journal(site_of(tmp_path, None)) as journal:
        board = StatusBoard(
            journal,
            lambda: REGISTRY,
            ManualClock(utc=NOW),
            boot_id="boot",
            faces=FaceStatus(without_pad=True),
            time=Reckoning(),
        )

        def published(said: SetStatus) -> dict[str, Any]:
            board.set(said)
            body: dict[str, Any] = json.loads(json.dumps(board.read(), allow_nan=False))
            return body

        yield published


def newest(effects: list[Effect]) -> SetStatus:
    return [one for one in effects if isinstance(one, SetStatus)][-1]


@pytest.mark.parametrize("kind", PartKind)
def test_the_fault_of_every_part_stands_in_events_and_in_the_status(kind: PartKind, status) -> None:
    name = "turnstile" if kind in (PartKind.DOOR, PartKind.FEEDBACK) else "latches"
    part = kind.part(name if kind.is_named else "")
    door = WiredDoor()
    door.tell(FaultRaised(part, "it does not work"))
    assert objections(status(SetStatus({part: "it does not work"}))) == []
    door.tell(FaultCleared(part, "agent"))
    said = [draft for draft in door.drafts() if draft.type.value.startswith("fault.")]
    assert said[0].data["part"] == part
    for draft in door.drafts():
        assert objections(as_sent(draft.with_id(ID))) == []


def test_a_door_locked_down_because_its_modes_are_gone_is_told_with_its_cause(status) -> None:
    """Before, the contract had no such cause: ``state`` stood in no list of the status."""
    door = WiredDoor()
    door.tell(FaultRaised(PartKind.STATE.part("latches"), "it is missing"))
    said = status(newest(door.log))
    assert said["causes"] == {"north-entry": "state"}
    assert objections(said) == []


@pytest.mark.parametrize("command", [Command.LOCK_DOWN, Command.FREE_PASSAGE, Command.RELEASE])
def test_a_row_that_came_late_is_described(command: Command) -> None:
    """Before, only the event of a decision could say so, and a slow disk made others say it too."""
    door = WiredDoor()
    door.ask(command)
    for draft in door.drafts():
        ticket = Ticket(draft.with_id(ID), wait=lambda written, timeout_s: None)
        assert not ticket.wait(0.0)
        sent = as_sent(ticket.event())
        assert sent["data"]["recorded_late"] is True
        assert objections(sent) == []


@pytest.mark.parametrize("kind", EventType)
def test_any_type_may_have_been_recorded_late(kind: EventType) -> None:
    ticket = Ticket(
        EventDraft(kind, NOW, clock_synced=True).with_id(ID), wait=lambda written, timeout_s: None
    )
    assert not ticket.wait(0.0)
    found = objections(as_sent(ticket.event()))
    assert not [one for one in found if "recorded_late" in one]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("cause", Cause)
def test_every_state_of_a_door_is_described(state: State, mode: Mode, cause: Cause, status) -> None:
    one = {"north-entry": state.value}, {"north-entry": mode.value}, {"north-entry": cause.value}
    assert objections(status(SetStatus({}, *one))) == []


def test_a_time_in_another_form_would_be_found() -> None:
    event = EventDraft(EventType.AGENT_STOPPED, NOW, True, None, {"why": "SIGTERM"}).with_id(ID)
    sent = as_sent(event)
    assert complaints(sent, payload("agent.stopped")) == []
    for other in ("2026-05-06T00:00:00.000000+00:00", "2026-05-06T00:00:00Z"):
        (found,) = complaints({**sent, "time": other}, payload("agent.stopped"))
        assert found.startswith(f".time: {other!r} does not fit")
    (found,) = complaints({**sent, "epoch": "7f1c2a9e"}, payload("agent.stopped"))
    assert found.startswith(".epoch: '7f1c2a9e' does not fit")


def test_what_an_event_is_of_is_named_by_its_schema() -> None:
    event = EventDraft(EventType.AGENT_STOPPED, NOW, True, None, {"why": "SIGTERM"}).with_id(ID)
    sent = as_sent(replace(event, type=EventType.AGENT_STARTED))
    assert sent["dataschema"] == "urn:gate:contract:1#agent.started"
    wrong = {**as_sent(event), "dataschema": sent["dataschema"]}
    assert [one.partition(":")[0] for one in objections(wrong)] == [".dataschema"]
