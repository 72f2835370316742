"""config/asyncapi.yaml as a judge of what was really published."""

import re
from functools import cache
from typing import Any

import yaml
from places import ROOT

FILE = ROOT / "config" / "asyncapi.yaml"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_SAY_NOTHING = {"description", "format"}
_KNOWN = _SAY_NOTHING | {
    *("type", "enum", "const", "pattern", "required", "properties", "additionalProperties"),
    *("items", "allOf", "anyOf", "$ref", "maxLength"),
}


@cache
def contract() -> dict[str, Any]:
    """The file, parsed."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def payload(message: str) -> dict[str, Any]:
    """The schema of a message, whole: references followed, ``allOf`` merged."""
    return whole(contract()["components"]["messages"][message]["payload"])


def name_of(published: dict[str, Any]) -> str:
    """Which message it is: an event by its type; of the others only a status says ``online``."""
    if "type" in published:
        return str(published["type"]).removeprefix("gate.")
    if "signing" in published:
        return "keys"
    if "online" not in published:
        return "health"
    return "status.online" if published["online"] else "status.offline"


def objections(published: dict[str, Any]) -> list[str]:
    """Where what a kiosk published is not as the contract says."""
    return complaints(published, payload(name_of(published)))


def complaints(value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """Where ``value`` is not as ``schema`` says.

    Stricter than JSON Schema: a key that is not described is a complaint, because a backend could
    not know it.
    """
    schema = whole(schema)
    unknown = set(schema) - _KNOWN
    assert not unknown, f"the test does not understand {unknown}"
    if "anyOf" in schema:
        answers = [complaints(value, one, place) for one in schema["anyOf"]]
        if [] not in answers:
            return answers[0]
        # What is said beside the alternatives still holds; their own keys were looked at.
        schema = {key: inner for key, inner in schema.items() if key in ("const", "enum")}
        value_keys = isinstance(value, dict | list)
        schema |= {"additionalProperties": {}, "items": {}} if value_keys else {}
    found = []
    if not _is_type(value, schema.get("type")):
        found.append(f"{place}: {value!r} is no {schema['type']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} is none of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{place}: {value!r} is not {schema['const']!r}")
    # As JSON Schema has it, a pattern is for texts: beside a type it says nothing of null.
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{place}: {value!r} does not fit {schema['pattern']}")
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        found.append(f"{place}: {value!r} is too long")
    if isinstance(value, list):
        found += [c for one in value for c in complaints(one, schema["items"], f"{place}[]")]
    if isinstance(value, dict):
        found += _object_complaints(value, schema, place)
    return found


def _object_complaints(value: dict[str, Any], schema: dict[str, Any], place: str) -> list[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{place}.{key} is missing" for key in schema.get("required", []) if key not in value]
    for key, inner in value.items():
        if key in known:
            found += complaints(inner, known[key], f"{place}.{key}")
        elif isinstance(others, dict):
            found += complaints(inner, others, f"{place}.{key}")
        else:
            found.append(f"{place}.{key} is not described")
    return found


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` with its reference followed and its ``allOf`` merged into it."""
    if "$ref" in schema:
        target: Any = contract()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return whole(target)
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema.get("allOf", []):
        merged = _merge(merged, whole(part))
    return merged


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both must hold. Only what the file needs: properties deeply, of the rest the later word."""
    merged = {**one, **other, "required": [*one.get("required", []), *other.get("required", [])]}
    ours, theirs = one.get("properties", {}), other.get("properties", {})
    merged["properties"] = {
        key: _merge(whole(ours[key]), whole(theirs[key]))
        if key in ours and key in theirs
        else {**ours, **theirs}[key]
        for key in {**ours, **theirs}
    }
    return merged


def _is_type(value: Any, names: str | list[str] | None) -> bool:
    if names is None:
        return True
    found = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    # To Python True is a number; to JSON it is none.
    if isinstance(value, bool):
        return bool in found
    return any(isinstance(value, kind) for kind in found)
