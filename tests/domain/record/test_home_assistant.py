"""What Home Assistant is told keeps to its rules, and gives nobody anything to switch.

The rules are facts of Home Assistant's documentation and of its schemas as they were in November
2026; each names where it stands. ``core`` is home-assistant/core, ``docs`` www.home-assistant.io.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asyncapi import complaints, payload

from agent.domain.record.events import EventType
from agent.domain.record.home_assistant import (
    PREFIX,
    Shown,
    device_id,
    discovery,
    discovery_topic,
    platforms,
    retiring,
)
from agent.domain.record.topics import Topics
from agent.lab.contract import examples

Message = dict[str, Any]
Rule = Callable[[Message], Iterator[str]]

TOPICS = Topics("lakeside", "g3", "north-1")
POINTS = (Shown("north-entry", contact=True), Shown("north.exit_2"))
MESSAGES = {
    "example": examples.home_assistant(),
    "two access points": discovery(TOPICS, POINTS, version="0.1.0", health_every_s=10),
    "no heartbeat": discovery(TOPICS, POINTS, version="0.1.0", health_every_s=0),
    "odd names": discovery(Topics("a.b", "_", "C"), POINTS, version="0.1.0", health_every_s=60),
}
SHARED_KEYS = {
    *("availability", "availability_mode", "availability_template", "availability_topic"),
    *("payload_available", "payload_not_available", "state_topic", "qos", "encoding"),
}
DEVICE_KEYS = {
    *("identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version"),
    *("serial_number", "sw_version", "via_device", "suggested_area", "configuration_url"),
}
ENTITY_KEYS = SHARED_KEYS | {
    *("platform", "unique_id", "name", "device_class", "entity_category", "enabled_by_default"),
    *("icon", "json_attributes_topic", "json_attributes_template", "value_template"),
}
OWN_KEYS = {
    "sensor": {
        *("state_class", "unit_of_measurement", "options", "expire_after", "force_update"),
        *("suggested_display_precision", "last_reset_value_template"),
    },
    "binary_sensor": {"payload_on", "payload_off", "expire_after", "force_update", "off_delay"},
    "event": {"event_types"},
}
NEEDED = {
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
}
UNITS = {
    "duration": {"d", "h", "min", "s", "ms"},
    "data_size": {"bit", "kbit", "Mbit", "Gbit", "B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB"},
    "temperature": {"°C", "°F", "K"},
    None: {"events"},
}
"""Those of the numeric device classes that are used here; without one any unit will do."""
BINARY_CLASSES = {"problem", "door", "opening", "tamper", "connectivity"}


def entities(message: Message) -> Iterator[tuple[str, Message]]:
    """Every component but those that are said to be gone."""
    for name, one in message["components"].items():
        if set(one) != {"platform"}:
            yield name, one


def whole(message: Message) -> Iterator[str]:
    if missing := {"device", "origin", "components"} - set(message):
        yield f"{missing} is missing"
    if unknown := set(message) - SHARED_KEYS - {"device", "origin", "components"}:
        yield f"{unknown} is not known"


def device(message: Message) -> Iterator[str]:
    found = message["device"]
    if not found.get("identifiers") and not found.get("connections"):
        yield "the device has nothing to be told by"
    if unknown := set(found) - DEVICE_KEYS:
        yield f"device: {unknown} is not known"


def origin(message: Message) -> Iterator[str]:
    if not message["origin"].get("name"):
        yield "the origin has no name"
    if unknown := set(message["origin"]) - {"name", "sw_version", "support_url"}:
        yield f"origin: {unknown} is not known"


def component(message: Message) -> Iterator[str]:
    for name, one in message["components"].items():
        if one.get("platform") not in OWN_KEYS:
            yield f"{name}: no platform, or none that only shows"
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
            yield f"{name!r} is no name"
    for name, one in entities(message):
        if missing := {"unique_id", *NEEDED.get(one["platform"], ())} - set(one):
            yield f"{name}: {missing} is missing"
        if unknown := set(one) - ENTITY_KEYS - OWN_KEYS.get(one["platform"], set()):
            yield f"{name}: {unknown} is not known"


def unique(message: Message) -> Iterator[str]:
    for key in ("unique_id", "name"):
        named = [one[key] for _, one in entities(message)]
        yield from (f"{key} {one} twice" for one in set(named) if named.count(one) > 1)


def availability(message: Message) -> Iterator[str]:
    if "availability_topic" in message and "availability" in message:
        yield "both ways of availability"
    for one in message["availability"]:
        if not one.get("topic"):
            yield "availability without a topic"
        keys = {"topic", "payload_available", "payload_not_available", "value_template"}
        if unknown := set(one) - keys:
            yield f"availability: {unknown} is not known"


def enumeration(message: Message) -> Iterator[str]:
    for name, one in entities(message):
        if ("options" in one) != (one.get("device_class") == "enum"):
            yield f"{name}: options go with the device class enum"
        if "options" in one and (
            not one["options"] or {"state_class", "unit_of_measurement"} & set(one)
        ):
            yield f"{name}: options are missing, or are of a figure"


def figure(message: Message) -> Iterator[str]:
    for name, one in entities(message):
        if one["platform"] != "sensor" or "options" in one:
            continue
        if one.get("state_class") not in {"measurement", "total", "total_increasing"}:
            yield f"{name}: no state class"
        if one.get("unit_of_measurement") not in UNITS.get(one.get("device_class"), ()):
            yield f"{name}: {one.get('unit_of_measurement')} is no unit of its device class"


def binary(message: Message) -> Iterator[str]:
    for name, one in entities(message):
        if one["platform"] == "binary_sensor" and one.get("device_class") not in BINARY_CLASSES:
            yield f"{name}: no such device class"


def category(message: Message) -> Iterator[str]:
    for name, one in entities(message):
        if one.get("entity_category", "diagnostic") != "diagnostic":
            yield f"{name}: what only shows is no setting"
        if not (isinstance(one.get("expire_after", 1), int) and one.get("expire_after", 1) > 0):
            yield f"{name}: expires after no time"


RULES: dict[str, tuple[str, Rule, Callable[[Message], Any]]] = {
    "whole": (
        "docs: integrations/mqtt#device-discovery-payload; core: mqtt/schemas.py",
        whole,
        lambda spoilt: spoilt.pop("origin"),
    ),
    "device": (
        "core: mqtt/schemas.py, at least one identifying value",
        device,
        lambda spoilt: spoilt["device"].update(identifiers=[]),
    ),
    "origin": (
        "docs: integrations/mqtt#adding-information-about-the-origin-of-a-discovery-message",
        origin,
        lambda spoilt: spoilt["origin"].pop("name"),
    ),
    "component": (
        "docs: integrations/mqtt#device-discovery-payload, and the page of each platform",
        component,
        lambda spoilt: spoilt["components"]["problem"].pop("unique_id"),
    ),
    "unique": (
        "docs: integrations/sensor.mqtt#unique_id",
        unique,
        lambda spoilt: spoilt["components"]["problem"].update(name="Last decision"),
    ),
    "availability": (
        "docs: integrations/mqtt#using-availability-topics",
        availability,
        lambda spoilt: spoilt["availability"][0].pop("topic"),
    ),
    "enumeration": (
        "docs: integrations/sensor.mqtt#options; core: mqtt/sensor.py",
        enumeration,
        lambda spoilt: spoilt["components"]["mode-north-entry"].update(state_class="measurement"),
    ),
    "figure": (
        "core: sensor/const.py, units and state classes by device class",
        figure,
        lambda spoilt: spoilt["components"]["disk"].update(unit_of_measurement="s"),
    ),
    "binary": (
        "docs: integrations/binary_sensor#device-class",
        binary,
        lambda spoilt: spoilt["components"]["problem"].update(device_class="enum"),
    ),
    "category": (
        "developers.home-assistant.io: core/entity#generic-properties",
        category,
        lambda spoilt: spoilt["components"]["uptime"].update(entity_category="config"),
    ),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("name", RULES)
def test_it_keeps_to_the_rules(name: str, message: Message) -> None:
    _source, rule, _ = RULES[name]
    assert list(rule(message)) == []
    assert list(rule(retiring(message, {"gone": "sensor"}))) == []


@pytest.mark.parametrize("name", RULES)
def test_each_rule_finds_what_breaks_it(name: str) -> None:
    _, rule, spoil = RULES[name]
    spoilt = copy.deepcopy(MESSAGES["example"])
    spoil(spoilt)
    assert len(list(rule(spoilt))) == 1


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from keys(inner)


WRITES = ("command_topic", "cmd_t", "command_template", "cmd_tpl", "set_position_topic")
WRITES_TOO = ("set_pos_t", "set_fan_speed_topic", "set_fan_spd_t", "payload_press", "pl_prs")
"""How keys end that Home Assistant sends by; the short ones are in core: mqtt/abbreviations.py."""


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_nothing_can_be_switched_by_it(message: Message) -> None:
    assert [key for key in keys(message) if key.endswith((*WRITES, *WRITES_TOO))] == []
    assert set(platforms(message).values()) == {"sensor", "binary_sensor", "event"}


@pytest.mark.parametrize("abbreviated", ["cmd_t", "bri_cmd_t", "pos_command_topic"])
def test_a_topic_for_commands_would_be_found(abbreviated: str) -> None:
    spoilt = copy.deepcopy(MESSAGES["example"])
    spoilt["components"]["problem"][abbreviated] = "gate/lakeside/g3/north-1/command"
    assert [key for key in keys(spoilt) if key.endswith(WRITES)] == [abbreviated]


def test_it_names_only_topics_that_the_kiosk_speaks_on() -> None:
    message = MESSAGES["two access points"]
    named = {
        one[key]
        for one in (*message["components"].values(), *message["availability"])
        for key in one
        if key.endswith("topic")
    }
    assert named == {TOPICS.status, TOPICS.health, TOPICS.event(EventType.ACCESS_GRANTED)}
    assert message["availability"][0]["topic"] == TOPICS.status


def test_where_no_heartbeat_comes_nothing_waits_for_one() -> None:
    with_it, without = MESSAGES["two access points"], MESSAGES["no heartbeat"]
    gone = set(with_it["components"]) - set(without["components"])
    assert gone == {"uptime", "queue", "disk", "temperature", "clock"}
    assert {with_it["components"][one]["expire_after"] for one in gone} == {30}
    assert TOPICS.health not in json.dumps(without)


def test_a_contact_is_shown_where_there_is_one() -> None:
    contacts = [name for name in MESSAGES["two access points"]["components"] if "contact" in name]
    assert contacts == ["contact-north-entry"]


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_it_is_as_the_contract_says(message: Message) -> None:
    sent = json.loads(json.dumps(message))
    assert complaints(sent, payload("home_assistant")) == []
    gone = retiring(sent, {"contact-west": "binary_sensor"})
    assert complaints(gone, payload("home_assistant")) == []


def test_what_was_shown_and_is_no_more_is_said_to_be_gone() -> None:
    message = MESSAGES["example"]
    found = retiring(message, {"contact-west": "binary_sensor", "problem": "binary_sensor"})
    assert found["components"]["contact-west"] == {"platform": "binary_sensor"}
    assert found["components"]["problem"] == message["components"]["problem"]
    assert "contact-west" not in message["components"]


TOPIC = r"homeassistant/device/[a-zA-Z0-9_-]+/config"
"""docs: integrations/mqtt#discovery-topic."""


def test_no_two_kiosks_share_a_topic() -> None:
    names = ("a", "b", "a_b", "a-b", "a.b", "_", ".", "-", "a_", "_a")
    kiosks = [Topics(one, two, three) for one in names for two in names for three in names]
    topics = {discovery_topic(one, PREFIX) for one in kiosks}
    assert len(topics) == len(kiosks)
    assert [one for one in topics if not re.fullmatch(TOPIC, one)] == []


def test_an_ordinary_name_can_be_read() -> None:
    assert device_id(TOPICS) == "gate_lakeside_g3_north-1"
    assert discovery_topic(TOPICS, "ha/x") == "ha/x/device/gate_lakeside_g3_north-1/config"
