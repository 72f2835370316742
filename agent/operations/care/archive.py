"""What lies in a backup: whose it is, then file after file, then how many there were.

    record   length (4 bytes, big-endian) | a JSON object of that length
    about    {"format": 2, "agent": …, "kiosk": …, "made": …, "clock_trusted": …, "keys": …}
    file     {"name": "models/retail/pack.json", "size": 1234}, then so many bytes
    end      {"end": 14}

Format 1 is the same without the config. A name is a path below the state folder, or ``config/KEY``
for the config and what it names. Whatever it says, nothing is believed of it here but that
it leads nowhere else: which names there may be is the state's table to say.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from agent.domain.foreign.boundary import boundary
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import utc_text
from agent.domain.hours.iso_time import read_moment
from agent.errors import GateAgentError, RefusedError
from agent.operations.care.vault import CHUNK_BYTES, VaultReader, VaultWriter, damaged

_FORMAT, _KNOWN = 2, (1, 2)
_LENGTH = struct.Struct(">I")
_MOST_RECORD_BYTES = 16_384
_MOST_FILES = 20_000
_MOST_DEPTH, _MOST_NAME_BYTES = 6, 255


@dataclass(frozen=True, slots=True)
class About:
    """Whose backup it is; ``kiosk`` is None where no config said it, ``keys`` where there are none.

    ``keys`` are the public halves, as ``key show --json`` has them.
    """

    agent: str
    kiosk: str | None
    made: datetime
    clock_trusted: bool
    keys: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of it; ``size`` in bytes."""

    name: PurePosixPath
    size: int


class ArchiveWriter:
    """Puts files into a backup, one behind the other."""

    def __init__(self, vault: VaultWriter, about: About) -> None:
        """Say whose it is."""
        self._vault = vault
        self._count = 0
        self._record(
            {
                "format": _FORMAT,
                "agent": about.agent,
                "kiosk": about.kiosk,
                "made": utc_text(about.made),
                "clock_trusted": about.clock_trusted,
                "keys": about.keys,
            }
        )

    def add(self, entry: Entry, content: BinaryIO, advance: Callable[[int], None]) -> None:
        """One file, of which so many bytes are taken as ``entry`` says.

        ``advance`` hears of each piece how long it was.

        Raises:
            RefusedError: ``changed_meanwhile``: it is shorter by now.
        """
        self._record({"name": str(entry.name), "size": entry.size})
        left = entry.size
        while left:
            data = content.read(min(left, CHUNK_BYTES))
            if not data:
                raise RefusedError("changed_meanwhile", f"{entry.name} became shorter\nFix: repeat")
            self._vault.write(data)
            advance(len(data))
            left -= len(data)
        self._count += 1

    def close(self) -> None:
        """Make it whole; the stream stays open."""
        self._record({"end": self._count})
        self._vault.close()

    def _record(self, said: Mapping[str, Any]) -> None:
        text = json.dumps(said).encode()
        self._vault.write(_LENGTH.pack(len(text)) + text)


class ArchiveReader:
    """Reads what ``ArchiveWriter`` wrote, once and in order."""

    def __init__(self, vault: VaultReader) -> None:
        """Read whose it is.

        Raises:
            RefusedError: ``damaged_backup``, ``newer_backup``.
        """
        self._vault = vault
        said = self._record()
        if said.get("format") not in _KNOWN:
            fix = "restore it with the agent that made it, or a newer one"
            raise RefusedError("newer_backup", f"its contents are not known here\nFix: {fix}")
        self.about = _about(said)

    def files(self) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Each file and its content in pieces, which need not be read; then that it was whole.

        Raises:
            RefusedError: ``damaged_backup``: it is not what it says; ``odd_backup``: a name leads
                elsewhere, or comes twice.
        """
        count, names = 0, set[str]()
        while "end" not in (said := self._record()):
            entry = _entry(said)
            count += 1
            if str(entry.name) in names or count > _MOST_FILES:
                raise odd("a file comes twice in it, or there are too many")
            names.add(str(entry.name))
            content = self._content(entry.size)
            yield entry, content
            for _ in content:
                pass
        if said["end"] != count:
            raise damaged()
        self._vault.end()

    def _content(self, size: int) -> Iterator[bytes]:
        while size:
            data = self._vault.exactly(min(size, CHUNK_BYTES))
            size -= len(data)
            yield data

    def _record(self) -> dict[str, Any]:
        (length,) = _LENGTH.unpack(self._vault.exactly(_LENGTH.size))
        if length > _MOST_RECORD_BYTES:
            raise damaged()
        return _object(self._vault.exactly(length))


def odd(what: str) -> RefusedError:
    """What is said of a backup that no agent makes."""
    fix = "do not use it; ask who gave it to you"
    return RefusedError("odd_backup", f"no agent made this backup: {what}\nFix: {fix}")


@boundary("backup", damaged, GateAgentError)
def _object(text: bytes) -> dict[str, Any]:
    said = read_json(text)
    if not isinstance(said, dict):
        raise damaged()
    return said


@boundary("backup", damaged, GateAgentError)
def _about(said: Mapping[str, Any]) -> About:
    kiosk, keys = said["kiosk"], said["keys"]
    if not isinstance(kiosk, str | None) or not isinstance(keys, dict | None):
        raise damaged()
    made = read_moment(said["made"])
    if made.tzinfo is None:
        raise damaged()
    return About(str(said["agent"]), kiosk, made, said["clock_trusted"] is True, keys)


def _entry(said: Mapping[str, Any]) -> Entry:
    name, size = said.get("name"), said.get("size")
    if not isinstance(name, str) or type(size) is not int or size < 0:
        raise damaged()
    # Not by the parts of a path, which has lost doubled slashes and dots by then.
    parts = name.split("/")
    if len(parts) > _MOST_DEPTH or any(not _is_plain(part) for part in parts):
        raise odd("a name in it leads elsewhere")
    return Entry(PurePosixPath(name), size)


def _is_plain(part: str) -> bool:
    # What begins with a dot is a draft or a lock: no agent puts one into a backup.
    try:
        length = len(part.encode())
    except UnicodeEncodeError:
        return False
    return (
        bool(part)
        and not part.startswith(".")
        and part.isprintable()
        and ("\\" not in part and length <= _MOST_NAME_BYTES)
    )
