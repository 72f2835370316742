"""Answers for people and for machines: small tables, and JSON of the same rows."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.failures import UsageError

_WIDEST = 60


def as_json_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """One JSON array; times in UTC as events have them."""
    return json.dumps(list(rows), default=_other, ensure_ascii=False)


def _other(value: object) -> object:
    if isinstance(value, datetime):
        utc = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return utc.replace("+00:00", "Z")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(type(value).__name__)


def cell(value: object) -> str:
    """A value as a cell shows it; nothing that moves a terminal's cursor."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        case float():
            return f"{value:.0f}"
        case list():
            return ", ".join(map(str, value)) or "-"
        case dict():
            return ", ".join(f"{key} {one}" for key, one in value.items()) or "-"
    return plain(str(value))


def plain(text: str) -> str:
    """``text`` without control characters and marks of direction."""
    shown = "".join("?" if unicodedata.category(one)[0] == "C" else one for one in text)
    return shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…"


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Iterable[str]:
    """Lines of a table; ``columns`` has each key's heading."""
    lines = [[plain(cell(row[key])) for key in columns] for row in rows]
    heads = list(columns.values())
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    for line in (heads, *lines):
        yield "  ".join(
            text.ljust(width) for text, width in zip(line, widths, strict=True)
        ).rstrip()


def answer(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool) -> int:
    """Print rows as a table of ``columns``, or all of them as JSON."""
    if as_json:
        print(as_json_text(rows))
    elif not rows:
        print("none")
    else:
        print("\n".join(table(rows, columns)))
    return 0


def read_json(name: str) -> Mapping[str, Any]:
    """The object in the file ``name``; ``-`` is standard input.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    found = read_objects(name)
    if len(found) != 1:
        raise UsageError(f"{name}: not one object")
    return found[0]


def read_objects(name: str) -> Sequence[Mapping[str, Any]]:
    """The objects in the file ``name``: one, or an array of them; ``-`` is standard input.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        read = json.loads(text)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{name}: not JSON") from None
    found = read if isinstance(read, list) else [read]
    if not found or not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{name}: not an object")
    return found
