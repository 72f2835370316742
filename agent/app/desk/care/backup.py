"""A backup: what the state's table says, copied beside a running agent into one sealed file.

    what is remembered --> registry and its keys, until both are of one moment --> other databases
                       --> files and folders --> the config and what it names --> read back
                       --> the backup has its name

Each database is copied as it was at one moment, into a draft in the state folder (never beside the
backup: a memory stick would keep it in clear), and goes from there into the backup. What is
remembered of the databases goes first: remembered less, it demands less.
"""

import contextlib
import fcntl
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO

from agent import __version__
from agent.adapters.store.copying import copy_database
from agent.adapters.store.keys import next_path
from agent.adapters.store.names import INDEX, LOG
from agent.app.open.files.kiosk_keys import public_keys
from agent.app.open.files.state import (
    IDENTITY,
    KEY,
    KEY_NEXT,
    MODELS,
    REGISTRY,
    ROWS,
    TOMBSTONE_KEY,
    Copy,
    Row,
    row_of,
)
from agent.app.open.site import Site, instant
from agent.domain.hours.instant import utc_text
from agent.errors import KeyUnavailableError, RefusedError, StoreError, UnavailableError
from agent.operations.care.archive import About, ArchiveReader, ArchiveWriter, Entry
from agent.operations.care.config_files import Part, gathered
from agent.operations.care.vault import Cost, VaultReader, VaultWriter, sealed_bytes
from agent.operations.files import replacing

Advance = Callable[[str, int, int], None]
"""What is being done, how many bytes of it are done, and of how many."""
_DRAFT = ".backup-"
_SPARE_BYTES = 4_000_000
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One file to copy: its name in the backup, where it lies, its row, and its size by now."""

    name: PurePosixPath
    path: Path
    row: Row
    size: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a backup would hold; ``left_out`` are names that no backup takes, with the reason.

    ``config`` is the config with the files that it names, empty without one.
    """

    files: list[Found]
    left_out: list[str] = field(default_factory=list)
    config: list[Part] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many files."""
        return len(self.files) + len(self.config)

    @property
    def size(self) -> int:
        """Bytes of all files together, by now."""
        return sum(one.size for one in self.files) + sum(len(one.content) for one in self.config)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, or with a dry run would be; ``size`` is that of its file."""

    kiosk: str | None
    made: str
    files: int
    size: int
    left_out: list[str]

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return {
            "kiosk": self.kiosk,
            "made": self.made,
            "files": self.files,
            "bytes": self.size,
            "left_out": self.left_out,
        }


def survey(site: Site, *, models: bool = True) -> Survey:
    """What there is to copy, in the order in which it is copied; changes nothing.

    Raises:
        KeyUnavailableError: there is a registry, and not the key that sealed it.
        StoreError: the registry is no file.
        UnavailableError: there is no state, or this user may not read it.
    """
    found: list[Found] = []
    left_out: list[str] = []
    try:
        there = sorted(site.state.iterdir())
    except OSError as error:
        fix = "run as the user who owns it, or name another --state-dir"
        raise UnavailableError(f"{site.state} cannot be read: {error.strerror}", fix) from error
    for path in there:
        row = row_of(PurePath(path.name))
        if row is None:
            left_out.append(f"{path.name}: no file of the agent's")
        elif row.copy is Copy.FOLDER:
            if row is not MODELS or models:
                found += _folder(path, row)
        elif row.copy is not Copy.NONE and row not in (KEY, KEY_NEXT):
            _one(path, row, found, left_out)
    for key, lies in ((KEY, site.key_file), (KEY_NEXT, next_path(site.key_file))):
        if lies.exists():
            found.append(Found(PurePosixPath(key.name), lies, key, lies.stat().st_size))
    _check(site, found)
    config, missing = ([], []) if site.config is None else gathered(site.config)
    found.sort(key=lambda one: (_place(one.row), one.name))
    return Survey(found, left_out + missing, config)


def _folder(path: Path, row: Row) -> Iterator[Found]:
    for folder, folders, files in os.walk(path):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for name in files:
            place = Path(folder) / name
            status = place.lstat()
            # What begins with a dot is a lock or a draft.
            if stat.S_ISREG(status.st_mode) and not name.startswith("."):
                within = PurePosixPath(row.name, *place.relative_to(path).parts)
                yield Found(within, place, row, status.st_size)


