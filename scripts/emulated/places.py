"""Where the rig keeps what: one folder, whose parts are named by what they were made of.

    CACHE/kernel-KEY/    the kernel, its modules and the initramfs
    CACHE/root-KEY/      Debian as debootstrap leaves it
    CACHE/image-KEY.img  that with the package in it: each guest begins with a copy
    CACHE/guest/         the guest that runs: its disk, sockets and process ids
    CACHE/logs/          what was said, kept by ``down``; each ``up`` begins them anew

A part is made under another name and gets its own in one step, so what has its name is whole.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agent.errors import RefusedError

TREE = Path(__file__).resolve().parents[2]
FILES = Path(__file__).parent / "files"


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder: RIG, else gate-agent-rig in the user's cache."""
    if named := environment.get("RIG"):
        return Path(named).absolute()
    home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/root")) / ".cache"
    return Path(home) / "gate-agent-rig"


def key(*of: bytes | str) -> str:
    """A name for what is made of these, in this order."""
    found = hashlib.sha256()
    for one in of:
        data = one.encode() if isinstance(one, str) else one
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()[:16]


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """``path``, made first where it is missing; a run that is cut short leaves none."""
    if not path.exists():
        new = path.with_name(path.name + ".new")
        remove(new)
        new.parent.mkdir(parents=True, exist_ok=True)
        make(new)
        new.rename(path)
    return path


def remove(path: Path) -> None:
    """Remove a file or a folder that may be there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the cache for this run; the kernel frees it, however the run ends.

    Raises:
        RefusedError: another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                "Busy",
                f"another scripts/rig uses {folder}: wait for it, or set RIG to another folder",
            ) from None
        yield
