"""Where in a TOML text each key and value stands, so that a finding names its place.

``tomllib`` keeps no positions. This reads the same text again for them and nothing else: table
headers, dotted keys, inline tables, lists. It judges nothing, so it also reads a text that is no
TOML as far as it goes, and then says what was open there.
"""

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

_DEEPEST = 12
"""Keys further down are not looked for: no schema is so deep, and a text of dots might be."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\n\r]|#[^\n]*)*")
STRINGS = tuple(
    (re.compile(opens), re.compile(closes, re.DOTALL))
    for opens, closes in (
        (r'"""', r'(?:[^"\\]|\\.|"(?!""))*"{3,5}'),
        (r"'''", r"(?:[^']|'(?!''))*'{3,5}"),
        (r'"', r'(?:[^"\\\n]|\\.)*"'),
        (r"'", r"[^'\n]*'"),
    )
)
"""How a string begins, and how it goes on to its end."""
_SCALAR = re.compile(r"[^,\]}#\n]*")


class Span(NamedTuple):
    """A part of the text, from ``start`` to before ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands, and its value; a header is a key without a value, an item has no key."""

    key: Span | None = None
    value: Span | None = None
    header: bool = False

    @property
    def span(self) -> Span | None:
        """What a finding about the value points at."""
        return self.value or self.key


