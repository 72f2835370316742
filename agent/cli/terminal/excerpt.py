"""A fault of a file for people: what is wrong, where, and the line with a mark under it.

    door[0].pin: should be a whole number from 0 to 27
      --> gate.toml:23:7
       |
    23 | pin = 99
       |       ^^
    Fix: ...

As rustc and ruff show it. Columns of the terminal, not characters, lie under the mark: a Chinese
character has two. A long line is cut around the mark.
"""

import os
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from agent.cli.terminal.style import Meaning, is_terminal, plain, styled
from agent.errors import Fault

_UNSEEN_WIDTH = 120
"""Where nobody looks at a terminal a line of thousands of characters is cut all the same."""
_LEAST_WIDTH = 20
_AROUND = 500
_TAB = "    "
_CUT = "..."


class Screen(NamedTuple):
    """What a stream shows: its columns, whether somebody looks, which characters, colours."""

    width: int
    seen: bool
    encoding: str
    stream: TextIO | None = None

    def styled(self, text: str, meaning: Meaning) -> str:
        """``text``, which must be plain already, in its colour where there is any."""
        return text if self.stream is None else styled(text, meaning, self.stream)


def screen_of(stream: TextIO) -> Screen:
    """The screen behind ``stream``."""
    seen, width = is_terminal(stream), _UNSEEN_WIDTH
    if seen:
        try:
            width = os.get_terminal_size(stream.fileno()).columns or _UNSEEN_WIDTH
        except (OSError, ValueError):
            seen = False
    return Screen(max(width, _LEAST_WIDTH), seen, stream.encoding or "ascii", stream)


def shown(fault: Fault, source: str, screen: Screen, word: str = "") -> Iterator[str]:
    """The lines of a fault of the file ``source``; ``word`` stands before them: error, warning."""
    meaning = Meaning.DOUBT if word == "warning" else Meaning.BAD
    key = "" if fault.key is None or word else f"{fault.key}: "
    message = _wrapped(f"{word}{': ' if word else ''}{plain(key + fault.message)}", screen)
    if word:
        yield screen.styled(f"{word}:", meaning) + message[0][len(word) + 1 :]
    else:
        yield screen.styled(message[0], Meaning.STRONG)
    yield from (line if word else screen.styled(line, Meaning.STRONG) for line in message[1:])
    if fault.line is not None:
        yield from _place(fault, source, screen, meaning)
    elif not word:
        yield f"{screen.styled(' -->', Meaning.QUIET)} {plain(source)}"
    if fault.fix is not None:
        yield from _wrapped(f"Fix: {plain(fault.fix)}", screen)


def _wrapped(text: str, screen: Screen) -> list[str]:
    if not screen.seen:
        return [text]
    return textwrap.wrap(text, screen.width, subsequent_indent="  ", break_on_hyphens=False)


def _place(fault: Fault, source: str, screen: Screen, meaning: Meaning) -> Iterator[str]:
    number = str(fault.line)
    margin = " " * len(number)
    arrow, bar = (
        screen.styled(f"{margin}-->", Meaning.QUIET),
        screen.styled(f"{margin} |", Meaning.QUIET),
    )
    yield f"{arrow} {plain(source)}:{fault.line}:{fault.column}"
    if fault.excerpt is None:
        return
    line, before, under = _around(fault, screen, screen.width - len(number) - len(" | "))
    yield bar
    yield f"{screen.styled(f'{number} |', Meaning.QUIET)} {line}".rstrip()
    yield f"{bar} {' ' * before}{screen.styled('^' * under, meaning)}"


class _Cell(NamedTuple):
    text: str
    columns: int


def _cell(char: str, encoding: str) -> _Cell:
    text = _TAB if char == "\t" else plain(char)
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    if text != char:
        return _Cell(text, len(text))
    if unicodedata.combining(char):
        return _Cell(text, 0)
    return _Cell(text, 2 if unicodedata.east_asian_width(char) in "WF" else 1)


def _around(fault: Fault, screen: Screen, room: int) -> tuple[str, int, int]:
    """The line cut to ``room`` columns around its mark, the columns before that, and under it."""
    text, (start, end) = fault.excerpt or "", fault.mark
    first, last = max(start - _AROUND, 0), min(len(text), start + _AROUND)
    cells = [_cell(char, screen.encoding) for char in text[first:last]]
    start, end = start - first, min(end, last) - first
    cut_left, cut_right = first > 0, last < len(text)
    low, high = 0, len(cells)
    while high > low and _columns(cells[low:high]) > room - len(_CUT) * (cut_left + cut_right):
        # What is far from the mark goes first, so that a little is left on both sides.
        if high > end and (low >= start or high - end >= start - low):
            high, cut_right = high - 1, True
        elif low < start:
            low, cut_left = low + 1, True
        else:
            high, cut_right = high - 1, True
    line = "".join(cell.text for cell in cells[low:high])
    before = len(_CUT) * cut_left + _columns(cells[low:start])
    under = max(_columns(cells[start : min(end, high)]), 1)
    return f"{_CUT * cut_left}{line}{_CUT * cut_right}", before, under


def _columns(cells: list[_Cell]) -> int:
    return sum(cell.columns for cell in cells)
