"""A backup put back, into the kiosk that it is of or into its successor.

    read to its end, checked, made ready in the state folder --> judged: databases open, none newer
        --> what is remembered fits them, passes are doubted, who was removed since goes
        --> all of it takes the place of what is there (``app.open.files.restoring``)

Until the last step nothing of the state was touched. A pass that was used after the backup was
made is not used in it: so the file of passes is in fault, by which limited passes count as used up,
until a person accepts it. A successor has keys of its own and gets none of the dead kiosk's; the
journal's mark is in no backup, so with its first event a new stream begins. The config is put back
after the state, and never over another one (``operations.care.config_files``).
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from agent.adapters.store.copying import waiting_events
from agent.adapters.store.keys import load_key, next_path
from agent.app.desk.care.backup import Advance, need_room
from agent.app.desk.care.config import ComingConfig
from agent.app.open.files import restoring
from agent.app.open.files.brought import Gone, bring_up_to_date, check_brought
from agent.app.open.files.installation import installation_of
from agent.app.open.files.kiosk_keys import make_kiosk_keys, public_keys
from agent.app.open.files.running import agent_runs, held
from agent.app.open.files.state import (
    FOLDER_MODE,
    JOURNAL,
    KEY,
    KEY_NEXT,
    LEDGER,
    LOCK,
    REGISTRY,
    SEALING_KEY,
    SIGNING_KEY,
    Copy,
    row_of,
)
from agent.app.open.site import Site, instant
from agent.domain.hours.instant import utc_text
from agent.errors import RefusedError, StoreError, UnavailableError
from agent.operations.care.archive import About, ArchiveReader, Entry, odd
from agent.operations.care.config_files import Placed
from agent.operations.care.removals import Removal, Revoked, later
from agent.operations.care.vault import VaultReader

PUT_BACK = "it was put back from a backup: passes that were used since are not used in it"
"""What is wrong with the file of passes, in the words of a fault."""
_OWN_KEYS = (SIGNING_KEY, SEALING_KEY)
_SPARE_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """How a backup is put back; ``kiosk`` is the one that it must be of, None: the config's.

    ``config`` is where the config lies or is to lie, None: it is not put back.
    """

    as_successor: bool = False
    kiosk: str | None = None
    removals: Sequence[Removal | Revoked] = ()
    by: str = ""
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, or with a dry run would be; ``size`` is that of its files.

    ``unsent`` events of the journal that was there before went with it. ``keys`` are a successor's.
    ``config`` says what became of the config and what it names.
    """

    about: About
    files: int
    size: int
    successor: bool
    removed: int = 0
    revoked: int = 0
    doubted: tuple[str, ...] = ()
    unsent: int = 0
    keys: dict[str, Any] | None = None
    config: tuple[Placed, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return {
            "kiosk": self.about.kiosk,
            "made": utc_text(self.about.made),
            "agent": self.about.agent,
            "files": self.files,
            "bytes": self.size,
            "successor": self.successor,
            "removed": self.removed,
            "revoked": self.revoked,
            "doubted": list(self.doubted),
            "unsent": self.unsent,
            "keys": self.keys,
            "config": [one.as_json() for one in self.config],
        }


@contextlib.contextmanager
def opened(file: Path, passphrase: Callable[[], str]) -> Iterator[ArchiveReader]:
    """The backup in ``file``; the passphrase is asked for once there is one to open.

    Raises:
        RefusedError: ``no_backup``, ``newer_backup``, ``passphrase``, ``damaged_backup``.
        UnavailableError: the file cannot be read.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}"
        raise UnavailableError(said, "name the file of the backup") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnavailableError(f"{file} is no ordinary file", "name the file of the backup")
    with os.fdopen(descriptor, "rb") as stream:
        yield ArchiveReader(VaultReader(stream, passphrase()))


def has_state(site: Site) -> bool:
    """Whether there is something that a backup would take the place of."""
    there = (REGISTRY.at(site.state), JOURNAL.at(site.state), site.key_file)
    return any(os.path.lexists(one) for one in there)


def check_stopped(site: Site, *, dry_run: bool) -> None:
    """Nothing, where no agent runs here, or nothing is to be changed; before much is asked.

    Raises:
        UnavailableError: one does.
    """
    if not dry_run and agent_runs(site.state):
        raise _runs(site)


def would_restore(site: Site, archive: ArchiveReader, wish: Wish, advance: Advance) -> Restored:
    """What ``restore`` would put back; all of it is read and checked, and nothing is written.

    Raises:
        RefusedError: ``damaged_backup``, ``odd_backup``, ``other_kiosk``.
        UnavailableError: there is no room.
    """
    _check_kiosk(site, archive.about, wish)
    count = size = 0
    config = ComingConfig(wish.config)
    for entry, content in _taken(archive, wish, config):
        count, size = count + 1, size + entry.size
        for _ in content:
            advance("read", size, 0)
    site = config.site(site)
    need_room(_existing(site.state), size + _SPARE_BYTES)
    gone = _gone(archive.about, wish)
    return Restored(
        archive.about,
        count + len(config.parts),
        size + config.size,
        wish.as_successor,
        len(gone.holders),
        len(gone.passes),
        (LEDGER.name,),
        _unsent(site),
        config=config.put_back(archive.about.made, successor=wish.as_successor, dry_run=True),
    )


def restore_config(site: Site, archive: ArchiveReader, wish: Wish) -> tuple[Placed, ...]:
    """Put back the config alone, beside a running agent too; the backup is read to its end first.

    Raises:
        RefusedError: ``damaged_backup``, ``odd_backup``, ``other_kiosk``; ``no_config``: there is
            none in it.
    """
    _check_kiosk(site, archive.about, wish)
    config = ComingConfig(wish.config)
    for _entry, content in _taken(archive, wish, config):
        for _ in content:
            pass
    if not config.parts:
        fix = "take a newer backup; or write one: gate-agent init"
        raise RefusedError("no_config", f"there is no config in this backup\nFix: {fix}")
    return config.put_back(archive.about.made, successor=wish.as_successor)


def restore(
    site: Site, archive: ArchiveReader, file_bytes: int, wish: Wish, advance: Advance
) -> Restored:
    """Put it back in the place of what is there, whole or not at all.

    ``file_bytes`` is the size of the backup's file: so much may be in it at most.

    Raises:
        RefusedError: ``damaged_backup``, ``odd_backup``, ``other_kiosk``, ``other_key``.
        StoreError: a database of it is damaged, or of a newer agent; or the folder not writable.
        UnavailableError: an agent runs here, or there is no room.
    """
    about = archive.about
    _check_kiosk(site, about, wish)
    need_room(_existing(site.state), file_bytes + _SPARE_BYTES)
    with held(site.state, _runs(site)):
        restoring.end_restore(site.state)
        unsent = _unsent(site)
        with restoring.stage(site.state) as new:
            config = ComingConfig(wish.config)
            taken = _taken(archive, wish, config)
            count, size = _made_ready(taken, new, file_bytes, advance)
            site = config.site(site)
            ready = replace(site, state=new, key_file=KEY.at(new))
            check_brought(new)
            gone = _gone(about, wish)
            removed, revoked = bring_up_to_date(new, gone, by=wish.by, now=instant(site))
            installation_of(ready).bring({LEDGER.name: PUT_BACK}, wish.by)
            _place_key(site, new)
            _give(new, site.state)
            restoring.commit(site.state, _OWN_KEYS if wish.as_successor else ())
        keys = None
        if wish.as_successor:
            make_kiosk_keys(site)
            keys = public_keys(site)
        _give_own(site.state)
        placed = config.put_back(about.made, successor=wish.as_successor)
    doubted = tuple(sorted(installation_of(site).look()))
    return Restored(
        about,
        count + len(config.parts),
        size + config.size,
        wish.as_successor,
        removed,
        revoked,
        doubted,
        unsent,
        keys,
        placed,
    )


def _runs(site: Site) -> UnavailableError:
    fix = "stop it first: systemctl stop gate-agent"
    return UnavailableError(f"an agent runs on {site.state}", fix)


def _check_kiosk(site: Site, about: About, wish: Wish) -> None:
    here = None if site.place is None else site.source.removeprefix("/gate/")
    wanted = wish.kiosk or (None if wish.as_successor else here)
    if wanted is not None and about.kiosk not in (None, wanted):
        said = f"it is a backup of {about.kiosk}, and not of {wanted}"
        fix = "take the other backup; for a kiosk that takes its place: --as-successor"
        raise RefusedError("other_kiosk", f"{said}\nFix: {fix}")
    if wish.kiosk is not None and site.config is None and about.kiosk is None:
        fix = "lay the dead kiosk's gate.toml here, or name it: --config FILE"
        raise RefusedError("no_config", f"neither config nor backup names the kiosk\nFix: {fix}")


def _gone(about: About, wish: Wish) -> Gone:
    removals = later(wish.removals, about.made, sure=about.clock_trusted).values()
    return Gone(
        [(one.holder, one.at) for one in removals],
        sorted({said.one for said in wish.removals if isinstance(said, Revoked)}),
    )


def _taken(
    archive: ArchiveReader, wish: Wish, config: ComingConfig
) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    """The files of it that are put back; those of the config are collected in ``config``.

    Raises:
        RefusedError: ``odd_backup``: one that no agent puts into a backup.
    """
    names = set()
    for entry, content in archive.files():
        place = PurePath(entry.name)
        if config.takes(entry, content):
            continue
        row = row_of(place)
        nested = len(place.parts) > 1
        if row is None or row.copy is Copy.NONE or nested is not (row.copy is Copy.FOLDER):
            raise odd("a file in it is none of the state's")
        if row.copy is Copy.DATABASE and str(place) != row.name:
            raise odd("a file in it is SQLite's own")
        names.add(str(place))
        if any(str(parent) in names for parent in place.parents):
            raise odd("a file in it is a folder as well")
        if not (wish.as_successor and row in _OWN_KEYS):
            yield entry, content
    if not {KEY.name, REGISTRY.name} & names:
        raise odd("there is no kiosk in it")


def _made_ready(
    taken: Iterator[tuple[Entry, Iterator[bytes]]], new: Path, file_bytes: int, advance: Advance
) -> tuple[int, int]:
    """How many files, and of how many bytes, lie in ``new`` now."""
    count = size = 0
    for entry, content in taken:
        place = new / entry.name
        row = row_of(PurePath(entry.name))
        assert row is not None
        try:
            place.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(place, flags, row.mode), "wb") as stream:
                os.fchmod(stream.fileno(), row.mode)
                for data in content:
                    stream.write(data)
                    size += len(data)
                    advance("read", size, file_bytes)
        except FileExistsError:
            raise odd("a file in it is a folder as well") from None
        except OSError as error:
            said = f"{new} cannot be written: {error.strerror}"
            raise UnavailableError(said, "free space; nothing was changed") from error
        count += 1
    return count, size


def _place_key(site: Site, new: Path) -> None:
    """The gallery's key goes where the config says, if that is elsewhere.

    Raises:
        RefusedError: ``other_key``: another one lies there.
        UnavailableError: it cannot be written there.
    """
    if site.key_file == KEY.at(site.state):
        return
    places = {KEY.at(new): site.key_file, KEY_NEXT.at(new): next_path(site.key_file)}
    pairs = {made: lies for made, lies in places.items() if made.exists()}
    for made, lies in pairs.items():
        if lies.exists() and load_key(lies) != load_key(made):
            fix = f"move {lies} away; the backup's own takes its place"
            raise RefusedError("other_key", f"{lies} holds another key than the backup\nFix: {fix}")
    for made, lies in pairs.items():
        if not lies.exists():
            _link_key(made.read_bytes(), lies)
        made.unlink()


def _link_key(content: bytes, lies: Path) -> None:
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(lies, flags, KEY.mode), "wb") as stream:
            _as_its_folder(stream.fileno(), lies.parent)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        fix = "make its folder writable for this user; nothing was changed"
        raise UnavailableError(f"{lies} cannot be written: {error.strerror}", fix) from error


def _give(new: Path, state: Path) -> None:
    """All of it belongs to whom the state folder belongs: root may restore what the agent reads."""
    if os.geteuid() != 0:
        return
    owner = state.stat()
    for folder, folders, files in os.walk(new.parent):
        for name in (*folders, *files):
            os.chown(Path(folder) / name, owner.st_uid, owner.st_gid, follow_symlinks=False)
    os.chown(new.parent, owner.st_uid, owner.st_gid)


def _give_own(state: Path) -> None:
    """The same for what was made meanwhile beside it."""
    if os.geteuid() != 0:
        return
    owner = state.stat()
    for row in (LOCK, *_OWN_KEYS):
        if os.path.lexists(row.at(state)):
            os.chown(row.at(state), owner.st_uid, owner.st_gid, follow_symlinks=False)


def _as_its_folder(descriptor: int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _unsent(site: Site) -> int:
    """How many events the journal that is there has for the broker; 0 where none can be read."""
    if os.path.lexists(JOURNAL.at(site.state)):
        with contextlib.suppress(StoreError):
            return waiting_events(JOURNAL.at(site.state))
    return 0


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())
