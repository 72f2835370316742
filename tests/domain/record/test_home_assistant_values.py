"""What Home Assistant reads from what a kiosk really says: every template, by Jinja itself.

Home Assistant renders them in such a sandbox, leniently; here what is not defined is an error,
because there it would fill its log.
"""

import json
from typing import Any

import pytest
from places import ROOT

from agent.controller.false_grants import Probing
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Mode
from agent.domain.record.events import EventType
from agent.domain.record.home_assistant import Shown, discovery
from agent.domain.record.published import THINNED
from agent.domain.record.status import offline
from agent.lab.contract import examples

jinja2 = pytest.importorskip("jinja2", reason="jinja2 is not installed")
sandbox = pytest.importorskip("jinja2.sandbox")

POINT = examples.POINT
CORPUS = ROOT / "tests" / "domain" / "record" / "corpus"
MESSAGE = discovery(
    examples.TOPICS,
    [Shown(POINT, contact=True), Shown("exit_2.b")],
    version="0.1.0",
    health_every_s=60,
)
PERSONAL = ("holder", "anna", "pass", "name", "score", "temperature", "by", "direction", "factors")


def render(template: str, said: dict[str, Any]) -> str:
    environment = sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    crossed = json.loads(json.dumps(said))
    text: str = environment.from_string(template).render(value=json.dumps(said), value_json=crossed)
    return text.strip()


def read(component: str, said: dict[str, Any]) -> str:
    return render(MESSAGE["components"][component]["value_template"], said)


def status(**changed: Any) -> dict[str, Any]:
    return {**examples.status(), **changed}


