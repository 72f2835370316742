"""Where the gallery's key lies, and what a stolen card would tell: names and faces, or none.

Sealing keeps nothing from whoever has the key as well. Linux tells on which disk a file lies; what
it does not tell (a network's or an overlay's file system) counts as the data's own card.
"""

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from agent.app.open.site import Site

_DEVICES = Path("/sys/dev/block")
_NO_DISK = 0
"""The major number of file systems that lie on no disk of their own."""


class KeyPlace(Enum):
    """Where the key lies, seen from the data."""

    BESIDE = "in the state folder"
    SAME_CARD = "on the card of the state folder"
    HANDED_OVER = "handed over by systemd"
    ELSEWHERE = "on another disk than the state folder"
    UNKNOWN = "where this machine does not tell the disk"

    @property
    def told(self) -> str:
        """What whoever steals the card reads."""
        return _TOLD[self]


_ALL = "a stolen card tells every name and every face's template, for the key is on it"
_LITTLE = (
    "a stolen card tells ids, categories, validity and what happened, but no name and no face,"
    " unless that disk goes with it"
)
_TOLD = {
    KeyPlace.BESIDE: _ALL,
    KeyPlace.SAME_CARD: _ALL,
    KeyPlace.HANDED_OVER: (
        "where LoadCredential takes it from this card, a stolen card tells every name and every"
        " face's template; LoadCredentialEncrypted with a TPM, or another disk, keeps them"
    ),
    KeyPlace.ELSEWHERE: _LITTLE,
    KeyPlace.UNKNOWN: (
        "take it that a stolen card tells every name and every face's template, for the key may be"
        " on it"
    ),
}


@dataclass(frozen=True, slots=True)
class KeyLies:
    """The key's file and its place."""

    file: Path
    place: KeyPlace

    def __str__(self) -> str:
        """For people."""
        return f"{self.file}, {self.place.value}: {self.place.told}"


def key_lies(site: Site) -> KeyLies:
    """Where the site's key lies, or would be made."""
    return KeyLies(site.key_file, _place(site))


def _place(site: Site) -> KeyPlace:
    handed_over = os.environ.get("CREDENTIALS_DIRECTORY")
    if handed_over and site.key_file.parent == Path(handed_over):
        return KeyPlace.HANDED_OVER
    key, state = Path(os.path.realpath(site.key_file)), Path(os.path.realpath(site.state))
    if key.is_relative_to(state):
        return KeyPlace.BESIDE
    one, other = _device(key), _device(state)
    if one == other:
        return KeyPlace.SAME_CARD
    disks = {_disk(one), _disk(other)}
    if None in disks:
        return KeyPlace.UNKNOWN
    return KeyPlace.SAME_CARD if len(disks) == 1 else KeyPlace.ELSEWHERE


def _device(path: Path) -> int | None:
    """The file system of ``path``, or of the nearest folder around it that can be looked at."""
    for place in (path, *path.parents):
        try:
            return place.stat().st_dev
        except OSError:
            continue
    return None


def _disk(device: int | None) -> str | None:
    """The whole disk that a file system lies on, of which it may be one part."""
    if device is None or os.major(device) == _NO_DISK:
        return None
    found = _DEVICES / f"{os.major(device)}:{os.minor(device)}"
    if not found.exists():
        return None
    part = Path(os.path.realpath(found))
    return str(part.parent if (part / "partition").exists() else part)
