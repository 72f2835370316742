"""Draws what docs/events.md shows of the contract: where a kiosk speaks, and examples."""

import json
from typing import Any

from agent.domain.record.events import EventType
from agent.lab.contract import examples, vectors
from agent.lab.contract.document import document
from agent.lab.contract.events import EVENTS
from agent.lab.marks import between

_WIDTH = 100


def topics() -> str:
    """A row a topic that is no family of events, and one for these, as Markdown."""
    whole = document()
    head = ["| topic | | |", "|---" * 3 + "|"]
    base = examples.TOPICS.base.replace("lakeside/g3/north-1", "{community}/{grid}/{kiosk}")
    events = f"| `{base}/events/{{family}}` | QoS 1 | CloudEvents 1.0 in JSON; the family is the"
    rows = [f"{events} part before the dot of the type |"]
    for operation in whole["operations"].values():
        channel = whole["channels"][operation["channel"]["$ref"].rpartition("/")[2]]
        if "description" not in channel:
            continue
        name = operation["bindings"]["$ref"].rpartition("/")[2]
        binding = whole["components"]["operationBindings"][name]["mqtt"]
        how = f"QoS {binding['qos']}{', retained' if binding['retain'] else ''}"
        if operation["action"] == "receive":
            how = "the kiosk listens"
        rows.append(f"| `{channel['address']}` | {how} | {channel['description']} |")
    return "\n".join([*head, *rows])


def kinds() -> str:
    """A row a type of event, as Markdown."""
    rows = (f"| `{kind.value}` | {EVENTS[kind][0]} |" for kind in EventType)
    return "\n".join(["| event | |", "|---|---|", *rows])


def shown(value: Any) -> str:
    """``value`` as JSON in a block of its own, filled to the width of a page."""
    return f"```json\n{_filled(value, 0)}\n```"


def _filled(value: Any, indent: int) -> str:
    flow = json.dumps(value)
    if not isinstance(value, dict) or indent + len(flow) <= _WIDTH:
        return flow
    pad = " " * (indent + 1)
    pieces = [f"{json.dumps(key)}: {_filled(one, indent + 1)}" for key, one in value.items()]
    lines, line = [], "{" + pieces[0]
    for piece in pieces[1:]:
        if "\n" in piece or "\n" in line or len(line) + 2 + len(piece) + indent > _WIDTH:
            lines.append(f"{line},")
            line = f"{pad}{piece}"
        else:
            line = f"{line}, {piece}"
    return "\n".join([*lines, f"{line}}}"])


def page(text: str) -> str:
    """``text`` with topics, types and examples between their marks drawn anew.

    Raises:
        ValueError: a mark is missing.
    """
    drawn = {
        "topics": topics(),
        "event": shown(examples.event(EventType.ACCESS_GRANTED)),
        "kinds": kinds(),
        "status": shown(examples.status()),
        "health": shown(examples.health()),
        "links": vectors.links(),
        "numbers": vectors.numbers(),
        "checkpoint": vectors.checkpoint(),
    }
    for name, one in drawn.items():
        text = between(text, name, one)
    return text
