"""config/asyncapi.yaml as a value: topics, who speaks on them and how, and every message."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from agent.config.tables.broker import BrokerConfig
from agent.domain.record.events import CONTRACT, EventType
from agent.domain.record.home_assistant import PREFIX
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.lab.contract import examples, registry, standing
from agent.lab.contract.events import EVENTS, payload_of
from agent.lab.contract.schema import Schema, ref
from agent.lab.contract.shared import NAME_WORDS, SHARED

_TOPICS = Topics("{community}", "{grid}", "{kiosk}")
_JSON = "application/json"
_SAYS = """\
What a kiosk publishes on its community's MQTT broker, and the little that it listens to: the
answer to its own question for the time, where its config names the key that signs it, signed
commands, where its config has keys for them (docs/commands.md has their bytes), updates of the
community's registry likewise, and announcements, where it has a voice. Nothing else from the
broker moves an output.

Events are CloudEvents 1.0 in JSON (structured mode), QoS 1, not retained.

- At least once: a repeat has the same `id`; drop repeats by it.
- `epoch` and `sequence` name an event's place in its kiosk's stream; a pair never repeats.
  Within an epoch events come by rising `sequence`, and a gap means that something is missing:
  still under way, refused by the broker, or lost with a damaged journal.
- A new epoch begins with 1 where the kiosk had to set its journal aside, or found an older
  copy in its place.
- With MQTT 3.1.1 a broker silently acknowledges what its ACL denies, and the event is gone;
  only the gap tells. Kiosks speak MQTT 5 by default, which says so.
- Never in an event, a status or a heartbeat: a name, an ID number, a template, a photograph.
- `dataschema` names the version of this contract. Within one, keys, words and types of events
  are only added: ignore what you don't know. None is removed, narrowed or changes its meaning.
"""


def _family(kind: EventType) -> str:
    return kind.value.partition(".")[0]


_FAMILIES = {
    family: list(kinds) for family, kinds in groupby(sorted(EventType, key=_family), key=_family)
}


def document() -> dict[str, Any]:
    """The AsyncAPI 3.0 document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gate agent",
            "version": f"{CONTRACT}.0.0",
            "license": {"name": "Apache-2.0"},
            "description": _SAYS,
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {"community": _server()},
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "parameters": {
                "community": {"description": NAME_WORDS},
                "grid": {"description": "a group of buildings; likewise"},
                "kiosk": {"description": "one kiosk of the grid; likewise"},
                "prefix": {"description": f"[broker] discovery_prefix; {PREFIX} by default"},
                "device": {"description": "gate_, and the kiosk's three names between _"},
            },
            "operationBindings": {
                "once": {"mqtt": {"qos": 1, "retain": False}},
                "retained": {"mqtt": {"qos": 1, "retain": True}},
                "lossy": {"mqtt": {"qos": 0, "retain": False}},
            },
            "messages": messages(),
            "schemas": {
                **SHARED,
                "status": standing.STATUS,
                "offline": standing.OFFLINE,
                "health": standing.HEALTH,
                "keys": standing.KEYS,
                "home_assistant": standing.HOME_ASSISTANT,
                "announcement": standing.ANNOUNCEMENT,
            },
        },
    }


def messages() -> dict[str, Any]:
    """Every message by its name, with its payload and an example of it."""
    said = {
        kind.value: {
            "summary": EVENTS[kind][0],
            "payload": payload_of(kind),
            "examples": [{"payload": examples.event(kind)}],
        }
        for kind in EventType
    }
    return {**said, **_other_messages()}


def _other_messages() -> dict[str, Any]:
    nonce: Schema = {"type": "string", "description": "16 random bytes"}
    answer: Schema = {"type": "string", "description": standing.TIME_ANSWER_SAYS}
    made: dict[str, Any] = {
        "time.request": {"contentType": "application/octet-stream", "payload": nonce},
        "time.answer": {"contentType": "application/cose", "payload": answer},
        "command": {
            "summary": "A signed command: once, within its time, by a key with the right.",
            "contentType": "application/cose",
            "payload": {"type": "string", "description": "COSE_Sign1: docs/commands.md"},
        },
        "reply": {
            "summary": "The kiosk's signed answer to a command.",
            "contentType": "application/octet-stream",
            "payload": {"type": "string", "description": "COSE_Sign1: docs/commands.md"},
        },
        "event.again": {
            "summary": "A stored event, as it was published, for whoever asked for a range.",
            "contentType": _JSON,
            "payload": {"type": "string", "description": "its text, as in a topic of events"},
        },
        **registry.MESSAGES,
        "announcement": {
            "summary": "Something to say to whoever stands at a gate.",
            "contentType": _JSON,
            "description": standing.ANNOUNCEMENT_SAYS,
            "payload": ref("announcement"),
        },
        "status.online": {
            "summary": "How the kiosk stands; said again whenever that changes.",
            "contentType": _JSON,
            "payload": ref("status"),
        },
        "status.offline": {
            "summary": "The agent ended (stopped), or the broker lost it (the last will).",
            "contentType": _JSON,
            "payload": ref("offline"),
        },
        "keys": {
            "summary": "The public halves of the kiosk's own keys.",
            "contentType": _JSON,
            "description": standing.KEYS_SAYS,
            "payload": ref("keys"),
        },
        "health": {
            "summary": "The kiosk lives; figures by which somebody sees trouble come.",
            "contentType": _JSON,
            "payload": ref("health"),
        },
        "home_assistant": {
            "summary": "What Home Assistant can show of the kiosk; nothing to switch.",
            "contentType": _JSON,
            "description": standing.HOME_ASSISTANT_SAYS,
            "payload": ref("home_assistant"),
        },
    }
    for name, shown in examples.others().items():
        made[name]["examples"] = [{"payload": one} for one in shown]
    return made


