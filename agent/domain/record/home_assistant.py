"""What Home Assistant is told of a kiosk, so that it shows it: one retained message a kiosk.

It names topics that the kiosk speaks on anyway, and how to read them: nothing is said twice, and
nothing that the contract withholds. All of it is read only. No part of it is a lock, a button or
a switch, and none has a topic for commands: what Home Assistant would send there is not signed.

    status  --> state, mode, contact and alarm of each access point; what is in fault
    events  --> the last decision
    health  --> uptime, queue, disk, temperature, clock; gone where three heartbeats are missing
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.domain.door.access_point import ALARMS, State
from agent.domain.door.door_mode import Mode
from agent.domain.hours.reckoning import Certainty
from agent.domain.record.events import EventType
from agent.domain.record.topics import Topics

Component = dict[str, Any]
PREFIX = "homeassistant"
"""Where Home Assistant listens unless it was told otherwise."""

_OUTCOMES = {EventType.ACCESS_GRANTED: "granted", EventType.ACCESS_DENIED: "denied"}
_OPEN = (State.OPEN, State.HELD_OPEN, State.FORCED)
_CLOSED = (State.SECURED, State.RELEASED)
"""In any other state the door may be open or closed: it is locked down, free, or in fault."""
_MISSED_HEARTBEATS = 3
_UNAMBIGUOUS = re.compile(r"[A-Za-z0-9-]+")
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """An access point as it is shown; ``contact`` where one tells whether its door is open."""

    access_point: str
    contact: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where Home Assistant is told what."""

    topic: str
    message: Mapping[str, Any]


def device_id(topics: Topics) -> str:
    """The kiosk's name in Home Assistant, of ``A-Z a-z 0-9 _ -``; no two kiosks share one.

    Kiosks with a dot or an underscore in a name get the digest of their place as well.
    """
    names = (topics.community, topics.grid, topics.kiosk)
    plain = "_".join(("gate", *(re.sub(r"[^A-Za-z0-9-]", "-", name) for name in names)))
    if all(_UNAMBIGUOUS.fullmatch(name) for name in names):
        return plain
    return f"{plain}_{hashlib.sha256(topics.base.encode()).hexdigest()[:16]}"


def discovery_topic(topics: Topics, prefix: str) -> str:
    """Where the message is retained."""
    return f"{prefix}/device/{device_id(topics)}/config"


def discovery(
    topics: Topics, shown: Iterable[Shown], *, version: str, health_every_s: int
) -> dict[str, Any]:
    """The whole message; without heartbeats (0) there is nothing of the kiosk's health in it."""
    own = device_id(topics)
    found = _of_kiosk(topics)
    for point in shown:
        found |= _of_access_point(topics, point)
    if health_every_s:
        found |= _of_health(topics, _MISSED_HEARTBEATS * health_every_s)
    return {
        "device": {
            "identifiers": [own],
            "name": f"Gate {topics.kiosk_path}",
            "model": "Gate agent",
            "sw_version": version,
        },
        "origin": {"name": "gate-agent", "sw_version": version},
        "availability": [
            {
                "topic": topics.status,
                "value_template": "{{ 'online' if value_json.online else 'offline' }}",
            }
        ],
        "qos": 1,
        "components": {
            name: {**component, "unique_id": f"{own}_{name}"} for name, component in found.items()
        },
    }


def platforms(message: Mapping[str, Any]) -> dict[str, str]:
    """The platform of each component of a message."""
    return {name: component["platform"] for name, component in message["components"].items()}


def retiring(message: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, Any]:
    """``message``, in which what it had ``before``, and has no more, is said to be gone."""
    gone = {name: {"platform": one} for name, one in before.items()}
    return {**message, "components": {**gone, **message["components"]}}


def _of_kiosk(topics: Topics) -> dict[str, Component]:
    faults = "(value_json.faults | default({}))"
    return {
        "problem": {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": topics.status,
            "value_template": _on_off("value_json.faults", of="value_json.faults is defined"),
            "json_attributes_topic": topics.status,
            "json_attributes_template": "{{ {'parts': " + faults + " | list | sort} | tojson }}",
        },
        "decision": {
            "platform": "event",
            "name": "Last decision",
            "event_types": [*_OUTCOMES.values()],
            "state_topic": topics.event(EventType.ACCESS_GRANTED),
            "value_template": _decision(),
        },
    }


