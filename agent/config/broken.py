"""A text that is no TOML, where it broke off; and what was meant by a value that is none."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from agent.config.lines import KeyPath, Places, Span
from agent.config.mask import is_secret, masked
from agent.config.may import is_text, may

_COMMA = re.compile(r"(?<==)\s*([+-]?\d+),(\d+)(?=\s*(?:[,}#]|$))")
_BEHIND = re.compile(r"""("[^"]*"(?=\S?)|'[^']*'|\S+(?=\s))\s*(\S.*)""")
_ITEM = re.compile(r"[^,\]}#\n]*")
_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([A-Za-z%\u00b0]+)")
_POINT = re.compile(r"([+-]?)(?:(\d+)\.|\.(\d+))")
_ZEROS = re.compile(r"([+-]?)0+(\d+(?:\.\d+)?)")
_NOTHING = {"null", "none", "nil", "undefined"}
_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
_LONGEST = 60


class Flaw(NamedTuple):
    """What is wrong at a part of the text, how to mend it, and within which key it stands."""

    span: Span
    message: str
    fix: str | None = None
    key: KeyPath = ()


class Broken(NamedTuple):
    """Where tomllib gave up, and what it said."""

    places: Places
    at: int
    said: str

    @property
    def text(self) -> str:
        """The whole text."""
        return self.places.text

    @property
    def row(self) -> tuple[int, str]:
        """Where the line begins, and the line."""
        number, _ = self.places.line_column(self.at)
        return self.places.starts[number - 1], self.places.line(number)


def comma(broken: Broken) -> Iterator[Flaw]:
    """A comma where the point of a number belongs."""
    start, line = broken.row
    for found in _COMMA.finditer(line):
        if start + found.start(1) <= broken.at <= start + found.end() + 1:
            span = Span(start + found.start(1), start + found.end(2))
            fix, said = f"write {found[1]}.{found[2]}", f"{found[1]},{found[2]}"
            if is_secret(broken.places.at):
                fix, said = "write a point", "this"
            message = f"{said} is no number: the decimals stand behind a point"
            yield Flaw(span, message, fix, broken.places.at)


def no_such_value(broken: Broken) -> Iterator[Flaw]:
    """A value that is none, or has something behind it."""
    if not broken.said.startswith(("Invalid value", "Expected newline", "Invalid date")):
        return
    start = _value_start(broken)
    if start is not None:
        yield no_value(broken, start)


def no_value(broken: Broken, start: int) -> Flaw:
    """What stands from ``start`` in the place of a value."""
    places, key = broken.places, broken.places.at
    if places.open:  # in a list or in braces only what is up to the next comma
        found = _ITEM.match(broken.text, start)
        raw = found[0].rstrip() if found else ""
    else:
        line = broken.text[start : line_end(broken.text, start)]
        raw = line.partition(" #")[0].rstrip() if not line.startswith("#") else ""
    span, wanted = Span(start, start + max(len(raw), 1)), may(key)
    if not raw:
        before = last_before(broken.text, start)
        message = "has no value" if wanted is None else f"has no value: it is {wanted}"
        return Flaw(Span(max(before - 1, 0), before), message, None, key)
    secret = is_secret(key)
    fix = "put it in quotes" if secret else _meant(raw, key)
    behind = _behind(raw)
    if fix is None and behind is not None:
        span = Span(start + behind, span.end)
        message = "stands behind the value, and does not belong there"
        return Flaw(span, message, "take it out, or begin it with #", key)
    said = masked(raw) if len(raw) <= _LONGEST and not secret else "this"
    message = f"{said} is no value of TOML"
    return Flaw(span, message if wanted is None else f"{message}: {wanted}", fix, key)


def _behind(raw: str) -> int | None:
    """Where something begins behind what is a value by itself; None where nothing does."""
    found = _BEHIND.fullmatch(raw)
    if found is None:
        return None
    try:
        tomllib.loads(f"x = {found[1]}")
    except (tomllib.TOMLDecodeError, ValueError):
        return None
    return found.start(2)


def _value_start(broken: Broken) -> int | None:
    place = broken.places.of(broken.places.at)
    if broken.said.startswith("Invalid value") or broken.places.open:
        return broken.at
    if place is not None and place.value is not None:
        return place.value.start
    return None


def _meant(raw: str, path: KeyPath) -> str | None:
    """How to write what was meant by ``raw``, where that can be told."""
    word = raw.lower()
    if word in _WORDS:
        return f"write {_WORDS[word]}"
    if word in _NOTHING:
        return "leave the key out: TOML has no word for nothing"
    if is_text(path) and raw[0] not in "\"'":
        return f"write {quoted(raw)}"
    if (found := _UNIT.fullmatch(raw)) is not None:
        return f"write {found[1]}: the unit is in the key's name"
    if (found := _POINT.fullmatch(raw)) is not None:
        return f"write {found[1]}{found[2] or 0}.{found[3] or 0}"
    if (found := _ZEROS.fullmatch(raw)) is not None:
        return f"write {found[1]}{found[2]}"
    if re.fullmatch(r"[\w./:-]+", raw) and not raw[0].isdigit() and may(path) is None:
        return f"write {quoted(raw)}"
    return None


def quoted(inner: str) -> str:
    """``inner`` as a text of TOML, where it may be shown and is short."""
    said = masked(inner)
    if len(said) > _LONGEST or not said.isprintable() or set('"\\') & set(said):
        return "it in straight quotes"
    return f'"{said}"'


def last_before(text: str, at: int) -> int:
    """Where what stands before ``at`` ends, without spaces and empty lines."""
    return len(text[:at].rstrip())


def line_end(text: str, start: int) -> int:
    """Where the line of ``start`` ends."""
    end = text.find("\n", start)
    return len(text) if end < 0 else end