def _server() -> dict[str, Any]:
    will = json.dumps(offline("lost"), separators=(",", ":"))
    return {
        "host": "broker.lakeside.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "bindings": {
            "mqtt": {
                "cleanSession": True,
                "keepAlive": BrokerConfig.model_fields["keepalive_s"].default,
                "lastWill": {"topic": _TOPICS.status, "qos": 1, "retain": True, "message": will},
            }
        },
    }


def _channels() -> dict[str, Any]:
    families = {
        family: _channel(_TOPICS.event(kinds[0]), [kind.value for kind in kinds])
        for family, kinds in _FAMILIES.items()
    }
    return {
        **families,
        "status": _channel(
            _TOPICS.status,
            ("status.online", "status.offline"),
            "Retained, what stands now; also the last will.",
        ),
        "health": _channel(
            _TOPICS.health, ("health",), "Each minute, unless the config says otherwise."
        ),
        "keys": _channel(_TOPICS.keys, ("keys",), "Retained; said with every connection."),
        "homeAssistant": _channel(
            "{prefix}/device/{device}/config",
            ("home_assistant",),
            "With `[broker] home_assistant = true`; empty, which takes it back, once it is false.",
        ),
        "timeRequest": _channel(
            _TOPICS.time_request,
            ("time.request",),
            "A kiosk whose clock nobody keeps asks for the time.",
        ),
        "timeAnswer": _channel(
            _TOPICS.time_answer,
            ("time.answer",),
            "Within 5 s of the question; never retained.",
        ),
        "commands": _channel(
            _TOPICS.commands,
            ("command",),
            "To this kiosk; never retained. MQTT 5's response topic and correlation data count.",
        ),
        "commandsToAll": _channel(
            _TOPICS.commands_to_all,
            ("command",),
            "To a grid or the whole community: the command says to which.",
        ),
        "replies": _channel(
            _TOPICS.replies,
            ("reply",),
            "Or a topic below it, where the command's response topic names one.",
        ),
        "ranges": _channel(
            _TOPICS.ranges,
            ("event.again",),
            "Events again, one a message, as the command `range` asked; paced.",
        ),
        "registryUpdate": _channel(
            _TOPICS.registry,
            ("registry.update",),
            "With `[registry]` in the config: docs/registry-sync.md.",
        ),
        "registryRequest": _channel(
            _TOPICS.registry_request,
            ("registry.request",),
            "When it connects, and for what lacks.",
        ),
        "registryReceipts": _channel(
            _TOPICS.registry_receipts,
            ("registry.receipt",),
            "Sent again each minute until it is acknowledged.",
        ),
        "announceHere": _channel(
            _TOPICS.announce,
            ("announcement",),
            "What to say aloud at this kiosk; makes sound and moves no output.",
        ),
        "announceToAll": _channel(
            _TOPICS.announce_to_all,
            ("announcement",),
            "What to say aloud at every kiosk of the community.",
        ),
    }


def _channel(address: str, names: Iterable[str], says: str = "") -> dict[str, Any]:
    described = {"description": says} if says else {}
    places = [
        one for one in ("community", "grid", "kiosk", "prefix", "device") if f"{{{one}}}" in address
    ]
    return {
        "address": address,
        **described,
        "parameters": {one: {"$ref": f"#/components/parameters/{one}"} for one in places},
        "messages": {
            name.rpartition(".")[2]: {"$ref": f"#/components/messages/{name}"} for name in names
        },
    }


def _operations() -> dict[str, Any]:
    families = {f"publish{one.capitalize()}": _operation("send", one) for one in _FAMILIES}
    answer = {"reply": {"channel": {"$ref": "#/channels/timeAnswer"}}}
    reply = {"reply": {"channel": {"$ref": "#/channels/replies"}}}
    return {
        **families,
        "publishStatus": _operation("send", "status", "retained"),
        "publishHealth": _operation("send", "health", "lossy"),
        "publishKeys": _operation("send", "keys", "retained"),
        "tellHomeAssistant": _operation("send", "homeAssistant", "retained"),
        "askTime": {**_operation("send", "timeRequest"), **answer},
        "hearTime": _operation("receive", "timeAnswer"),
        "obey": {**_operation("receive", "commands"), **reply},
        "obeyWithAll": {**_operation("receive", "commandsToAll"), **reply},
        "answerCommand": _operation("send", "replies"),
        "sayAgain": _operation("send", "ranges"),
        "hearRegistry": _operation("receive", "registryUpdate"),
        "askRegistry": _operation("send", "registryRequest"),
        "answerRegistry": _operation("send", "registryReceipts"),
        "hearAnnouncement": _operation("receive", "announceHere"),
        "hearAnnouncementToAll": _operation("receive", "announceToAll"),
    }


def _operation(action: str, channel: str, binding: str = "once") -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"$ref": f"#/components/operationBindings/{binding}"},
    }
