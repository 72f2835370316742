"""How a word that somebody answers with becomes a value of a first gate, and is shown again.

A reader raises ValueError with what is wrong; what may stand there its question says.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from agent.config.mask import mask_address
from agent.domain.credential.near import did_you_mean
from agent.errors import GateAgentError
from agent.operations.config.first_gate import Eye
from agent.operations.passes.keys import read_public_key

NONE = "none"
_YES, _NO = ("yes", "y"), ("no", "n")
_PHOTOGRAPHS = (".jpg", ".jpeg", ".png")
_HEADER = (
    *(27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33),
    *(8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13),
)
"""Where each BCM number is on the 40-pin header."""


def header_position(pin: int) -> int:
    """The place on the 40-pin header that the BCM number ``pin`` has, counted from 1."""
    return _HEADER[pin]


def text(word: str) -> str:
    """The word as it is, where a file can hold it."""
    try:
        word.encode()
    except UnicodeEncodeError as error:
        raise ValueError("is no text that a file can hold") from error
    return word


def device(word: str) -> str:
    """The path of a device, which need not be plugged in yet."""
    if not word.startswith("/dev/"):
        raise ValueError("is no path in /dev")
    return text(word)


def zone(word: str) -> str:
    """An IANA time zone, with the near match where there is none."""
    known = available_timezones()
    if word in known:
        return word
    near = did_you_mean(word, known)
    if not near:
        # Whoever names a city alone means the zone that ends with it.
        city = word.replace(" ", "_").casefold()
        ends = sorted(one for one in known if one.rpartition("/")[2].casefold() == city)
        near = f"; did you mean {ends[0]!r}?" if ends else ""
    try:
        ZoneInfo(word)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"no time zone {word!r}{near}") from None
    return word


def whole(word: str) -> int:
    """A whole number."""
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise ValueError("is no whole number")
    return int(word)


def pin(word: str) -> int:
    """A BCM number of the header."""
    found = whole(word)
    if found >= len(_HEADER):
        raise ValueError(f"there is no BCM {found}")
    return found


def seconds(word: str) -> float:
    """A number of seconds."""
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError("is no number of seconds")
    return found


def level(word: str) -> bool:
    """Whether it is the high one."""
    return one_of("high", "low")(word) == "high"


def level_shown(value: object) -> str:
    """A level as it was answered."""
    return "high" if value else "low"


def yes(word: str) -> bool:
    """Yes or no."""
    if word.casefold() not in (*_YES, *_NO):
        raise ValueError("is neither yes nor no")
    return word.casefold() in _YES


def one_of(*words: str) -> Callable[[str], str]:
    """What reads one of these, and names the near one where it is none."""

    def read(word: str) -> str:
        if word not in words:
            raise ValueError(f"is none of them{did_you_mean(word, words)}")
        return word

    return read


def or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same, where ``none`` may be said too."""
    return lambda word: None if word == NONE else read(word)


def words(word: str) -> tuple[str, ...]:
    """Several words with commas between them."""
    return tuple(one.strip() for one in text(word).split(","))


def file_beside(folder: Path) -> Callable[[str], str]:
    """What reads the name of a file that is there, as a config in ``folder`` names it."""

    def read(word: str) -> str:
        path = Path(text(word)).expanduser()
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            raise ValueError(f"there is no file {word}")
        return place_beside(folder, path)

    return read


def public_key_beside(folder: Path) -> Callable[[str], str]:
    """What reads the name of a file with somebody's public key."""
    file = file_beside(folder)

    def read(word: str) -> str:
        named = file(word)
        try:
            read_public_key(Path(word).expanduser())
        except GateAgentError as error:
            raise ValueError("holds no public key") from error
        return named

    return read


def place_beside(folder: Path, path: Path) -> str:
    """``path`` as a config in ``folder`` names it: short where it lies beneath, else absolute."""
    found, around = path.absolute(), folder.absolute()
    return str(found.relative_to(around) if found.is_relative_to(around) else found)


def camera(folder: Path) -> Callable[[str], Eye]:
    """What reads a camera: one of the board, a device, an address, a film, or photographs."""
    file = file_beside(folder)

    def read(word: str) -> Eye:
        name, colon, rest = word.partition(":")
        if name == "picamera2":
            return Eye("picamera2", whole(rest) if colon else 0)
        if name == "simulated" and colon:
            return Eye("simulated", tuple(file(one) for one in words(rest)))
        if "://" in word or word.startswith("/dev/"):
            return Eye("opencv", text(word))
        if word.isascii() and word.isdigit():
            return Eye("opencv", whole(word))
        if Path(word).suffix.lower() in _PHOTOGRAPHS:
            return Eye("simulated", (file(word),))
        return Eye("opencv", file(word))

    return read


def shown(value: object) -> str:
    """An answer as a person would give it; no login of an address is in it."""
    if isinstance(value, Eye):
        if value.kind == "picamera2":
            return f"picamera2:{value.source}"
        source = value.source
        return f"simulated:{shown(source)}" if value.kind == "simulated" else shown(source)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(shown, value))
    if isinstance(value, float):
        return f"{value:g}"
    return NONE if value is None else mask_address(str(value))