def _one(path: Path, row: Row, found: list[Found], left_out: list[str]) -> None:
    if row.copy is Copy.DATABASE and path.name != row.name:
        return  # SQLite's, and in the copy of its database
    status = path.lstat()
    size = status.st_size
    if not stat.S_ISREG(status.st_mode) or not size:
        left_out.append(f"{path.name}: {'it is empty' if not size else 'no ordinary file'}")
        return
    if row.copy is Copy.DATABASE:
        for end in (LOG, INDEX):
            with contextlib.suppress(FileNotFoundError):
                size += Path(f"{path}{end}").stat().st_size
    found.append(Found(PurePosixPath(path.name), path, row, size))


def _check(site: Site, found: list[Found]) -> None:
    rows = {one.row for one in found}
    if not rows & {REGISTRY, KEY}:
        fix = "name the --state-dir of the kiosk"
        raise UnavailableError(f"no kiosk's state lies in {site.state}", fix)
    if os.path.lexists(REGISTRY.at(site.state)) and REGISTRY not in rows:
        fix = "gate-agent state show says more"
        raise StoreError(f"{REGISTRY.at(site.state)} is empty, or no file", fix)
    if KEY not in rows:
        fix = "where systemd hands it to the agent, name its file as root: --key-file FILE"
        raise KeyUnavailableError(f"there is no key at {site.key_file}", fix)


def _place(row: Row) -> int:
    """What goes before what: see the head."""
    first = (IDENTITY, REGISTRY, KEY, KEY_NEXT, TOMBSTONE_KEY)
    if row in first:
        return first.index(row)
    return len(first) + ROWS.index(row)


def back_up(
    site: Site,
    file: Path,
    passphrase: str,
    advance: Advance,
    *,
    models: bool = True,
    cost: Cost | None = None,
) -> Made:
    """Write a backup of the site's state into ``file``, whole or not at all.

    Raises:
        RefusedError: ``passphrase``, ``beside``; ``changed_meanwhile``: repeat it.
        KeyUnavailableError: the key that sealed the registry is not there.
        StoreError: a database cannot be copied.
        UnavailableError: there is no room, or something cannot be read or written.
    """
    what = survey(site, models=models)
    check_room(site, what, file)
    now = instant(site)
    about = About(__version__, _kiosk(site), now.utc, now.utc_trusted, _public(site))
    with replacing(file, "name a file") as stream:
        writer = VaultWriter(stream, passphrase, cost)
        archive = ArchiveWriter(writer, about)
        done = _Progress(advance, what.size)
        with _draft(site.state) as draft:
            skip = _with_keys(site, what, draft, archive, done)
            for one in what.files:
                if one.row not in skip:
                    _add(one, draft, archive, done)
        for part in what.config:
            archive.add(Entry(part.name, len(part.content)), io.BytesIO(part.content), done)
        archive.close()
        count = _read_back(stream, passphrase, advance)
        size = stream.tell()
    return Made(about.kiosk, utc_text(about.made), count, size, what.left_out)


def would_be(site: Site, file: Path, *, models: bool = True) -> Made:
    """What ``back_up`` would make by now; nothing is written.

    Raises:
        KeyUnavailableError, StoreError, UnavailableError: as there.
    """
    what = survey(site, models=models)
    check_room(site, what, file)
    now = instant(site)
    size = sealed_bytes(what.size)
    return Made(_kiosk(site), utc_text(now.utc), what.count, size, what.left_out)


def check_room(site: Site, what: Survey, file: Path) -> None:
    """Nothing, where there is room for the backup, and in the state folder for one database.

    Raises:
        RefusedError: ``beside``: it would lie in the state folder.
        UnavailableError: there is not.
    """
    largest = max((one.size for one in what.files if one.row.copy is Copy.DATABASE), default=0)
    wanted = {site.state: largest + _SPARE_BYTES}
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UnavailableError(f"{folder} is no folder", "make it, or name another place")
    if folder.resolve().is_relative_to(site.state.resolve()):
        fix = "name a place on another disk, with its whole path"
        raise RefusedError("beside", f"{folder} goes with the kiosk\nFix: {fix}")
    wanted[folder] = sealed_bytes(what.size) + _SPARE_BYTES
    if folder.stat().st_dev == site.state.stat().st_dev:
        wanted = {folder: sum(wanted.values())}
    for place, needed in wanted.items():
        need_room(place, needed)


