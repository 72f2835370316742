"""What pydantic finds wrong with values, told by what may stand there instead."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.config.faults import NO_KEY
from agent.config.lines import KeyPath
from agent.config.mask import is_secret
from agent.config.may import has_key, head, may, meant
from agent.config.mend import fields_of, model_at, value_at
from agent.config.tables.schedule import SCHEDULE_TAGS
from agent.config.whole import Finding
from agent.domain.credential.near import nearest

_UNION_MEMBERS = {"int", "str", "list[str]"}
_SAID = {"value_error", "schedule", "too_long"}
"""Kinds whose own message says what is wrong, and behind a semicolon how to mend it."""
_PREFIX = "Value error, "


def findings_of(error: ValidationError, data: Any) -> Iterator[Finding]:
    """Each place in ``data`` that is wrong, once."""
    seen: set[Finding] = set()
    items = error.errors(include_url=False, include_input=False, include_context=False)
    for item in items:
        path = _toml_path(item["loc"])
        if item["type"] == "too_short" and any(
            len(_untagged(other["loc"])) > len(path)
            and _toml_path(other["loc"])[: len(path)] == path
            for other in items
        ):
            continue  # its only fault is that its members have faults of their own
        finding = _finding(item, path, data)
        if finding not in seen:
            seen.add(finding)
            yield finding


def _toml_path(loc: tuple[str | int, ...]) -> KeyPath:
    # Pydantic names the tried member of a union too; no TOML key has such a name.
    loc = _untagged(loc)
    end = next((i for i, part in enumerate(loc) if part in _UNION_MEMBERS), len(loc))
    return loc[:end]


def _untagged(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without the names of union members that are chosen by what they look like."""
    return tuple(part for part in loc if part not in SCHEDULE_TAGS)


def _finding(item: ErrorDetails, path: KeyPath, data: Any) -> Finding:
    kind, wanted = item["type"], may(path)
    if len(path) < len(_untagged(item["loc"])):
        return path, "is a number, a text, or a list of texts"
    if kind == "extra_forbidden":
        return _with(path, NO_KEY, _known_key(path, value_at(data, path)))
    if kind == "missing":
        table = len(path) == 1
        return path, "is missing", f"add {head(str(path[0])) if table else f'{path[-1]}: {wanted}'}"
    if kind == "too_short":
        return _with(path, "is empty", wanted)
    if kind == "json_invalid":
        return path, "is nested too deeply"
    if kind in _SAID or wanted is None:
        message, _, mend = item["msg"].removeprefix(_PREFIX).partition("; ")
        return _with(path, message, mend or None)
    fix = None if is_secret(path) else meant(path, value_at(data, path))
    return _with(path, f"should be {wanted}", fix)


def _with(path: KeyPath, message: str, fix: str | None) -> Finding:
    return (path, message) if fix is None else (path, message, fix)


def _known_key(path: KeyPath, value: object) -> str | None:
    """What is meant by a key that the schema does not know, or where it belongs."""
    word = str(path[-1])
    model = model_at(path[:-1])
    known = [] if model is None else [name for name, _ in fields_of(model)]
    heads, near = has_key(word), nearest(word, known)
    # At the top stand tables, and a table that is named like one is meant for it.
    if heads and (len(path) > 1 or near is None or not isinstance(value, dict | list)):
        return f"it is a key of {', '.join(heads)}"
    return None if near is None else f"did you mean {near!r}?"
