"""A row of the journal as it goes out: what the outbox sends and a range's answer repeats."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from agent.domain.record.message import as_json, payload
from agent.domain.record.published import Trace
from agent.domain.record.topics import Topics
from agent.ports import StoredEvent

Wire = Callable[[StoredEvent], bytes]
"""From a row to the bytes of its message, the same each time."""


def wire(topics: Topics, trace: Trace) -> Wire:
    """How rows go out from here, with as much of a decision as ``trace`` lets out."""
    return lambda row: payload(row.event, row.place(topics.source), trace, quick_json)


def quick_json(data: Mapping[str, Any]) -> str:
    """``as_json`` in a third of its time; a small number may be written without its exponent."""
    try:
        text = to_json(data)
    except PydanticSerializationError:  # half a character
        return as_json(data)
    return text.decode() if text.isascii() else as_json(data)
