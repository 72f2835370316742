"""Keeps what opens something out of what is shown of a config: logins, tokens, keys.

Passwords and keys belong into files of their own. What can carry a secret by right is the address
of a camera's stream; what carries one by mistake is a key that is called so, and the paths of those
files are hidden with it: somebody writes the password in the place of the path. To mask too much
shows nothing.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from agent.config.lines import KeyPath, Places, Span

MASK = "***"
_QUERY = re.compile(r"[?#]|/(?=[^/?#]*=)")
"""Where an address begins to say who asks: recorders write ``/user=admin&password=...`` as well."""
_SECRET = re.compile(
    r"(?:.*[_-])?(?:pass(?:word|wd|phrase|code)|pwd|secret|token|login|credentials?|user(?:name)?"
    r"|api-?key|key)(?:[_-].*)?",
    re.IGNORECASE,
)
_PUBLIC = frozenset({"command_key"})
"""A table about public halves."""
_WORD = re.compile(r"[\w-]+")
_SIGN = re.compile(r"""["']?\s*(?:[=:\uff1d\uff1a]\s*)?""")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BEFORE_LOGIN = " \t\"'=,["
_LONGEST_WORD = 100
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|$)")


class Shown(NamedTuple):
    """A line as it may be shown, and where the characters from ``start`` to ``end`` are in it."""

    text: str
    start: int
    end: int


def mask_address(source: str) -> str:
    """``source`` without the login and the query of an address, also one that is in its path.

    Everything before the last ``@`` counts as login: a password may hold any character.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        return source
    _, login, place = rest.rpartition("@")
    found = _QUERY.search(place)
    place, query = (place[: found.start()], found[0]) if found else (place, "")
    return scheme + separator + (MASK + login if login else "") + place + (query and query + MASK)


def is_secret(path: KeyPath) -> bool:
    """Whether the key, or a table around it, is called like something that opens."""
    names = (part[:_LONGEST_WORD] for part in path if isinstance(part, str) and part not in _PUBLIC)
    return any(_SECRET.fullmatch(name) for name in names)


def masked(text: str) -> str:
    """``text``, one line or a value of one, without what opens anything."""
    return _without(text, _hidden(text), 0, 0).text


def without_logins(text: str) -> str:
    """A sentence without the login and the query of an address that it names."""
    return _without(text, _addresses(text), 0, 0).text


def masked_line(places: Places, number: int, span: Span) -> Shown:
    """Line ``number`` (from 1) as it may be shown, and where ``span`` of the text lies in it."""
    line, start = places.line(number), places.starts[number - 1]
    hidden = [*_hidden(line), *_within(places, start, start + len(line))]
    first = min(max(span.start - start, 0), len(line))
    return _without(line, hidden, first, min(max(span.end - start, first), len(line)))


def _hidden(line: str) -> Iterable[Span]:
    """What of a line is not shown, by the line alone."""
    for word in _WORD.finditer(line):
        if len(word[0]) > _LONGEST_WORD or not _SECRET.fullmatch(word[0]):
            continue
        if sign := _SIGN.match(line, word.end()):
            yield Span(sign.end(), len(line))
            break
    yield from _addresses(line)
    if escape := _ESCAPE.search(line):
        yield Span(escape.start(), len(line))


def _addresses(line: str) -> Iterable[Span]:
    """Logins and queries of addresses in a line."""
    if login := _login(line):
        yield login
    if address := _SCHEME.search(line):
        begins = address.end()
        # To the line's end: where the text of an address ends only its quotes say, if they are
        # right.
        end = line.rfind("@", begins)
        if end > 0:
            yield Span(begins, end)
        if query := _QUERY.search(line, max(end, begins)):
            yield Span(query.start() + 1, len(line))


def _login(text: str) -> Span | None:
    """``user:password`` before an @, in an address without its scheme."""
    end = text.rfind("@")
    start = max(text.rfind(char, 0, max(end, 0)) for char in _BEFORE_LOGIN) + 1
    if ":" not in text[start : max(end, start)] or _SCHEME.search(text, start, end):
        return None
    return Span(start, end)


def _within(places: Places, start: int, end: int) -> Iterable[Span]:
    """What of the text from ``start`` to ``end`` is hidden because of the value it belongs to."""
    values = [
        (path, place.value)
        for path, place in places.found.items()
        if place.value is not None and not place.header
    ]
    if places.open:
        values.append((places.at, Span(places.open[-1], len(places.text))))
    for path, value in values:
        if value.start >= end or value.end <= start:
            continue
        if is_secret(path) or (value.start < start and _is_address(places.part(value))):
            yield Span(max(value.start, start) - start, min(value.end, end) - start)


def _is_address(text: str) -> bool:
    """Whether it is one text, over several lines, that may hold a login."""
    in_one = text.startswith(('"', "'"))
    return in_one and bool(_SCHEME.search(text) or _login(text))


def _without(line: str, hidden: Iterable[Span], start: int, end: int) -> Shown:
    text, done, first, last = "", 0, start, end
    for one in sorted(hidden):
        if one.end <= done or one.end == one.start:
            continue
        begins = max(one.start, done)
        if one.start >= done:
            text += line[done:begins] + MASK
        done = one.end
        if start > begins:
            first = len(text) - len(MASK) if start < done else len(text) + start - done
        if end > begins:
            last = len(text) if end <= done else len(text) + end - done
    return Shown(text + line[done:], first, last)
