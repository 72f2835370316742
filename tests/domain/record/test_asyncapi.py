"""config/asyncapi.yaml says what is published: no more, no less, of what the code really makes."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pass_parts
import pytest
from asyncapi import complaints, contract, payload, whole
from door_parts import WiredDoor
from gate_parts import ALONE_RULE, Gate
from gate_parts import ANNA as ANNA_ID

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.keys import init_key
from agent.adapters.store.latches import SqliteLatches
from agent.app.desk.rotation import rotate
from agent.app.desk.state import accept_file
from agent.app.open.files.state import LATCHES
from agent.app.open.files.state import REGISTRY as REGISTRY_FILE
from agent.app.open.files.stores import Key, open_journal, open_registry
from agent.app.open.site import instant, site_of
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.record.losses import Losses
from agent.cli.passes import trust
from agent.cli.running import models
from agent.controller.door import DoorSettings
from agent.controller.effects import Record
from agent.controller.inputs import (
    ClockTold,
    CredentialShown,
    FaultCleared,
    FaultRaised,
    Forgiven,
    Observed,
    TemperatureRead,
    Tick,
    WalkTestBegun,
    WalkTestEnded,
)
from agent.controller.kiosk import Kiosk
from agent.controller.lane import LaneSettings
from agent.controller.settings import KioskSettings
from agent.credentials.passes.issuers import IssuerKey
from agent.domain.access.part import Part, PartKind, pattern
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule
from agent.domain.credential.card import Card
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.credential.presented import CardPresented, PassPresented
from agent.domain.credential.reason import Reason
from agent.domain.door.antipassback import Area, PassbackMode
from agent.domain.door.door_mode import Command
from agent.domain.hours.reckoning import ClockChange
from agent.domain.record.events import Event, EventDraft, EventType, cloud_event
from agent.domain.record.published import THINNED
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.domain.sight.operating_point import OperatingPoint
from agent.domain.sight.track import Box, Candidate, FaceSample, FaceTrack, Observation
from agent.domain.skin.reading import TemperatureReading

TOPICS = Topics("{community}", "{grid}", "{kiosk}")
EPOCH = "7f1c2a9e04b8d6c5"
ANNA = Holder(HolderId("anna"), "Anna", "resident")
REGISTRY = Registry(
    revision=1,
    holders={ANNA.id: ANNA},
    references=1,
    operating=OperatingPoint(-0.5, 1e-3, extrapolated=False, sufficient=True),
    too_close=frozenset(),
    pack="dlib",
    pack_version="1",
)
LANE = LaneSettings("north-entry", "entry", "front", "turnstile")
DOOR = DoorSettings("turnstile", pulse_s=3.0, max_pulse_s=10.0)
SETTINGS = KioskSettings(
    (LANE,), (DOOR,), (Rule(frozenset({"resident"})),), "boot", accept_no_pad=True
)
NO_AGENT = {
    *(EventType.AGENT_STARTED, EventType.AGENT_STOPPED, EventType.RULES_CHANGED),
    EventType.JOURNAL_CHECKPOINT,
    *(EventType.COMMAND_DONE, EventType.COMMAND_REFUSED),
    *(EventType.COMMAND_FAILED, EventType.COMMAND_INTERRUPTED),
    *(EventType.REGISTRY_UPDATED, EventType.REGISTRY_REFUSED),
}
"""Only a whole agent says these: tests/real holds them against the same file."""


def test_every_reference_leads_somewhere() -> None:
    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            node = list(node.values())
        if isinstance(node, list):
            for inner in node:
                yield from walk(inner)

    references = list(walk(contract()))
    assert len(references) > 50
    for reference in references:
        assert whole({"$ref": reference})


def test_the_reasons_are_those_of_the_code() -> None:
    assert contract()["components"]["schemas"]["reason"]["enum"] == [r.value for r in Reason]


def test_the_part_of_a_fault_is_that_of_the_code() -> None:
    assert contract()["components"]["schemas"]["part"]["pattern"] == pattern()


@pytest.mark.parametrize("kind", PartKind)
@pytest.mark.parametrize("message", ["fault.raised", "fault.cleared"])
def test_a_fault_of_every_kind_is_described(kind: PartKind, message: str) -> None:
    part = kind.part("north-1" if kind.is_named else "")
    clock, kiosk = ManualClock(), Kiosk(SETTINGS, REGISTRY)
    recorded = drafts(kiosk.handle(FaultRaised(part, "it does not work"), clock.now()))
    recorded += drafts(kiosk.handle(FaultCleared(part, "agent"), clock.now()))
    said = next(draft for draft in recorded if draft.type.value == message)
    event = said.with_id("0196a4f0-0000-7000-8000-000000000000")
    body = cloud_event(event, source="/gate/lakeside/g3/north-1", epoch=EPOCH, sequence=1)
    assert complaints(json.loads(json.dumps(body)), payload(message)) == []


def test_the_last_will_is_that_of_the_code() -> None:
    will = contract()["servers"]["community"]["bindings"]["mqtt"]["lastWill"]
    assert json.loads(will["message"]) == offline("lost")
    assert (will["topic"], will["qos"], will["retain"]) == (TOPICS.status, 1, True)


# --- what is really said -------------------------------------------------------------------------


def attempt(holder: HolderId | None, temperature_c: float | None = None) -> list[EventDraft]:
    """What a kiosk records when somebody stands before it until they are judged."""
    clock, kiosk = ManualClock(), Kiosk(SETTINGS, REGISTRY)
    if temperature_c is not None:
        reading = TemperatureReading(temperature_c, clock.now().monotonic_s)
        kiosk.handle(TemperatureRead(reading), clock.now())
    samples: list[FaceSample] = []
    recorded: list[EventDraft] = []
    for number in range(20):
        now_s = clock.now().monotonic_s
        best = Candidate(holder, -0.3) if holder else None
        samples.append(FaceSample(now_s, bytes([number]), best, None))
        track = FaceTrack(1, Box(0, 0, 99, 99), now_s, now_s, tuple(samples))
        seen = Observed(Observation("front", now_s, track, {"detect": 1.25}, 1))
        recorded += drafts(kiosk.handle(seen, clock.now()))
        clock.advance(0.1)
    return recorded


def strangers() -> list[EventDraft]:
    """What is told of thirty who step aside before they are judged."""
    clock, kiosk = ManualClock(), Kiosk(SETTINGS, REGISTRY)
    effects = list(kiosk.start(clock.now()))
    for number in range(1, 31):
        now = clock.now()
        best = Candidate(ANNA.id, -0.8)
        sample = FaceSample(now.monotonic_s, str(number).encode(), best, None)
        track = FaceTrack(number, Box(0, 0, 99, 99), now.monotonic_s, now.monotonic_s, (sample,))
        seen = Observation("front", now.monotonic_s, track, {}, REGISTRY.revision)
        effects += kiosk.handle(Observed(seen), now)
        clock.advance(5.0)
    return drafts(effects)


def passes() -> list[EventDraft]:
    """Passes that are shown alone: believed, forged, and one whose time runs out."""
    clock = ManualClock(utc=pass_parts.NOW)
    kiosk, recorded = Kiosk(SETTINGS, REGISTRY), []
    shown = [
        PassPresented(1, 0.0, pass_parts.claims(communities=frozenset({"elsewhere"}))),
        PassPresented(2, 0.0, reason=Reason.CREDENTIAL_FORGED),
        PassPresented(3, 0.0, pass_parts.claims()),
    ]
    for one in shown:
        recorded += drafts(kiosk.handle(CredentialShown("north-entry", one), clock.now()))
        clock.advance(20.0)
    return recorded + drafts(kiosk.handle(Tick(), clock.now()))


def drafts(effects: Any) -> list[EventDraft]:
    return [effect.draft for effect in effects if isinstance(effect, Record)]


def faults() -> list[EventDraft]:
    clock, kiosk = ManualClock(), Kiosk(SETTINGS, REGISTRY)
    raised = kiosk.handle(FaultRaised(Part("camera:front"), "no frame"), clock.now())
    return drafts(raised) + drafts(
        kiosk.handle(FaultCleared(Part("camera:front"), "x"), clock.now())
    )


def clock_set() -> list[EventDraft]:
    clock, kiosk = ManualClock(), Kiosk(SETTINGS, REGISTRY)
    said = [kiosk.handle(Tick(), clock.now())]
    for change in ClockChange:
        word = ClockTold(clock.now().utc, change, "uid:0 root", "the router was wrong")
        said.append(kiosk.handle(word, clock.now()))
    return [one for effects in said for one in drafts(effects)]


def doors() -> list[EventDraft]:
    """What a wired door says: used and unused grants, alarms, commands, duress."""
    door = WiredDoor(areas=(Area("garden", PassbackMode.SOFT),))
    for used in (True, False):
        door.grant()
        if used:
            door.press("contact")
        door.wait(5)
    door.set("contact")
    door.wait(1)
    door.set("contact", active=False)
    door.press("rex")
    door.set("contact")
    door.wait(40)
    door.press("duress")
    door.press("tamper")
    door.press("fire")
    door.ask(Command.LOCK_DOWN)
    door.tell(Forgiven(None, "uid:0 root"))
    stile = WiredDoor(wired=("passage",))
    stile.press("passage")
    return door.drafts() + stile.drafts()


def _of_an_earlier_version(path: Path) -> None:
    SqliteLatches(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE standing")


def lost() -> Event:
    """What a journal gets to hear of events that found no room in memory."""
    line = FaultLine(PartKind.EVENTS.part(), lambda _: None)
    losses = Losses(line, lambda _: "0196a4f0-0000-7000-8000-000000000000")
    for draft in faults():
        losses.add(draft.with_id("0196a4f0-0000-7000-8000-000000000001"))
    return losses.event()


def locked() -> list[EventDraft]:
    """What a pass says that three strangers were compared with."""
    gate = Gate()
    for number in range(3):
        gate.show()
        gate.stand(HolderId(f"stranger.{number}"), 2.0)
        gate.wait(16)
    return drafts(gate.log)


def guessed() -> list[EventDraft]:
    """What somebody says of ten cards that nobody has."""
    gate = Gate()
    for number in range(10):
        shown = CardPresented(number, gate.clock.now().monotonic_s, f"{number:064x}")
        gate.tell(CredentialShown("north-entry", shown))
    return drafts(gate.log)


def walked() -> list[EventDraft]:
    gate = Gate(ALONE_RULE)
    gate.tell(WalkTestBegun("one", ("north-entry",), "uid:997 gate-agent", 600.0))
    gate.stand(ANNA_ID)
    gate.stand(HolderId("a stranger"), 4.0)
    gate.tell(WalkTestEnded("uid:997 gate-agent"))
    return drafts(gate.log)


def stored(state: Path) -> list[Event]:
    """What commands and a broken journal leave in a journal, by way of the registry."""
    site = site_of(state, None)
    state.mkdir(mode=0o700, exist_ok=True)
    _of_an_earlier_version(LATCHES.at(state))
    (state / "journal.sqlite").write_bytes(b"no database" * 100)
    init_key(site.key_file)
    with open_journal(site, may_set_aside=True), open_registry(site, Key.NEEDED) as registry:
        registry.put(ANNA, by="uid:0 root", now=instant(site))
        registry.enrol(replace(ANNA, enabled=False), [], by="uid:0 root", now=instant(site))
        registry.bind_document(ANNA.id, "ab" * 32, by="uid:0 root", now=instant(site))
        registry.bind_card("cd" * 32, Card(ANNA.id), by="uid:0 root", now=instant(site))
        registry.remove(ANNA.id, by="uid:0 root", now=instant(site))
        issuer = IssuerKey("office", pass_parts.KEY.public_key())
        registry.put_issuer(issuer, by="uid:0 root", now=instant(site))
        registry.remove_issuer(issuer.key_id.hex(), by="uid:0 root", now=instant(site))
        registry.revoke(pass_parts.claims().id, by="uid:0 root", now=instant(site))
    rotate(site, lambda *_: None, by="uid:0 root")
    REGISTRY_FILE.at(state).write_bytes(b"")
    accept_file(site, REGISTRY_FILE.name, "a new card", "uid:0 root")
    models._record(state, "dlib", "installed", "1")
    models._record(state, "dlib", "removed", None)
    trust._record(state, "eu", "installed", 3)
    trust._record(state, "eu", "removed", None)
    with open_journal(site) as journal:
        return [row.event for row in journal.read()]


@pytest.fixture
def said(tmp_path: Path) -> list[dict[str, Any]]:
    """One event or more of every type that needs no running agent, as a broker gets them."""
    recorded = [
        *attempt(ANNA.id),
        *attempt(ANNA.id, 36.5),
        *attempt(None),
        *strangers(),
        *passes(),
        *locked(),
        *guessed(),
        *walked(),
        *faults(),
        *doors(),
        *clock_set(),
    ]
    events = [draft.with_id("0196a4f0-0000-7000-8000-000000000000") for draft in recorded]
    source = Topics("lakeside", "g3", "north-1").source
    return [
        cloud_event(event, source=source, epoch=EPOCH, sequence=n)
        for n, event in enumerate([*events, lost(), *stored(tmp_path / "state")], 1)
    ]


def test_what_is_said_is_what_is_described(said: list[dict[str, Any]]) -> None:
    kinds = {event["type"].removeprefix("gate.") for event in said}
    assert kinds == {kind.value for kind in set(EventType) - NO_AGENT}
    for event in said:
        body = json.loads(json.dumps(event))
        assert complaints(body, payload(event["type"].removeprefix("gate."))) == []


def test_what_is_left_out_of_a_trace_is_described_and_need_not_be_there(
    said: list[dict[str, Any]],
) -> None:
    attempts = [event for event in said if event["type"].startswith("gate.access.")]
    attempts = [event for event in attempts if "score" in event["data"]]
    assert {event["type"] for event in attempts} == {"gate.access.granted", "gate.access.denied"}
    described = set(contract()["components"]["schemas"]["access"]["properties"])
    for event in attempts:
        assert set(event["data"]) >= THINNED
        assert described >= THINNED
        thinned = {key: value for key, value in event["data"].items() if key not in THINNED}
        thin = {**event, "data": thinned}
        assert complaints(thin, payload(event["type"].removeprefix("gate."))) == []
        required = contract()["components"]["schemas"]["access"]["required"]
        assert set(required) | {"holder", "pass"} == set(thin["data"])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ({"sequence": "1"}, ".sequence: '1' does not fit"),
        ({"name": "Anna"}, ".name is not described"),
        ({"type": "gate.access.opened"}, ".type: 'gate.access.opened' is not"),
        ({"data": {"frames": 3.5}}, ".data.frames: 3.5 is no integer"),
        ({"data": {"frames": True}}, ".data.frames: True is no integer"),
        ({"data": {"holder": "no such id!"}}, ".data.holder: 'no such id!' does not fit"),
        ({"data": {"reason": "NoMatch"}}, ".data.reason: 'NoMatch' is not None"),
        ({"data": {"direction": "up"}}, ".data.direction: 'up' is none of"),
    ],
)
def test_another_event_would_be_found(
    said: list[dict[str, Any]], spoil: dict[str, Any], complaint: str
) -> None:
    granted = said[0]
    spoilt = {**granted, **spoil, "data": {**granted["data"], **spoil.get("data", {})}}
    found = complaints(spoilt, payload("access.granted"))
    assert len(found) == 1
    assert found[0].startswith(complaint)


@pytest.mark.parametrize("key", ["id", "epoch", "data.recorded_late", "data.clock_synced"])
def test_a_missing_key_would_be_found(said: list[dict[str, Any]], key: str) -> None:
    granted = {**said[0], "data": dict(said[0]["data"])}
    outer, _, inner = key.rpartition(".")
    del (granted[outer] if outer else granted)[inner]
    assert complaints(granted, payload("access.granted")) == [f".{key} is missing"]