def recorded() -> list[dict[str, Any]]:
    """What real kiosks said."""
    files = sorted(CORPUS.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.mark.parametrize(
    ("said", "expected"),
    [(examples.status(), "online"), (offline("lost"), "offline"), (offline("stopped"), "offline")],
)
def test_the_will_makes_it_unavailable(said: dict[str, Any], expected: str) -> None:
    (availability,) = MESSAGE["availability"]
    assert render(availability["value_template"], said) == expected


@pytest.mark.parametrize("state", State)
def test_a_state_is_one_of_its_options(state: State) -> None:
    said = status(access_points={POINT: state.value, "exit_2.b": State.OPEN.value})
    assert read(f"state-{POINT}", said) == state.value
    assert state.value in MESSAGE["components"][f"state-{POINT}"]["options"]
    assert read("state-exit__2_-b", said) == "open"


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_is_one_of_its_options(mode: Mode) -> None:
    assert read(f"mode-{POINT}", status(modes={POINT: mode.value})) == mode.value
    assert mode.value in MESSAGE["components"][f"mode-{POINT}"]["options"]


CONTACT = {
    State.SECURED: "OFF",
    State.RELEASED: "OFF",
    State.OPEN: "ON",
    State.HELD_OPEN: "ON",
    State.FORCED: "ON",
    State.LOCKED_DOWN: "None",
    State.FREE_PASSAGE: "None",
    State.FAULT: "None",
}


@pytest.mark.parametrize("state", State)
def test_contact_and_alarm_follow_the_state(state: State) -> None:
    said = status(access_points={POINT: state.value})
    assert read(f"contact-{POINT}", said) == CONTACT[state]
    alarm = "ON" if state in (State.FORCED, State.HELD_OPEN) else "OFF"
    assert read(f"alarm-{POINT}", said) == alarm


def test_a_fault_is_a_problem_and_its_part_is_named() -> None:
    attributes = MESSAGE["components"]["problem"]["json_attributes_template"]
    faults = {"disk": "full", "camera:front": "no frame for 5 s"}
    assert read("problem", status(faults=faults)) == "ON"
    assert json.loads(render(attributes, status(faults=faults))) == {
        "parts": ["camera:front", "disk"]
    }
    assert read("problem", status(faults={})) == "OFF"
    assert json.loads(render(attributes, status(faults={}))) == {"parts": []}


@pytest.mark.parametrize("reason", ["lost", "stopped"])
def test_of_a_kiosk_that_is_gone_nothing_is_known(reason: str) -> None:
    shown = [
        name
        for name, one in MESSAGE["components"].items()
        if one["state_topic"] == examples.TOPICS.status
    ]
    assert len(shown) == 8
    assert {read(name, offline(reason)) for name in shown} == {"None"}
    attributes = MESSAGE["components"]["problem"]["json_attributes_template"]
    assert json.loads(render(attributes, offline(reason))) == {"parts": []}


def test_an_access_point_that_is_gone_is_unknown() -> None:
    said = status(access_points={}, modes={})
    for kind in ("state", "mode", "alarm", "contact"):
        assert read(f"{kind}-{POINT}", said) == "None"


@pytest.mark.parametrize("kind", EventType)
def test_only_a_decision_is_the_last_decision(kind: EventType) -> None:
    found = read("decision", examples.event(kind))
    if kind not in (EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED):
        # Empty: Home Assistant leaves what stands.
        assert found == ""
        return
    granted = kind is EventType.ACCESS_GRANTED
    assert json.loads(found) == {
        "event_type": "granted" if granted else "denied",
        "reason": None if granted else "NoMatch",
        "access_point": POINT,
    }


def test_a_decision_tells_nobody_who_it_was() -> None:
    said = examples.event(EventType.ACCESS_DENIED)
    said["data"] |= dict.fromkeys(THINNED, "anna") | {"holder": "anna", "pass": "anna"}
    found = read("decision", said)
    assert set(json.loads(found)) == {"event_type", "reason", "access_point"}
    assert [word for word in PERSONAL if word in found] == []


def test_every_decision_that_was_ever_recorded_is_read() -> None:
    types = MESSAGE["components"]["decision"]["event_types"]
    attempts = [one for one in recorded() if str(one.get("type")).startswith("gate.access.")]
    decided = [one for one in attempts if read("decision", one)]
    assert len(decided) < len(attempts)
    assert {json.loads(read("decision", one))["event_type"] for one in decided} == set(types)
    for one in decided:
        found = json.loads(read("decision", one))
        assert found["reason"] == one["data"]["reason"]
        assert found["access_point"] == one["data"]["access_point"]


def test_every_status_and_heartbeat_that_was_ever_recorded_is_read() -> None:
    components = MESSAGE["components"].items()
    said = [one for one in recorded() if "online" in one or "uptime_s" in one]
    assert any(one.get("online") for one in said)
    assert any("uptime_s" in one for one in said)
    for one in said:
        topic = examples.TOPICS.status if "online" in one else examples.TOPICS.health
        for name, component in components:
            if component["state_topic"] == topic:
                assert read(name, one)


def test_the_health_is_in_the_units_that_were_promised() -> None:
    said = examples.health()
    assert read("uptime", said) == "7200.0"
    assert read("queue", said) == "0"
    assert read("disk", said) == "21474.8"
    assert read("temperature", said) == "51.1"
    assert read("clock", said) == "settled"


def test_the_warmest_sensor_counts_and_none_is_unknown() -> None:
    said = examples.health()
    said["temperatures_c"] = {"cpu-thermal": 51.1, "nvme": 60.5}
    assert read("temperature", said) == "60.5"
    said |= {"temperatures_c": {}, "queue": None, "disk": None}
    assert [read(name, said) for name in ("temperature", "queue", "disk")] == ["None"] * 3


def test_a_kiosk_with_nothing_waiting_has_no_unknown_queue() -> None:
    said = examples.health()
    assert said["queue"]["unpublished"] == 0
    assert read("queue", said) == "0"


def test_probing_and_scores_stay_where_they_are() -> None:
    said = json.dumps(MESSAGE)
    assert Probing.SUSPECTED.value not in said
    assert [word for word in ("score", "threshold", "holder", "false_grants") if word in said] == []
