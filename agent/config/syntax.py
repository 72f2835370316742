"""What is wrong with a text that is no TOML, in the words of whoever wrote it.

``tomllib`` says at which character it gave up. What was meant mostly stands around it: a comma for
a decimal point, quotes of a word processor, a word without quotes, a list that never ends. What is
none of these is told in tomllib's own words.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from agent.config.broken import (
    Broken,
    Flaw,
    comma,
    last_before,
    line_end,
    no_such_value,
    no_value,
    quoted,
)
from agent.config.lines import KeyPath, Place, Places, Span, read
from agent.config.mask import is_secret
from agent.config.may import is_list_of_tables

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_QUOTES = (
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"  # Latin
    "\u300c\u300d\uff02\uff07\u00b4`"  # Chinese, full width, and accents
)
_BROKEN_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\- ]*?)\s*(\]*)\s*(#.*)?$")
_HEADER = re.compile(r"\s*\[\[?[^\]]*\]\]?")
_COMMENT = re.compile(r"\s*(//|;|--|/\*|%)")
_CONFLICT = re.compile(r"<<<<<<< |=======$|>>>>>>> ")
_SAID = {
    "Invalid statement": "neither KEY = VALUE nor the head of a [table] stands here",
    "Invalid initial character for a key part": "no key begins so",
}


def flaw(places: Places, message: str) -> Flaw:
    """What is wrong with the text of ``places``, about which tomllib said ``message``.

    ``places`` gets what could be read of it.
    """
    found = _PLACE.search(message)
    at = len(places.text)
    if found and found[1]:
        at = min(places.starts[int(found[1]) - 1] + int(found[2]) - 1, at)
    read(places, at)
    broken = Broken(places, at, message[: found.start()] if found else message)
    return next(one for judge in _JUDGES for one in judge(broken))


def _twice(broken: Broken) -> Iterator[Flaw]:
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
    if is_list_of_tables(path[:-1] if isinstance(path[-1], int) else path):
        fix = f"write [[{name}]] above each of them"
        yield Flaw(span, f"{text} does not go with {places.part(before.key)} in line {first}", fix)
    else:
        fix = f"put what belongs to it under the first [{name}]"
        yield Flaw(span, f"[{name}] is there already, since line {first}", fix)


def _strange(broken: Broken) -> Iterator[Flaw]:
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
                _straight(broken.text[offset:ends], broken.places.at),
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


def _straight(text: str, key: KeyPath) -> str:
    inner = text[1:-1]
    if not inner or is_secret(key) or not text.startswith(tuple(_QUOTES)):
        return 'write straight quotes: "'
    return f"write {quoted(inner)}"


def _look_alike(broken: Broken, offset: int, char: str) -> Flaw:
    name = unicodedata.name(char, "an unknown character").lower()
    plain = unicodedata.normalize("NFKC", char).strip()
    message = f"is no character of TOML outside a text: U+{ord(char):04X}, {name}"
    fix = f"write {plain}" if len(plain) == 1 and plain.isascii() else "take it out"
    if char.isspace():
        fix = "write a plain space"
    return Flaw(Span(offset, offset + 1), message, fix, broken.places.at)


def _conflict(broken: Broken) -> Iterator[Flaw]:
    start, line = broken.row
    if _CONFLICT.match(line):
        message = "is a mark of two versions that were never merged"
        yield Flaw(Span(start, start + len(line)), message, "choose one, and take the marks out")


def _header(broken: Broken) -> Iterator[Flaw]:
    start, line = broken.row
    found = _BROKEN_HEADER.match(line)
    closed = _HEADER.match(line)
    if broken.said.startswith("Expected newline") and closed and broken.at >= start + closed.end():
        span = Span(broken.at, start + len(line.partition(" #")[0].rstrip()))
        message = f"stands behind the head of a table, {closed[0].strip()}"
        yield Flaw(span, message, "take it out, or begin it with #")
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


def _unended(broken: Broken) -> Iterator[Flaw]:
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
        end = start + len(quote) if len(quote) > 1 else line_end(broken.text, start)
        fix = f"put {quote} behind its last character"
        yield Flaw(Span(start, end), "this text does not end", fix, key)
    elif broken.said in ("Unclosed array", "Unclosed inline table"):
        yield _unclosed(broken, start)
    elif opened == "{" and here in ("\n", "#", ""):
        yield _left_open(broken, start)
    elif opened == "{" and here == "}":
        message = "a comma stands before this, and nothing behind it"
        yield Flaw(Span(at, at + 1), message, "leave the last comma out", key)


def _unclosed(broken: Broken, start: int) -> Flaw:
    """Of a list or a table in braces, what stands where only a comma or its end may."""
    at, key, text = broken.at, broken.places.at, broken.text
    here, before = text[at : at + 1], text[at - 1 : at]
    if here and here not in "]}\"'{[\n#" and before not in " \t\n,":
        return no_value(broken, _item_start(text, at))
    same_line = "\n" not in text[last_before(text, at) : at]
    if here and (here in "\"'{" or (same_line and here not in "]}\n#")):
        return Flaw(Span(at, at + 1), "a comma is missing before this", "write , here", key)
    return _left_open(broken, start)


def _left_open(broken: Broken, start: int) -> Flaw:
    span, key = Span(start, start + 1), broken.places.at
    if broken.text[start] == "[":
        return Flaw(span, "this list does not end", "put ] behind its last value", key)
    message = "this table in braces does not end on its line"
    fix = "put } behind its last value; it stands on one line, or as a [table] of its own"
    return Flaw(span, message, fix, key)


def _item_start(text: str, at: int) -> int:
    start = max(text.rfind(char, 0, at) for char in ",[{=\n") + 1
    return start + len(text[start:at]) - len(text[start:at].lstrip())


def _escape(broken: Broken) -> Iterator[Flaw]:
    if broken.said.startswith(("Unescaped", "Invalid hex", "Escaped")):
        at = broken.text.rfind("\\", 0, broken.at + 1)
        message = "a \\ begins a special character in a text, and there is none such"
        fix = "write \\\\, or put the text in single quotes: '...'"
        yield Flaw(Span(max(at, 0), max(at, 0) + 2), message, fix, broken.places.at)


def _control(broken: Broken) -> Iterator[Flaw]:
    if broken.said.startswith(("Illegal character", "Found invalid character")):
        message = "is a control character, which no text may hold"
        yield Flaw(Span(broken.at, broken.at + 1), message, "take it out", broken.places.at)


def _comment(broken: Broken) -> Iterator[Flaw]:
    start, line = broken.row
    found = _COMMENT.match(line)
    if broken.said == "Invalid statement" and found:
        span = Span(start + found.start(1), start + found.end(1))
        yield Flaw(span, "is no comment of TOML", "begin it with #")


def _sign(broken: Broken) -> Iterator[Flaw]:
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


def _anything(broken: Broken) -> Iterator[Flaw]:
    said = _SAID.get(broken.said, broken.said[:1].lower() + broken.said[1:])
    at = broken.at
    start, line = broken.row
    if at >= start + len(line) and line.strip():
        at = start + len(line.rstrip()) - 1
    yield Flaw(Span(at, at + 1), f"is not TOML: {said}", None, broken.places.at)


_JUDGES: tuple[Callable[[Broken], Iterator[Flaw]], ...] = (
    _twice,
    _conflict,
    _strange,
    comma,
    _header,
    _unended,
    _escape,
    _control,
    _comment,
    _sign,
    no_such_value,
    _anything,
)
