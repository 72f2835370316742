"""Which of two versions is the newer one, as Debian compares them (deb-version(7)).

    [epoch:]upstream[-revision]     ~ sorts before the end, letters before all other characters

A release that is built before its tag (``0.2.0~git...``) so comes before it.
"""

import re

_FORM = re.compile(r"(?:(\d+):)?([A-Za-z0-9.+~:-]*?)(?:-([A-Za-z0-9.+~]*))?")
_PAIRS = re.compile(r"(\D*)(\d*)")
_LONGEST = 128
Key = tuple[tuple[tuple[int, ...], int], ...]


def newer(one: str, other: str) -> bool:
    """Whether ``one`` comes after ``other``."""
    return _key(one) > _key(other)


def is_version(text: str) -> bool:
    """Whether it is one, and may be the name of a folder."""
    return bool(_FORM.fullmatch(text)) and text[:1].isdigit() and len(text) <= _LONGEST


def _key(version: str) -> tuple[int, Key, Key]:
    found = _FORM.fullmatch(version)
    epoch, upstream, revision = (None, version, None) if found is None else found.groups()
    return int(epoch or 0), _part(upstream), _part(revision or "")


def _part(text: str) -> Key:
    """Turns of what is no digit and of a number; the end of the former counts as 0."""
    return tuple(
        ((*map(_weight, letters), 0), int(digits or 0)) for letters, digits in _PAIRS.findall(text)
    )


def _weight(char: str) -> int:
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256