def need_room(place: Path, needed: int) -> None:
    """Nothing, where ``needed`` bytes are free in ``place``.

    Raises:
        UnavailableError: there are not so many.
    """
    free = shutil.disk_usage(place).free
    if free < needed:
        said = f"{place} has {free / 1e6:.1f} MB free, and {needed / 1e6:.1f} MB are needed"
        raise UnavailableError(said, "free space, or name a place on another disk")


class _Progress:
    """How many bytes are done of how many there seemed to be."""

    def __init__(self, advance: Advance, total: int) -> None:
        self._advance, self._total, self._done = advance, total, 0

    def __call__(self, count: int) -> None:
        self._done += count
        self._advance("copied", min(self._done, self._total), self._total)


def _with_keys(
    site: Site, what: Survey, draft: Path, archive: ArchiveWriter, done: _Progress
) -> set[Row]:
    """Put in what is remembered, the registry and the keys that open it; their rows."""
    rows = (KEY, KEY_NEXT, TOMBSTONE_KEY)
    for one in what.files:
        if one.row is IDENTITY:
            _add(one, draft, archive, done)
    for _ in range(_TRIES):
        # Read before and after: a key may be changed meanwhile, or made with a first tombstone.
        keys = _keys(site)
        registry = [one for one in what.files if one.row is REGISTRY]
        for one in registry:
            _copied(one, draft)
        if _keys(site) == keys:
            break
    else:
        said = "the gallery's key is being changed"
        raise UnavailableError(said, "repeat once gate-agent key rotate has ended")
    for one in registry:
        _put(one.name, draft, archive, done)
    for row, content in keys.items():
        archive.add(Entry(PurePosixPath(row.name), len(content)), io.BytesIO(content), done)
    return {IDENTITY, REGISTRY, *rows}


def _keys(site: Site) -> dict[Row, bytes]:
    places = {
        KEY: site.key_file,
        KEY_NEXT: next_path(site.key_file),
        TOMBSTONE_KEY: TOMBSTONE_KEY.at(site.state),
    }
    found = {}
    for row, path in places.items():
        with contextlib.suppress(FileNotFoundError):
            found[row] = path.read_bytes()
    return found


def _add(one: Found, draft: Path, archive: ArchiveWriter, done: _Progress) -> None:
    if one.row.copy is Copy.DATABASE:
        _copied(one, draft)
        _put(one.name, draft, archive, done)
        return
    try:
        descriptor = os.open(one.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # gone since, as what was set aside is when it is too old
    except OSError as error:
        fix = "run as the user who owns it"
        raise UnavailableError(f"{one.path} cannot be read: {error.strerror}", fix) from error
    with os.fdopen(descriptor, "rb") as stream:
        archive.add(Entry(one.name, os.fstat(descriptor).st_size), stream, done)


def _copied(one: Found, draft: Path) -> None:
    draft.write_bytes(b"")
    copy_database(one.path, draft, lambda _done, _total: None)


def _put(name: PurePosixPath, draft: Path, archive: ArchiveWriter, done: _Progress) -> None:
    with draft.open("rb") as stream:
        archive.add(Entry(name, draft.stat().st_size), stream, done)


@contextlib.contextmanager
def _draft(state: Path) -> Iterator[Path]:
    """A file in the state folder, which is its owner's alone and gone at the end.

    One that a killed backup left is removed.
    """
    for left in state.glob(f"{_DRAFT}*"):
        with contextlib.suppress(OSError), left.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of one that runs it is held
            left.unlink()
    descriptor, name = tempfile.mkstemp(prefix=_DRAFT, dir=state)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
        os.close(descriptor)


def _read_back(stream: BinaryIO, passphrase: str, advance: Advance) -> int:
    """How many files are in what was written, as the disk has it."""
    stream.flush()
    os.fsync(stream.fileno())
    size = os.fstat(stream.fileno()).st_size
    with contextlib.suppress(OSError):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    # By its number: it has no name of its own yet.
    with Path(f"/proc/self/fd/{stream.fileno()}").open("rb") as written:
        count = 0
        for _, content in ArchiveReader(VaultReader(written, passphrase)).files():
            count += 1
            for _ in content:
                advance("read back", written.tell(), size)
    return count


def _kiosk(site: Site) -> str | None:
    return None if site.place is None else site.source.removeprefix("/gate/")


def _public(site: Site) -> dict[str, Any] | None:
    try:
        return public_keys(site)
    except KeyUnavailableError:
        return None
