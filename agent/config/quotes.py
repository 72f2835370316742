"""Takes quotes of a word processor for the plain ones that TOML knows, where they can only be that.

For a file alone that somebody writes on any computer, at hand or not: the one on a kiosk's boot
partition. Everywhere else such a quote is an error, told with its place (``syntax``). What stands
within plain quotes, or behind a ``#``, stays as it is.
"""

import re
from typing import NamedTuple

from agent.config.lines import STRINGS

_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02"
_SINGLE = "\u2018\u2019\u201a\u201b\u2039\u203a\uff07"
TYPESET = _DOUBLE + _SINGLE
_TYPED = re.compile(
    rf'(?P<opens>[{TYPESET}])(?P<text>[^"\\\n{TYPESET}]*)(?P<closes>[{TYPESET}"])'
    rf'|(?P<plain>")(?P<said>[^"\\\n{TYPESET}]*)(?P<ends>[{TYPESET}])'
)
_COMMENT = re.compile(r"#[^\n]*")


class Straightened(NamedTuple):
    """The text, as long as it was, and the lines (from 1) in which a quote was replaced."""

    text: str
    lines: tuple[int, ...]


def straightened(text: str) -> Straightened:
    """``text`` with plain quotes where typeset ones stood around a value."""
    made, lines, at = list(text), set(), 0
    while at < len(text):
        taken = _whole(text, at)
        if taken is not None:
            at = taken
            continue
        found = _TYPED.match(text, at)
        if found is None:
            at += 1
            continue
        for place in (found.start(), found.end() - 1):
            made[place] = '"'
        lines.add(text.count("\n", 0, at) + 1)
        at = found.end()
    return Straightened("".join(made), tuple(sorted(lines)))


def _whole(text: str, at: int) -> int | None:
    """Where a comment, or a text in plain quotes, that begins at ``at`` ends; None: none does."""
    for pattern in (_COMMENT, *(opens for opens, _ in STRINGS)):
        begun = pattern.match(text, at)
        if begun is None:
            continue
        if pattern is _COMMENT:
            return begun.end()
        closes = next(ends for opens, ends in STRINGS if opens is pattern)
        ended = closes.match(text, begun.end())
        return None if ended is None else ended.end()
    return None
