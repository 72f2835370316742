"""Other programs: what has to be here, and how one is run within a time, its words kept."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.errors import UnavailableError

PROGRAMS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-aarch64-static": "qemu-user-static",
    "debootstrap": "debootstrap",
    "debugfs": "e2fsprogs",
    "mke2fs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "aarch64-linux-gnu-gcc-12": "gcc-12-aarch64-linux-gnu",
    "fdtput": "device-tree-compiler",
    "make": "make",
    "xz": "xz-utils",
    "cpio": "cpio",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "unshare": "util-linux",
}
"""Each program that a run starts, and the Debian package that brings it."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _found(program: str) -> str | None:
    return shutil.which(program, path=_PATH)


def missing(find: Callable[[str], str | None] = _found) -> str | None:
    """What is lacking, as one line of apt; None where all is here."""
    packages = sorted({package for program, package in PROGRAMS.items() if not find(program)})
    if not packages:
        return None
    return f"apt-get install --no-install-recommends {' '.join(packages)}"


def check() -> None:
    """See that the rig can run here.

    Raises:
        UnavailableError: a program is missing, or this is not root.
    """
    if command := missing():
        raise UnavailableError("programs are missing", command)
    if os.geteuid():
        raise UnavailableError("only root can make a root file system", "sudo scripts/rig ...")


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    within_s: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    feed: bytes | None = None,
) -> str:
    """Run a program; what it printed, which also stands in ``log``.

    Raises:
        UnavailableError: it failed or took longer; the message holds its last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in command]
    with log.open("ab+") as out:
        out.write(f"\n$ {' '.join(words)}\n".encode())
        out.flush()
        began = out.tell()
        child = subprocess.Popen(  # noqa: S603 - our own arguments
            words,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, "PATH": _PATH, "LC_ALL": "C.UTF-8", **(environment or {})},
            start_new_session=True,
        )
        try:
            child.communicate(feed, timeout=within_s)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise UnavailableError(
                    f"{words[0]} took longer than {within_s:.0f} s", f"{log}"
                ) from None
            raise
        out.seek(began)
        said = out.read().decode(errors="replace")
    if child.returncode:
        last = "\n".join(said.splitlines()[-8:])
        raise UnavailableError(f"{words[0]} failed ({child.returncode}):\n{last}", f"see {log}")
    return said
