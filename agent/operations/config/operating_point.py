"""Writes [face.operating_point] into a config's text, and leaves every other byte as it is.

What stands there of that table goes; whole lines of comment within it stay, before the new one. The
result is read again before it is written: it must say what the file said, and the new table.
"""

import codecs
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.config import OperatingPointConfig
from agent.domain.foreign.text import NoTextError, utf8_of
from agent.errors import RefusedError, UnavailableError
from agent.operations.files import write_whole

_OURS = re.compile(r"\s*\[\[?\s*face\s*\.\s*operating_point\s*[.\]]")
_HEADER = re.compile(r"\s*\[\[?[^\[\]]+\]\]?\s*(#.*)?$")
_NOTE = (
    "# Written by gate-agent evaluate operating-point; each threshold is an upper bound by persons."
)


def table_lines(found: OperatingPointConfig) -> Iterator[str]:
    """The table in TOML, a line at a time."""
    yield _NOTE
    yield "[face.operating_point]"
    yield f'pack = "{found.pack}"'
    yield f'version = "{found.version}"'
    yield f"measured_on = {found.measured_on.isoformat()}"
    yield f"persons = {found.persons}"
    yield f"impostor_pairs = {found.impostor_pairs}"
    yield f"measured_to = {found.measured_to!r}"
    yield "curve = ["
    for point in found.curve:
        yield f"  {{ fmr = {point.fmr!r}, threshold = {point.threshold!r} }},"
    yield "]"


def with_operating_point(text: str, found: OperatingPointConfig) -> str:
    """``text``, a config in TOML, with this table in place of the one it has, or at its end.

    Raises:
        RefusedError: ``config_text``, the table is written in a way that cannot be replaced.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    rows = text.split("\n")
    start = next((i for i, row in enumerate(rows) if _OURS.match(row)), None)
    table = list(table_lines(found))
    if start is None:
        before = text.rstrip("\r\n")
        made = newline.join([before, "", *table, ""] if before else [*table, ""])
    else:
        end = _end(rows, start)
        begin = start - 1 if start and rows[start - 1].strip() == _NOTE else start
        kept = [row for row in rows[start:end] if row.lstrip().startswith("#")]
        carriage = newline.rstrip("\n")
        made = "\n".join([*rows[:begin], *kept, *(row + carriage for row in table), *rows[end:]])
    if _without(made) != _without(text) or _table(made) != _table("\n".join(table)):
        message = (
            "the config writes [face.operating_point] in a way that cannot be replaced\n"
            "Fix: take it out by hand, or write it as a table of its own, and measure again"
        )
        raise RefusedError("config_text", message)
    return made


def write_operating_point(path: Path, found: OperatingPointConfig) -> None:
    """Put the table into the config at ``path``: whole or not at all, its mode and owner kept.

    Raises:
        RefusedError: ``config_text``, as above.
        UnavailableError: it cannot be read or written.
    """
    try:
        raw = path.read_bytes()
        text = utf8_of(raw)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error
    except NoTextError as error:
        raise UnavailableError(f"{path} is no UTF-8") from error
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    made = with_operating_point(text, found)
    write_whole(mark + made.encode(), path, as_it_was=True)


def _end(rows: list[str], start: int) -> int:
    """The row after the last of the table that begins at ``start``, comments behind it left out."""
    end = next(
        (
            i
            for i in range(start + 1, len(rows))
            if _HEADER.match(rows[i]) and not _OURS.match(rows[i])
        ),
        len(rows),
    )
    while end > start + 1 and (not rows[end - 1].strip() or rows[end - 1].lstrip()[0] == "#"):
        end -= 1
    return end


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _table(text: str) -> Any:
    face = _read(text).get("face")
    return face.get("operating_point") if isinstance(face, dict) else None


def _without(text: str) -> dict[str, Any]:
    """The config without the table; a [face] that held nothing else is none."""
    read = _read(text)
    face = read.get("face")
    if isinstance(face, dict):
        left = {name: value for name, value in face.items() if name != "operating_point"}
        read = {name: value for name, value in read.items() if name != "face"}
        return {**read, "face": left} if left else read
    return read
