"""Where in a TOML text a key stands, so that an error names its line.

``tomllib`` keeps no positions. This reads only table headers and the first key of a line, which is
how configs are written; a key inside an inline table or a list answers with its parent's line.
"""

import re

KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Every key path and table header found, with its line counted from 1."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _resolve(_split(header[2]), counts, append=header[1] == "[[")
            found = table
        elif key := _KEY.match(line):
            found = (*table, *_split(key[1]))
        else:
            continue
        # What is around it begins here too, where it has not begun before: [[door]] makes door.
        for end in range(1, len(found) + 1):
            lines.setdefault(found[:end], number)
    return lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int | None:
    """The line of ``path``, or of the nearest parent that has one."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _resolve(names: tuple[str, ...], counts: dict[KeyPath, int], *, append: bool) -> KeyPath:
    path: KeyPath = ()
    for i, name in enumerate(names):
        path = (*path, name)
        if append and i == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