@dataclass(slots=True)
class Places:
    """What was found in ``text``; a key's place is that of its first appearance.

    ``open`` has what had begun and not ended where the text broke off, the innermost last;
    ``at`` is the key whose value was being read there. ``twice`` are keys that stood there before.
    """

    text: str
    found: dict[KeyPath, Place] = field(default_factory=dict)
    twice: list[tuple[KeyPath, Span]] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    at: KeyPath = ()
    starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Find where the lines begin."""
        self.starts = [0, *(found.end() for found in re.finditer("\n", self.text))]

    def of(self, path: KeyPath) -> Place | None:
        """The place of ``path``, or None."""
        return self.found.get(path)

    def near(self, path: KeyPath) -> Place | None:
        """The place of ``path``, or of the nearest thing around it that has one."""
        ends = range(len(path), 0, -1)
        return next((self.found[path[:end]] for end in ends if path[:end] in self.found), None)

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """A line by its number from 1, without its end."""
        ends = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : ends]

    def part(self, span: Span | None) -> str:
        """The text of ``span``."""
        return "" if span is None else self.text[span.start : span.end]

    def rename(self, old: KeyPath, new: KeyPath) -> None:
        """Call what stands at ``old``, and all within it, ``new``."""
        size = len(old)
        inner = [path for path in self.found if path[:size] == old and path != old]
        for path in inner:
            self.found.setdefault((*new, *path[size:]), self.found[path])
        if old in self.found:
            self.found.setdefault(new, self.found[old])


def places_in(text: str) -> Places:
    """Every key, header and value of ``text``; as far as it can be read."""
    # As tomllib reads it, so that both count the same characters.
    places = Places(text.replace("\r\n", "\n"))
    return read(places, len(places.text))


def read(places: Places, limit: int) -> Places:
    """The same with what stands up to the character ``limit``, and what was open there."""
    reader = _Reader(places, limit)
    try:
        reader.document()
    except (_BrokenOffError, RecursionError):
        places.open = reader.open
        places.at = reader.at
    return places


class _BrokenOffError(Exception):
    """Here the text is no TOML."""


class _Reader:
    def __init__(self, places: Places, limit: int) -> None:
        self._text, self._places, self._limit = places.text, places, limit
        self._pos = 0
        self._counts: dict[KeyPath, int] = {}
        self._said: set[KeyPath] = set()
        self.open: list[int] = []
        self.at: KeyPath = ()

    def document(self) -> None:
        table: KeyPath = ()
        while (self._skip(_GAP)) < len(self._text):
            self.open, self.at = [], ()
            if self._text[self._pos] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)
            if self._pos < len(self._text) and self._text[self._pos] not in "\n#":
                raise _BrokenOffError

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._pos)
        self._pos = found.end() if found else self._pos
        return self._pos

    def _take(self, word: str) -> None:
        if not self._text.startswith(word, self._pos):
            raise _BrokenOffError
        self._pos += len(word)

    def _header(self) -> KeyPath:
        start = self._pos
        self.open.append(start)
        many = self._text.startswith("[[", start)
        self._take("[[" if many else "[")
        names = self._key()
        self._take("]]" if many else "]")
        self.open.pop()
        path, span = self._resolve(names, append=many), Span(start, self._pos)
        # [[door]] behind [door] is no other door; the first [[door]] makes door itself.
        said = path[:-1] if many and path[-1] == 0 else path
        if said in self._said:
            self._places.twice.append((said, span))
        self._said.add(path)
        self._add(path, Place(span, header=True))
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self._pos
        names = self._key()
        span = Span(start, start + len(self._text[start : self._pos].rstrip()))
        path = (*table, *names)
        self.at = path
        self._take("=")
        self._skip(_SPACE)
        known = path in self._places.found
        if known:
            self._places.twice.append((path, span))
        self._said.add(path)
        begins = self._pos
        if not known:
            self._add(path, Place(span, Span(begins, begins)))
        self._value(path)
        if not known and len(path) <= _DEEPEST:
            self._places.found[path] = Place(span, Span(begins, self._pos))

    def _key(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            self._skip(_SPACE)
            names.append(self._name())
            self._skip(_SPACE)
            if not self._text.startswith(".", self._pos):
                return tuple(names)
            self._pos += 1

    def _name(self) -> str:
        start = self._pos
        if self._text.startswith(("'", '"'), start):
            self._string()
            return _unquoted(self._text[start : self._pos])
        if self._skip(_BARE) == start:
            raise _BrokenOffError
        return self._text[start : self._pos]

    def _value(self, path: KeyPath) -> None:
        start = self._pos
        self.at = path
        char = self._text[start : start + 1]
        if char in ("'", '"'):
            self._string()
        elif char == "[":
            self._list(path)
        elif char == "{":
            self._inline(path)
        else:
            self._skip(_SCALAR)
            self._pos = start + len(self._text[start : self._pos].rstrip())
            if self._pos == start:
                raise _BrokenOffError
        if self._pos > self._limit:
            raise _BrokenOffError

    def _string(self) -> None:
        for opens, rest in STRINGS:
            if found := opens.match(self._text, self._pos):
                ends = rest.match(self._text, found.end())
                if ends is None:
                    self.open.append(self._pos)
                    raise _BrokenOffError
                self._pos = ends.end()
                return

    def _list(self, path: KeyPath) -> None:
        self.open.append(self._pos)
        self._take("[")
        number = 0
        while not self._text.startswith("]", self._skip(_GAP)):
            item, start = (*path, number), self._pos
            self._value(item)
            if len(item) <= _DEEPEST:
                self._places.found[item] = Place(value=Span(start, self._pos))
            number += 1
            if not self._text.startswith(",", self._skip(_GAP)):
                break
            self._pos += 1
        self.at = path
        self._skip(_GAP)
        self._take("]")
        self.open.pop()

    def _inline(self, path: KeyPath) -> None:
        self.open.append(self._pos)
        self._take("{")
        self._skip(_SPACE)
        while not self._text.startswith("}", self._pos):
            self._pair(path)
            self._skip(_SPACE)
            if not self._text.startswith(",", self._pos):
                break
            self._pos += 1
            self._skip(_SPACE)
            if self._text.startswith("}", self._pos):
                raise _BrokenOffError
        self.at = path
        self._take("}")
        self.open.pop()

    def _add(self, path: KeyPath, place: Place) -> None:
        if len(path) > _DEEPEST:
            return
        # What is around it begins here too, where it has not begun before: [[door]] makes door.
        for end in range(1, len(path)):
            self._places.found.setdefault(path[:end], place)
        self._places.found.setdefault(path, place)

    def _resolve(self, names: tuple[str, ...], *, append: bool) -> KeyPath:
        path: KeyPath = ()
        for i, name in enumerate(names):
            path = (*path, name)
            if append and i == len(names) - 1:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        return path


def _unquoted(name: str) -> str:
    inner = name[1:-1]
    if name.startswith("'") or "\\" not in inner:
        return inner
    try:
        value = tomllib.loads(f"x = {name}")["x"]
    except tomllib.TOMLDecodeError:
        return inner
    return str(value)
