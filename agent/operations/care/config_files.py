"""The config in a backup: gate.toml, and each file that it names, by the key that names it.

    config/gate.toml  config/broker.password_file  config/command_key.0.file  ...

Put back, nothing that is there is overwritten:

    nothing is there                 placed
    the same is there                same: it stays
    another is there                 beside: the backup's lies next to it, named by its moment
    it belongs outside the folder    beside, unless it is there: the config's own folder is all that
                                     is written to, whatever a config says
    it is the dead kiosk's own       left_out, of a successor: whoever has the old card has it too
    the folder takes nothing         unwritten

The gallery's key is no file of the config: it goes with the state.
"""

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from agent.errors import RefusedError, UnavailableError
from agent.operations.care.archive import odd
from agent.operations.config.boot_file import PRIVATE, PUBLIC, leaves
from agent.operations.config.boot_kept import handed
from agent.operations.files import sync_folder, write_whole

FOLDER = "config"
"""The folder in a backup in which they lie: none of the state folder's names."""
MOST_BYTES = 1_000_000
"""Of one of them."""
_GATE = "gate.toml"
_GALLERY_KEY = "store.key_file"
_KEY = re.compile(r"[a-z_]+(?:\.[a-z0-9_]+)+")
_OWN = frozenset({"broker.password_file", "broker.cert_file", "broker.key_file"})
"""Who a kiosk is to the broker."""
PLACED, SAME, BESIDE, LEFT_OUT, UNWRITTEN = "placed", "same", "beside", "left_out", "unwritten"


@dataclass(frozen=True, slots=True)
class Part:
    """One file; ``key`` names it in the config, ``gate.toml`` is the config itself."""

    key: str
    content: bytes = field(repr=False)

    @property
    def name(self) -> PurePosixPath:
        """Its name in the backup."""
        return PurePosixPath(FOLDER, self.key)

    @property
    def is_config(self) -> bool:
        """Whether it is gate.toml itself."""
        return self.key == _GATE


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one; ``path`` is where it lies now, ``belongs`` where the config wants it."""

    key: str
    outcome: str
    path: Path | None
    belongs: Path

    @property
    def is_taken(self) -> bool:
        """Whether another one lies where it belongs, and it could lie there else."""
        return self.path is not None and self.path.parent == self.belongs.parent

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return {
            "of": self.key,
            "outcome": self.outcome,
            "file": None if self.path is None else str(self.path),
            "belongs": str(self.belongs),
        }


def gathered(config: Path) -> tuple[list[Part], list[str]]:
    """The files of the config at ``config``, gate.toml first; what cannot be had, with the reason.

    Raises:
        UnavailableError: the config itself cannot be read.
    """
    text = _read(config)
    if text is None:
        raise UnavailableError(f"{config} cannot be read", "run as the user who may read it")
    parts, left_out = [Part(_GATE, text)], []
    for key, said in _named(text).items():
        content = _read(config.parent / said)
        if content is None:
            left_out.append(f"{key}: {said} cannot be read, or is no file")
        else:
            parts.append(Part(key, content))
    return parts, left_out


def checked(parts: Sequence[Part]) -> Sequence[Part]:
    """``parts`` as they came out of a backup, gate.toml first.

    Raises:
        RefusedError: ``odd_backup``: one of them is named by no key of the config.
    """
    if parts and (not parts[0].is_config or {one.key for one in parts[1:]} - set(_of(parts))):
        raise odd("a file in it is none of the config's")
    return parts


def put_back(
    parts: Sequence[Part], config: Path, made: datetime, *, successor: bool, dry_run: bool = False
) -> list[Placed]:
    """Lay them where ``config`` lies or is to lie; with a dry run only say where.

    ``made`` is when the backup was. The config itself goes last: an agent that starts meanwhile
    finds what it names.
    """
    return [
        _put(one, said, config, made, successor=successor, dry_run=dry_run)
        for one, said in [(one, _of(parts).get(one.key)) for one in (*parts[1:], *parts[:1])]
    ]


def _of(parts: Sequence[Part]) -> Mapping[str, str]:
    try:
        return _named(parts[0].content)
    except RefusedError:
        return {}


def _put(
    one: Part, said: str | None, config: Path, made: datetime, *, successor: bool, dry_run: bool
) -> Placed:
    folder = config.parent
    belongs = config if said is None else Path(os.path.normpath(folder / said))
    if successor and one.key in _OWN:
        return Placed(one.key, LEFT_OUT, None, belongs)
    if _read(belongs) == one.content:
        return Placed(one.key, SAME, belongs, belongs)
    within = belongs.parent.resolve().is_relative_to(folder.resolve())
    name = belongs.name if within else one.key
    place, outcome = belongs, PLACED
    if not within or os.path.lexists(belongs):
        place = (belongs.parent if within else folder) / f"{name}.of-{made:%Y%m%dT%H%M%SZ}"
        outcome = BESIDE
        if _read(place) == one.content:
            return Placed(one.key, BESIDE, place, belongs)
    taken = outcome is BESIDE and os.path.lexists(place)
    if taken or not os.access(_existing(place.parent), os.W_OK | os.X_OK):
        return Placed(one.key, UNWRITTEN, None, belongs)
    try:
        if not dry_run:
            _write(one, place)
    except (OSError, UnavailableError):
        return Placed(one.key, UNWRITTEN, None, belongs)
    return Placed(one.key, outcome, place, belongs)


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())


def _write(one: Part, place: Path) -> None:
    if one.is_config:
        whose = handed(0o640)
    elif PRIVATE & set(one.key.split(".")):
        whose = handed(0o600, owned=True)
    else:
        whose = handed(0o644)
    place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_whole(one.content, place, handed=whose)
    sync_folder(place.parent)


def _named(text: bytes) -> dict[str, str]:
    """The files that a config names: each path as it says it, by the key.

    Raises:
        RefusedError: ``odd_backup``: it is no TOML.
    """
    try:
        data = tomllib.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise odd("its config is no TOML") from error
    return dict(_paths(data))


def _paths(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, value in leaves(data):
        key = ".".join(map(str, path))
        last = next((one for one in reversed(path) if isinstance(one, str)), "")
        if key == _GALLERY_KEY or last not in PUBLIC | PRIVATE or not _KEY.fullmatch(key):
            continue
        if isinstance(value, str) and value and "\0" not in value:
            yield key, value


def _read(path: Path) -> bytes | None:
    """What lies there; None where it is no file, too large, or not for this user."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = stream.read(MOST_BYTES + 1)
    return content if len(content) <= MOST_BYTES else None
