"""The configuration reference: every table and key of ``gate.toml``, from the schema."""

import json
from collections.abc import Iterator
from typing import Any

from agent.config.json_schema import json_schema
from agent.lab.marks import between

_BOUNDS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "more than"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "less than"),
)


def reference() -> str:
    """Each table with its keys: what is there without them, what may stand there, what it means."""
    parts: list[str] = []
    for name, node in json_schema()["properties"].items():
        for heading, table in _tables(name, node):
            parts += [f"### {heading}", "", _line(str(table.get("description", ""))), ""]
            parts += ["| key | default | may be | |", "|---|---|---|---|"]
            parts += _rows(table)
            parts.append("")
    return "\n".join(parts).rstrip()


def page(text: str) -> str:
    """``text`` with what stands between its marks written anew.

    Raises:
        ValueError: a mark is missing.
    """
    return between(text, "config", reference())


def _tables(name: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables of this name, with the heading of each; those within it after it."""
    rows = node.get("type") == "array"
    opens, closes = ("[[", "]]") if rows else ("[", "]")
    for table in _choices(node.get("items", node)):
        if "properties" not in table:
            continue
        kind = table["properties"].get("kind", {}).get("enum", [])
        of = f", kind = {kind[0]}" if len(kind) == 1 else ""
        yield f"{opens}{name}{closes}{of}", table
        for key, inner in table["properties"].items():
            if _is_table(inner):
                yield from _tables(f"{name}.{key}", inner)


def _choices(node: dict[str, Any]) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = node.get("anyOf") or node.get("oneOf") or [node]
    return choices


def _is_table(node: dict[str, Any]) -> bool:
    return any("properties" in one for one in _choices(node.get("items", node)))


def _rows(table: dict[str, Any]) -> Iterator[str]:
    needed = table.get("required", [])
    for key, node in table["properties"].items():
        default = "needed" if key in needed else _default(node)
        cells = (f"`{key}`", default, _may_be(node), _line(str(node.get("description", ""))))
        yield "| " + " | ".join(cells) + " |"


def _default(node: dict[str, Any]) -> str:
    if "default" not in node:
        return ""
    said = json.dumps(node["default"], ensure_ascii=False)
    return f"`{said}`" if node["default"] not in ({}, []) else "none"


def _may_be(node: dict[str, Any]) -> str:
    if _is_table(node):
        return "tables, below" if node.get("type") == "array" else "a table, below"
    return " or ".join(dict.fromkeys(_plain(one) for one in _choices(node)))


def _plain(node: dict[str, Any]) -> str:
    if "enum" in node:
        return ", ".join(f"`{json.dumps(one)}`" for one in node["enum"])
    kind = node.get("type", "")
    if kind == "array":
        items = node.get("items", {})
        return f"list of {_may_be(items) or 'values'}{_limits(node, 'Items', 'of')}"
    if kind == "object":
        return "a table"
    words = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`"}
    bounds = [f"{word} {node[bound]:g}" for bound, word in _BOUNDS if bound in node]
    return ", ".join([words.get(kind, "text"), *bounds]) + _limits(node, "Length", "of length")


def _limits(node: dict[str, Any], what: str, word: str) -> str:
    least, most = node.get(f"min{what}"), node.get(f"max{what}")
    if least is None and most is None:
        return ""
    ends = [f"{say} {bound}" for say, bound in (("at least", least), ("at most", most)) if bound]
    return f" ({word} {', '.join(ends)})" if ends else ""


def _line(text: str) -> str:
    """On one line of a table; what a browser would take for an element stands as it is."""
    escaped = " ".join(text.split()).replace("|", "\\|")
    return escaped.replace("<", "&lt;").replace("[[", "\\[\\[").replace("]]", "\\]\\]")
