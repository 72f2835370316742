"""What is wrong with a text that is no TOML, in the words of whoever wrote it.

``tomllib`` says at which character it gave up. What was meant mostly stands around it: a comma for
a decimal point, quotes of a word processor, a word without quotes, a list that never ends. What is
none of these is told in tomllib's own words.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from agent.config.lines import KeyPath, Place, Places, Span, read
from agent.config.mask import masked
from agent.config.may import is_list_of_tables, is_text, may

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_QUOTES = (
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"  # Latin
    "\u300c\u300d\uff02\uff07\u00b4`"  # Chinese, full width, and accents
)
_COMMA = re.compile(r"(?<==)\s*([+-]?\d+),(\d+)(?=\s*(?:[,}#]|$))")
_BEHIND = re.compile(r"""("[^"]*"|'[^']*')\s*(\S.*)""")
_ITEM = re.compile(r"[^,\]}#\n]*")
_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
_NOTHING = {"null", "none", "nil", "undefined"}
_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([A-Za-z%\u00b0]+)")
_POINT = re.compile(r"([+-]?)(?:(\d+)\.|\.(\d+))")
_ZEROS = re.compile(r"([+-]?)0+(\d+(?:\.\d+)?)")
_BROKEN_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\- ]*?)\s*(\]*)\s*(#.*)?$")
_COMMENT = re.compile(r"\s*(//|;|--|/\*|%)")
_CONFLICT = re.compile(r"<<<<<<< |=======$|>>>>>>> ")
_LONGEST = 60


class Flaw(NamedTuple):
    """What is wrong at a part of the text, how to mend it, and within which key it stands."""

    span: Span
    message: str
    fix: str | None = None
    key: KeyPath = ()


class _Broken(NamedTuple):
    """Where tomllib gave up, and what it said."""

    places: Places
    at: int
    said: str

    @property
    def text(self) -> str:
        return self.places.text

    @property
    def row(self) -> tuple[int, str]:
        """Where the line begins, and the line."""
        number, _ = self.places.line_column(self.at)
        return self.places.starts[number - 1], self.places.line(number)


def flaw(places: Places, message: str) -> Flaw:
    """What is wrong with the text of ``places``, about which tomllib said ``message``.

    ``places`` gets what could be read of it.
    """
    found = _PLACE.search(message)
    at = len(places.text)
    if found and found[1]:
        at = min(places.starts[int(found[1]) - 1] + int(found[2]) - 1, at)
    read(places, at)
    broken = _Broken(places, at, message[: found.start()] if found else message)
    return next(one for judge in _JUDGES for one in judge(broken))


def _twice(broken: _Broken) -> Iterator[Flaw]:
    places = broken.places
    if not broken.said.startswith(("Cannot", "Duplicate")):
        return
    if not places.twice:
        start, line = broken.row
        span = Span(start, start + len(line.partition(" #")[0].rstrip()))
        yield Flaw(span, "does not go with what stands above it", "keep one of the two")
        return
    path, span = places.twice[0]
    name = ".".join(str(part) for part in path if isinstance(part, str))
    before = places.of(path) or Place()
    first = places.line_column((before.key or Span(0, 0)).start)[0]
    text = places.part(span)
    if not text.startswith("["):
        yield Flaw(span, f"stands twice, first in line {first}", "leave one of them out", path)
        return
    if is_list_of_tables(path):
        fix = f"write [[{name}]] above each of them"
        yield Flaw(span, f"{text} does not go with {places.part(before.key)} in line {first}", fix)
    else:
        fix = f"put what belongs to it under the first [{name}]"
        yield Flaw(span, f"[{name}] is there already, since line {first}", fix)


def _strange(broken: _Broken) -> Iterator[Flaw]:
    """Quotes, spaces and signs that look like those of TOML and are none."""
    start, line = broken.row
    before = line[: broken.at - start + 1]
    unended = broken.said.startswith(("Unterminated", "Illegal"))
    where = [broken.at] if broken.at < len(broken.text) else []
    if unended or broken.at >= len(broken.text):
        opened = broken.places.open[-1] if broken.places.open else start
        if broken.at >= len(broken.text):
            start, line = _line_at(broken.places, opened)
            before = line
        where += [start + i for i, char in enumerate(before) if char in _QUOTES]
    for offset in where:
        char = broken.text[offset]
        if char in _QUOTES:
            ends = _closing(broken.text, offset)
            yield Flaw(
                Span(offset, ends),
                f"{char} is a quote of typesetting, and TOML does not know it",
                _straight(broken.text[offset:ends]),
                broken.places.at,
            )
        elif not char.isascii() and not char.isalnum():
            yield _look_alike(broken, offset, char)


def _line_at(places: Places, offset: int) -> tuple[int, str]:
    number, _ = places.line_column(offset)
    return places.starts[number - 1], places.line(number)


def _closing(text: str, offset: int) -> int:
    """Where a text in quotes of typesetting ends."""
    end = text.find("\n", offset)
    line = text[offset : end if end >= 0 else len(text)]
    closed = next((i for i, char in enumerate(line) if i and char in _QUOTES + "\"'"), 0)
    return offset + closed + 1


def _straight(quoted: str) -> str:
    inner = quoted[1:-1]
    if not inner or not quoted.startswith(tuple(_QUOTES)):
        return 'write straight quotes: "'
    return f"write {_quoted(inner)}"


def _quoted(inner: str) -> str:
    said = masked(inner)
    if len(said) > _LONGEST or not said.isprintable() or set('"\\') & set(said):
        return "it in straight quotes"
    return f'"{said}"'


def _look_alike(broken: _Broken, offset: int, char: str) -> Flaw:
    name = unicodedata.name(char, "an unknown character").lower()
    plain = unicodedata.normalize("NFKC", char).strip()
    message = f"is no character of TOML outside a text: U+{ord(char):04X}, {name}"
    fix = f"write {plain}" if len(plain) == 1 and plain.isascii() else "take it out"
    if char.isspace():
        fix = "write a plain space"
    return Flaw(Span(offset, offset + 1), message, fix, broken.places.at)


def _comma(broken: _Broken) -> Iterator[Flaw]:
    start, line = broken.row
    for found in _COMMA.finditer(line):
        if start + found.start(1) <= broken.at <= start + found.end() + 1:
            span = Span(start + found.start(1), start + found.end(2))
            fix = f"write {found[1]}.{found[2]}"
            message = f"{found[1]},{found[2]} is no number: the decimals stand behind a point"
            yield Flaw(span, message, fix, broken.places.at)


def _conflict(broken: _Broken) -> Iterator[Flaw]:
    start, line = broken.row
    if _CONFLICT.match(line):
        message = "is a mark of two versions that were never merged"
        yield Flaw(Span(start, start + len(line)), message, "choose one, and take the marks out")


def _header(broken: _Broken) -> Iterator[Flaw]:
    start, line = broken.row
    found = _BROKEN_HEADER.match(line)
    if not broken.said.startswith(("Expected ']", "Invalid initial")) or not found:
        return
    span = Span(start + found.start(1), start + (found.end(3) if found[3] else found.end(2)))
    if not found[2]:
        yield Flaw(span, "is the head of a table without its name", "write [NAME]")
    elif found[3] != "]" * len(found[1]):
        name = found[2]
        closing = "]" * len(found[1])
        message = f"{found[1]}{name} is not closed by {closing}"
        yield Flaw(span, message, f"write {found[1]}{name}{closing}")


def _unended(broken: _Broken) -> Iterator[Flaw]:
    places, at = broken.places, broken.at
    if not places.open:
        return
    start = places.open[-1]
    opened, key = broken.text[start], places.at
    here = broken.text[at : at + 1]
    if opened in "\"'":
        if broken.said.startswith(("Unescaped", "Invalid hex", "Escaped")):
            return
        quote = opened * 3 if broken.text.startswith(opened * 3, start) else opened
        end = start + len(quote) if len(quote) > 1 else _line_end(broken.text, start)
        fix = f"put {quote} behind its last character"
        yield Flaw(Span(start, end), "this text does not end", fix, key)
    elif broken.said in ("Unclosed array", "Unclosed inline table"):
        yield _unclosed(broken, start)
    elif opened == "{" and here in ("\n", "#", ""):
        yield _left_open(broken, start)
    elif opened == "{" and here == "}":
        message = "a comma stands before this, and nothing behind it"
        yield Flaw(Span(at, at + 1), message, "leave the last comma out", key)


def _unclosed(broken: _Broken, start: int) -> Flaw:
    """Of a list or a table in braces, what stands where only a comma or its end may."""
    at, key, text = broken.at, broken.places.at, broken.text
    here, before = text[at : at + 1], text[at - 1 : at]
    if here and here not in "]}\"'{[\n#" and before not in " \t\n,":
        return _no_value(broken, _item_start(text, at))
    same_line = "\n" not in text[_last_before(text, at) : at]
    if here and (here in "\"'{" or (same_line and here not in "]}\n#")):
        return Flaw(Span(at, at + 1), "a comma is missing before this", "write , here", key)
    return _left_open(broken, start)


def _left_open(broken: _Broken, start: int) -> Flaw:
    span, key = Span(start, start + 1), broken.places.at
    if broken.text[start] == "[":
        return Flaw(span, "this list does not end", "put ] behind its last value", key)
    message = "this table in braces does not end on its line"
    fix = "put } behind its last value; it stands on one line, or as a [table] of its own"
    return Flaw(span, message, fix, key)


def _item_start(text: str, at: int) -> int:
    start = max(text.rfind(char, 0, at) for char in ",[{=\n") + 1
    return start + len(text[start:at]) - len(text[start:at].lstrip())


def _last_before(text: str, at: int) -> int:
    return len(text[:at].rstrip())


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _escape(broken: _Broken) -> Iterator[Flaw]:
    if broken.said.startswith(("Unescaped", "Invalid hex", "Escaped")):
        at = broken.text.rfind("\\", 0, broken.at + 1)
        message = "a \\ begins a special character in a text, and there is none such"
        fix = "write \\\\, or put the text in single quotes: '...'"
        yield Flaw(Span(max(at, 0), max(at, 0) + 2), message, fix, broken.places.at)


def _control(broken: _Broken) -> Iterator[Flaw]:
    if broken.said.startswith(("Illegal character", "Found invalid character")):
        message = "is a control character, which no text may hold"
        yield Flaw(Span(broken.at, broken.at + 1), message, "take it out", broken.places.at)


def _comment(broken: _Broken) -> Iterator[Flaw]:
    start, line = broken.row
    found = _COMMENT.match(line)
    if broken.said == "Invalid statement" and found:
        span = Span(start + found.start(1), start + found.end(1))
        yield Flaw(span, "is no comment of TOML", "begin it with #")


def _sign(broken: _Broken) -> Iterator[Flaw]:
    if not broken.said.startswith("Expected '='"):
        return
    here = broken.text[broken.at : broken.at + 1]
    if here in (":", "\uff1a"):
        span = Span(broken.at, broken.at + 1)
        yield Flaw(span, f"{here} stands where = should", "write = in its place", broken.places.at)
        return
    start, line = broken.row
    span = Span(start, start + len(line.rstrip()))
    yield Flaw(span, "has a key and no = behind it", "write KEY = VALUE")


def _value(broken: _Broken) -> Iterator[Flaw]:
    """A value that is none, or has something behind it."""
    if not broken.said.startswith(("Invalid value", "Expected newline", "Invalid date")):
        return
    start = _value_start(broken)
    if start is not None:
        yield _no_value(broken, start)


def _no_value(broken: _Broken, start: int) -> Flaw:
    places, key = broken.places, broken.places.at
    if places.open:  # in a list or in braces only what is up to the next comma
        found = _ITEM.match(broken.text, start)
        raw = found[0].rstrip() if found else ""
    else:
        line = broken.text[start : _line_end(broken.text, start)]
        raw = line.partition(" #")[0].rstrip() if not line.startswith("#") else ""
    span, wanted = Span(start, start + max(len(raw), 1)), may(key)
    if not raw:
        before = _last_before(broken.text, start)
        message = "has no value" if wanted is None else f"has no value: it is {wanted}"
        return Flaw(Span(max(before - 1, 0), before), message, None, key)
    fix = _meant(raw, key)
    behind = _BEHIND.fullmatch(raw)
    if fix is None and behind:
        span = Span(start + behind.start(2), span.end)
        message = "stands behind the value, and does not belong there"
        return Flaw(span, message, "take it out, or begin it with #", key)
    said = masked(raw) if len(raw) <= _LONGEST else "this"
    message = f"{said} is no value of TOML"
    return Flaw(span, message if wanted is None else f"{message}: {wanted}", fix, key)


def _value_start(broken: _Broken) -> int | None:
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
        return f"write {_quoted(raw)}"
    if (found := _UNIT.fullmatch(raw)) is not None:
        return f"write {found[1]}: the unit is in the key's name"
    if (found := _POINT.fullmatch(raw)) is not None:
        return f"write {found[1]}{found[2] or 0}.{found[3] or 0}"
    if (found := _ZEROS.fullmatch(raw)) is not None:
        return f"write {found[1]}{found[2]}"
    if re.fullmatch(r"[\w./:-]+", raw) and not raw[0].isdigit() and may(path) is None:
        return f"write {_quoted(raw)}"
    return None


def _anything(broken: _Broken) -> Iterator[Flaw]:
    said = broken.said[:1].lower() + broken.said[1:]
    at = broken.at
    start, line = broken.row
    if at >= start + len(line) and line.strip():
        at = start + len(line.rstrip()) - 1
    yield Flaw(Span(at, at + 1), f"is not TOML: {said}", None, broken.places.at)


_JUDGES: tuple[Callable[[_Broken], Iterator[Flaw]], ...] = (
    _twice,
    _conflict,
    _strange,
    _comma,
    _header,
    _unended,
    _escape,
    _control,
    _comment,
    _sign,
    _value,
    _anything,
)
