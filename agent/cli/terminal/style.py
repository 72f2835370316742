"""Colour by meaning, and only where somebody looks.

    good     green        what is well, who may pass
    bad      red          what failed, who was refused
    doubt    yellow       what to look at
    quiet    dim          what is there for completeness
    strong   bold         what the eye is to find first

The sixteen colours of the terminal's own palette: they are legible on light and on dark. No colour
carries anything that the words do not say as well.
"""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from agent.domain.credential.name import spelt_out

NOTHING = "-"
"""What stands for None."""


class Meaning(StrEnum):
    """What a colour says; the value is its style."""

    GOOD = "green"
    BAD = "red"
    DOUBT = "yellow"
    QUIET = "dim"
    STRONG = "bold"


_CODES = {
    Meaning.GOOD: "32",
    Meaning.BAD: "31",
    Meaning.DOUBT: "33",
    Meaning.QUIET: "2",
    Meaning.STRONG: "1",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a table or record, and what it means to the reader."""

    value: object
    meaning: Meaning | None = None


def judged(is_so: object, otherwise: Meaning = Meaning.BAD) -> Cell:
    """A yes, which is good, or a no, and what that means."""
    return Cell("yes", Meaning.GOOD) if is_so else Cell("no", otherwise)


def plain(value: object) -> str:
    """``value`` as text with every control character spelled out, and a dash for None."""
    if value is None:
        return NOTHING
    return spelt_out(str(value))


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at it."""
    return stream.isatty()


def is_coloured(stream: TextIO) -> bool:
    """Whether it shows colours: a terminal that has some, unless NO_COLOR says otherwise.

    After no-color.org: the variable counts where it is set and not empty.
    """
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and not is_dumb()


def is_dumb() -> bool:
    """Whether the terminal, where there is one, can do no more than print."""
    return os.environ.get("TERM", "") in ("", "dumb")


def styled(text: str, meaning: Meaning | None, stream: TextIO | None = None) -> str:
    """``text`` in its colour where ``stream`` (stdout) shows any; it must be plain already."""
    if meaning is None or not is_coloured(sys.stdout if stream is None else stream):
        return text
    return f"\x1b[{_CODES[meaning]}m{text}\x1b[0m"