def _decision() -> str:
    """Empty for every other event of the family: Home Assistant leaves the last one standing."""
    kinds = {f"gate.{kind.value}": word for kind, word in _OUTCOMES.items()}
    said = (
        "{'event_type': kinds[value_json.type], 'reason': value_json.data.reason,"
        " 'access_point': value_json.data.access_point}"
    )
    return (
        f"{{% set kinds = {kinds} %}}"
        f"{{% if value_json.type in kinds %}}{{{{ {said} | tojson }}}}{{% endif %}}"
    )


def _of_access_point(topics: Topics, shown: Shown) -> dict[str, Component]:
    point = shown.access_point
    # Its key may not hold every character of ours; no two access points share one.
    name = point.replace("_", "__").replace(".", "_-")
    state = f"(value_json.access_points | default({{}})).get('{point}')"
    mode = f"(value_json.modes | default({{}})).get('{point}')"
    found: dict[str, Component] = {
        f"state-{name}": {
            **_enumerated(f"{point} state", State, topics.status),
            "value_template": f"{{{{ {state} }}}}",
        },
        f"mode-{name}": {
            **_enumerated(f"{point} mode", Mode, topics.status),
            "value_template": f"{{{{ {mode} }}}}",
        },
        f"alarm-{name}": {
            "platform": "binary_sensor",
            "name": f"{point} alarm",
            "device_class": "problem",
            "state_topic": topics.status,
            "value_template": _on_off(f"{state} in {_words(ALARMS)}", of=state),
        },
    }
    if shown.contact:
        told = f"{state} in {_words((*_OPEN, *_CLOSED))}"
        found[f"contact-{name}"] = {
            "platform": "binary_sensor",
            "name": f"{point} contact",
            "device_class": "door",
            "state_topic": topics.status,
            "value_template": _on_off(f"{state} in {_words(_OPEN)}", of=told),
        }
    return found


def _of_health(topics: Topics, expire_after_s: int) -> dict[str, Component]:
    queue = "value_json.queue.unpublished if value_json.queue else None"
    megabytes = f"(value_json.disk.free_bytes / {_BYTES_PER_MB}) | round(1)"
    warmest = "value_json.temperatures_c.values() | max if value_json.temperatures_c else None"
    made: dict[str, Component] = {
        "uptime": _measured("Uptime", "value_json.uptime_s", "s", "duration"),
        "queue": _measured("Events waiting", queue, "events"),
        "disk": _measured(
            "Disk free", f"{megabytes} if value_json.disk else None", "MB", "data_size"
        ),
        "temperature": _measured("Temperature", warmest, "°C", "temperature"),
        "clock": {
            **_enumerated("Clock", Certainty, topics.health),
            "value_template": "{{ value_json.clock.state }}",
        },
    }
    shared = {
        "state_topic": topics.health,
        "entity_category": "diagnostic",
        "expire_after": expire_after_s,
    }
    return {name: {**component, **shared} for name, component in made.items()}


def _measured(name: str, value: str, unit: str, device_class: str | None = None) -> Component:
    kind = {} if device_class is None else {"device_class": device_class}
    return {
        "platform": "sensor",
        "name": name,
        **kind,
        "state_class": "measurement",
        "unit_of_measurement": unit,
        "value_template": f"{{{{ {value} }}}}",
    }


def _enumerated(name: str, words: type[StrEnum], topic: str) -> Component:
    return {
        "platform": "sensor",
        "name": name,
        "device_class": "enum",
        "options": [one.value for one in words],
        "state_topic": topic,
    }


def _on_off(condition: str, *, of: str) -> str:
    """A template of ON and OFF, and of None, which is unknown, where ``of`` does not hold."""
    return f"{{{{ ('ON' if {condition} else 'OFF') if {of} else None }}}}"


def _words(states: Iterable[State]) -> str:
    return str(sorted(one.value for one in states))
