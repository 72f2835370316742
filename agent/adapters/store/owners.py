"""Whose a file of the state folder is, where that is why it cannot be used.

A command run once as root leaves files that the agent's own user may not open; SQLite then says
that it cannot open or write, and the system "Permission denied", neither of them which file and
whose.
"""

import os
import pwd
from pathlib import Path

from agent.adapters.store.names import INDEX, LOG


def whose(path: Path) -> tuple[str, str] | None:
    """What to say and what to do where ``path``, what SQLite has beside it, or its folder is
    another user's and not to be used by this one; None where owners are not the reason.
    """
    mine = os.geteuid()
    for place in (path.parent, path, Path(f"{path}{LOG}"), Path(f"{path}{INDEX}")):
        try:
            owner = os.lstat(place).st_uid
        except OSError:
            continue
        if owner != mine and not _usable(place):
            return _words(place, path.parent, owner, mine)
    return None


def told(path: Path, deed: str, error: OSError, fix: str) -> tuple[str, str]:
    """What to say and do where ``path`` cannot be ``deed``: whose it is, else the error's words."""
    return whose(path) or (f"{path} cannot be {deed}: {error.strerror or error}", fix)


def giving(folder: Path) -> str:
    """How all of ``folder`` becomes this user's."""
    ours = owner_name(os.geteuid())
    return f"chown -R {ours}: {folder}, as root, and use gate-agent as {ours} only"


def _usable(place: Path) -> bool:
    wanted = os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0)
    return os.access(place, wanted, effective_ids=True)


def _words(place: Path, folder: Path, owner: int, mine: int) -> tuple[str, str]:
    theirs, ours = owner_name(owner), owner_name(mine)
    said = f"{place} belongs to {theirs}, and this runs as {ours}"
    give = giving(folder)
    if place != folder:
        return said, give
    return said, f"run it as {theirs}: sudo -u {theirs} gate-agent ...; else {give}"


def owner_name(uid: int) -> str:
    """What this system calls the user of the number ``uid``, or the number where it knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
