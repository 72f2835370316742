"""What may stand at a key, in words, and what was meant by something else; read off the schema."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from agent.config.base import FACTORS_PATTERN, FUNCTION_PATTERN, NAME_PATTERN
from agent.config.json_schema import TIME_PATTERN, json_schema
from agent.config.lines import KeyPath
from agent.config.mask import masked
from agent.config.tables.readers.card_format import PARITY_PATTERN, SPAN_PATTERN
from agent.domain.credential.near import nearest

_PATTERNS = {
    NAME_PATTERN: "1 to 64 of A-Z a-z 0-9 . _ -",
    FACTORS_PATTERN: "face, pass, id_document or card, or several of them joined by +",
    FUNCTION_PATTERN: "module:function",
    SPAN_PATTERN: 'bits, counted from 1: "10-25"',
    PARITY_PATTERN: 'a parity bit and those it is over: "1:2-13"',
}
_FACTORS = ("face", "pass", "id_document", "card")
_TIME = re.compile(r"(\d\d?)\s*[:.h]?\s*(\d\d)")
_TYPES = {"boolean": "true or false", "object": "a table", "string": "a text"}
_NUMBERS = {"integer": "a whole number", "number": "a number"}
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def may(path: KeyPath) -> str | None:
    """What may stand at ``path``; None where the schema knows nothing of it."""
    nodes = list(_nodes(path))
    return None if not path or not nodes else " or ".join(dict.fromkeys(map(_words, nodes)))


def is_text(path: KeyPath) -> bool:
    """Whether only a text may stand at ``path``."""
    nodes = list(_nodes(path))
    return bool(nodes) and all(_is_text(one) for one in nodes)


def is_list_of_tables(path: KeyPath) -> bool:
    """Whether several tables may stand at ``path``: ``[[camera]]``."""
    return any(_takes_tables(node) for node in _nodes(path))


def meant(path: KeyPath, value: Any) -> str | None:
    """How to write what was meant by ``value``, which may not stand at ``path``."""
    for node in _nodes(path):
        if "enum" in node and isinstance(value, str):
            near = nearest(value, [one for one in node["enum"] if isinstance(one, str)])
            if near is not None:
                return f"did you mean {near!r}?"
        if isinstance(value, str) and (written := _by_pattern(node.get("pattern"), value)):
            return f"write {json.dumps(written)}"
        if node.get("type") == "array" and not isinstance(value, list | dict):
            if _fits(node["items"], value):
                return f"write [{json.dumps(value, ensure_ascii=False, default=str)}]"
        elif (other := _of_type(node, value)) is not None:
            return f"write {other}"
    return None


def head(table: str) -> str:
    """How the head of a table is written: ``[kiosk]``, ``[[camera]]``."""
    return f"[[{table}]]" if is_list_of_tables((table,)) else f"[{table}]"


def has_key(name: str) -> list[str]:
    """The heads of the tables, of the first floor, that have a key of this name."""
    found = []
    for table, node in json_schema()["properties"].items():
        inner = node.get("items", node)
        if name in inner.get("properties", {}):
            found.append(head(table))
    return found


def _nodes(path: KeyPath) -> Iterator[dict[str, Any]]:
    """What the schema has at ``path``, each of several that may stand there."""
    nodes = [json_schema()]
    for part in path:
        if isinstance(part, int):
            nodes = [node["items"] for node in nodes if "items" in node]
        else:
            # A path may leave out the number: [camera] where [[camera]] is meant.
            tables = [node.get("items", node) for node in nodes]
            nodes = [one["properties"][part] for one in tables if part in one.get("properties", ())]
        nodes = [one for node in nodes for one in node.get("anyOf", node.get("oneOf", [node]))]
    yield from nodes


def _words(node: dict[str, Any]) -> str:
    if "enum" in node:
        return _one_of([json.dumps(one) for one in node["enum"]])
    kind = node.get("type", "")
    if kind in _NUMBERS:
        return _NUMBERS[kind] + _range(node)
    if kind == "array":
        return (
            "a list of tables" if _takes_tables(node) else f"a list, each {_words(node['items'])}"
        )
    if node.get("pattern") in _PATTERNS:
        return f"a text: {_PATTERNS[node['pattern']]}"
    if node.get("pattern") == TIME_PATTERN:
        return 'a time of day: "06:30"'
    if node.get("format") == "date":
        return 'a date: "2026-12-24"'
    if "maxLength" in node:
        return f"a text of {node.get('minLength', 0)} to {node['maxLength']} characters"
    return _TYPES.get(kind, "a value")


def _one_of(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _range(node: dict[str, Any]) -> str:
    least, above, most, below = (node.get(name) for name in _BOUNDS)
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    low = f"from {least:g}" if least is not None else None if above is None else f"above {above:g}"
    high = (
        f"{most:g} at most" if most is not None else None if below is None else f"below {below:g}"
    )
    said = [one for one in (low, high) if one is not None]
    return f" {', '.join(said)}" if said else ""


def _is_text(node: dict[str, Any]) -> bool:
    return bool(node.get("type") == "string")


def _takes_tables(node: dict[str, Any]) -> bool:
    return bool(node.get("type") == "array" and node["items"].get("type") == "object")


def _by_pattern(pattern: str | None, value: str) -> str | None:
    """``value`` as the pattern wants it, where it is clear enough what is meant."""
    written = None
    if masked(value) != value:
        return None
    if pattern == NAME_PATTERN:
        written = re.sub(r"[^A-Za-z0-9._-]+", "-", value).strip("-")[:64]
    elif pattern == FACTORS_PATTERN:
        near = [nearest(one.strip(), _FACTORS) for one in re.split(r"[+,&]", value)]
        written = "+".join(one or "" for one in near)
    elif pattern == TIME_PATTERN and (found := _TIME.fullmatch(value.strip())):
        written = f"{int(found[1]):02}:{found[2]}"
    return written if written and re.search(pattern or "", written) else None


def _fits(node: dict[str, Any], value: Any) -> bool:
    kinds = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}
    return isinstance(value, kinds.get(str(node.get("type")), ()))


def _of_type(node: dict[str, Any], value: Any) -> str | None:
    """``value`` in the type that is wanted, as TOML writes it; None where it says nothing such."""
    wanted = node.get("type")
    if wanted == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(str(value))
    if wanted == "boolean" and value in (0, 1):
        return "true" if value else "false"
    if wanted == "integer" and isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str) and wanted in ("boolean", *_NUMBERS):
        return _from_text(value, node)
    return None


def _from_text(value: str, node: dict[str, Any]) -> str | None:
    word = value.strip().lower()
    if node.get("type") == "boolean":
        yes, no = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
        return "true" if word in yes else "false" if word in no else None
    try:
        number = tomllib.loads(f"x = {word}")["x"] if "\n" not in word else None
    except (tomllib.TOMLDecodeError, ValueError):
        return None
    wanted = (int,) if node.get("type") == "integer" else (int, float)
    return word if isinstance(number, wanted) and not isinstance(number, bool) else None
