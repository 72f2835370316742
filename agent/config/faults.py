"""A finding with its place in the file: line, column, the line itself, what stood there."""

import json
import re
from pathlib import Path

from agent.config.lines import KeyPath, Places, Span
from agent.config.mask import MASK, is_secret, masked, masked_line, without_logins
from agent.config.whole import Finding
from agent.errors import Fault

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 80
NO_KEY = "is no known key"


def fault_of(finding: Finding, places: Places) -> Fault:
    """``finding`` as it is shown; of a missing key the place is that of its table."""
    path, message, *fixes = finding
    said = (message, fixes[0] if fixes else None, path)
    named = _named(path, message, places)
    at = path if named is None else (*path, named)
    place = places.of(at)
    if place is None:
        around = places.near(path)
        return _placed(*said, None if around is None else around.key or around.value, None, places)
    by_key = message == NO_KEY or place.header or named is not None
    what = place.key if message == NO_KEY or place.header else place.span
    span = place.key if by_key else place.span
    return _placed(*said, span or place.span, _found(at, what, places), places)


def fault_at(span: Span, message: str, fix: str | None, path: KeyPath, places: Places) -> Fault:
    """The same of a part of the text, which stands within ``path``."""
    return _placed(message, fix, path, span, _found(path, span, places), places)


def on_one_line(file: Path | str, fault: Fault) -> str:
    """``file:line:column: key: what is wrong; how to mend it``."""
    where = f"{file}" if fault.line is None else f"{file}:{fault.line}:{fault.column}"
    return f"{where}: {fault}"


def dotted(keys: KeyPath) -> str:
    """A path as people write it: ``camera[1].zone.x``."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            # Any other key is quoted, as in the file: it might hold a line's end.
            word = key if _BARE_KEY.fullmatch(key) else json.dumps(masked(key))
            text += f".{word}" if text else word
    return text


def _named(path: KeyPath, message: str, places: Places) -> str | None:
    """The key of the table at ``path`` that the message names first, where the file has it."""
    place = places.of(path)
    if place is not None and not place.header and not places.part(place.span).startswith("{"):
        return None
    for word in re.findall(r"[A-Za-z_]+", message):
        found = places.of((*path, word))
        if found is not None and found.key is not None and not found.header:
            return str(word)
    return None


def _placed(
    message: str,
    fix: str | None,
    path: KeyPath,
    span: Span | None,
    found: str | None,
    places: Places,
) -> Fault:
    key, message = dotted(path) or None, without_logins(message)
    fix = None if fix is None else without_logins(fix)
    if span is None:
        return Fault(message, fix, key)
    line, column = places.line_column(span.start)
    shown = masked_line(places, line, span)
    return Fault(message, fix, key, found, line, column, shown.text, (shown.start, shown.end))


def _found(path: KeyPath, span: Span | None, places: Places) -> str | None:
    if span is None:
        return None
    raw = places.part(span)
    if is_secret(path) and not raw.startswith("["):
        return MASK
    said = masked(re.sub(r"\s+", " ", raw[: 2 * _LONGEST]))
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}..."
