"""JSON Schemas as the contract needs them: short to write, each with its word for a reader.

Drafts 4 to 2020 agree on every keyword that is used here, and AsyncAPI's own dialect is one of
them.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

Schema = dict[str, Any]
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
"""The one way in which the agent writes a time: ``utc_text``."""


def text(says: str = "", **more: Any) -> Schema:
    """A string; ``says`` is for people."""
    return _said({"type": "string", **more}, says)


def moment(says: str = "") -> Schema:
    """A time, in UTC with milliseconds."""
    return text(says, format="date-time", pattern=MOMENT)


def integer(says: str = "") -> Schema:
    """A whole number."""
    return _said({"type": "integer"}, says)


def number(says: str = "") -> Schema:
    """A number; never infinite."""
    return _said({"type": "number"}, says)


def flag(says: str = "") -> Schema:
    """True or false."""
    return _said({"type": "boolean"}, says)


def constant(value: Any) -> Schema:
    """This and no other."""
    return {"const": value}


def word(words: type[StrEnum] | Iterable[Any], says: str = "") -> Schema:
    """One of these."""
    listed = [one.value if isinstance(one, StrEnum) else one for one in words]
    return _said({"enum": listed}, says)


def array(items: Schema, says: str = "") -> Schema:
    """Any number of these."""
    return _said({"type": "array", "items": items}, says)


def by_name(values: Schema, says: str = "") -> Schema:
    """Such values under names that the kiosk gives."""
    return _said({"type": "object", "additionalProperties": values}, says)


def ref(name: str) -> Schema:
    """The shared schema of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema, says: str = "") -> Schema:
    """It, or null: nothing is known, or there is none."""
    if "type" in schema:
        return _said({**schema, "type": [schema["type"], "null"]}, says)
    if "enum" in schema:
        return _said({**schema, "enum": [*schema["enum"], None]}, says)
    return _said({"anyOf": [schema, {"type": "null"}]}, says)


def table(fields: Mapping[str, Schema], optional: Iterable[str] = (), says: str = "") -> Schema:
    """An object with these keys, of which only the ``optional`` ones may be missing."""
    left_out = set(optional)
    assert left_out <= fields.keys(), left_out - fields.keys()
    required = [key for key in fields if key not in left_out]
    return _said({"type": "object", "required": required, "properties": dict(fields)}, says)


def _said(schema: Schema, says: str) -> Schema:
    return {**schema, "description": says} if says else schema
