"""Whose the files of the state are and who may open them, beside how the agent makes them.

What no row of the state's table knows is let be, and so is a link: neither is the agent's.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.adapters.store.owners import owner_name
from agent.app.open.files.state import FOLDER_MODE, row_of
from agent.errors import UnavailableError
from agent.operations.examination.facts import Doubtful

_OPEN = 0o755
"""What a folder within the state folder may have at most; that one keeps others out."""
_TOLD = 3
_MEND = "gate-agent doctor --fix"


@dataclass(frozen=True, slots=True)
class Ill:
    """A file that is not as the agent makes it; ``wanted`` is the mode it should have."""

    place: Path
    mode: int
    wanted: int
    foreign: bool
    secret: bool

    @property
    def closed(self) -> bool:
        """Whether its own owner may not use it."""
        return bool(self.wanted & ~self.mode & 0o700)

    @property
    def open(self) -> bool:
        """Whether more people may use it than should."""
        return bool(self.mode & ~self.wanted)


def owner_of(state: Path) -> tuple[int, int]:
    """Whose the state is, by its folder: user and group."""
    found = state.stat()
    return found.st_uid, found.st_gid


def ills(state: Path) -> Iterator[Ill]:
    """Every file and folder that is not as the agent makes it, the state folder first.

    Raises:
        OSError: the folder cannot be looked at.
    """
    owner, _ = owner_of(state)
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode != FOLDER_MODE:
        yield Ill(state, mode, FOLDER_MODE, foreign=False, secret=False)
    for folder, folders, files in os.walk(state):
        for name in (*folders, *files):
            if (one := _ill(state, Path(folder, name), owner)) is not None:
                yield one


def _ill(state: Path, place: Path, owner: int) -> Ill | None:
    row = row_of(place.relative_to(state))
    try:
        found = place.lstat()
    except OSError:
        return None  # it went meanwhile, as what SQLite has beside a database does
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        wanted = mode & _OPEN | FOLDER_MODE
    elif stat.S_ISREG(found.st_mode):
        wanted = mode & (0o600 if row is None else row.mode) | 0o600
    else:
        return None
    if row is None or (mode == wanted and found.st_uid == owner):
        return None
    return Ill(place, mode, wanted, found.st_uid != owner, row.secret)


def owners_found(state: Path) -> str | Doubtful:
    """That all are the agent's, and for it alone.

    Raises:
        UnavailableError: it cannot use one, or others can read a secret.
    """
    try:
        found = [*ills(state)]
        owner = owner_name(owner_of(state)[0])
    except OSError as error:
        fix = "run as the agent's user: sudo -u gate-agent"
        raise UnavailableError(f"{state} cannot be looked at: {error.strerror}", fix) from error
    if foreign := [one for one in found if one.foreign]:
        fix = f"chown -R {owner}: {state}, as root"
        raise UnavailableError(f"not of {owner}: {_places(state, foreign)}", fix)
    if closed := [one for one in found if one.closed]:
        raise UnavailableError(f"closed to {owner} itself: {_places(state, closed)}", _MEND)
    bare = any(one.place == state and one.mode & 0o011 for one in found)
    if bare and (told := [one for one in found if one.open and one.secret]):
        raise UnavailableError(f"open to others: {_places(state, told)}", _MEND)
    if found:
        return Doubtful(f"open to others: {_places(state, found)}")
    return f"all of {owner}"


def _places(state: Path, found: list[Ill]) -> str:
    # A file's name tells nobody apart: it is one of the state's own table.
    names = [str(state if one.place == state else one.place.relative_to(state)) for one in found]
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more


def as_made(one: Ill, state: Path) -> None:
    """Give it the mode it should have and, where this is root, the state's owner.

    No link is followed on the way: whoever may write in the folder could put one there, and root
    would give away what it points to. What has a second name elsewhere is let be for that, too.

    Raises:
        OSError: it cannot be.
    """
    handle = _opened(one.place, state)
    try:
        found = os.fstat(handle)
        regular = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if not (regular or stat.S_ISDIR(found.st_mode)):
            raise OSError(errno.ELOOP, "it is a link, or has a second name")
        name = f"/proc/self/fd/{handle}"
        if one.foreign:
            os.chown(name, *owner_of(state))
        Path(name).chmod(one.wanted)
    finally:
        os.close(handle)


def _opened(place: Path, state: Path) -> int:
    """``place`` as a handle that reads nothing, step by step from the state folder."""
    handle = os.open(state, os.O_PATH | os.O_CLOEXEC)
    for part in place.relative_to(state).parts:
        try:
            inner = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return handle
