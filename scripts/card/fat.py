"""Files on the FAT partition of an image or a card, by mtools: nothing is mounted, no root."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UnavailableError

PROGRAMS = ("mcopy", "mdir", "mmd")
_TIMEOUT_S = 1800.0
_FREE = re.compile(rb"([\d ]+) bytes free")


@dataclass(frozen=True, slots=True)
class Fat:
    """The partition that begins at byte ``start`` of ``disk``."""

    disk: Path
    start: int

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""
        done = self._run("mcopy", "-n", f"::/{name}", "-", check=False)
        return done.stdout if done.returncode == 0 else None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in the place of one that is there; its folders must be."""
        self._run("mcopy", "-o", "-D", "o", "-", f"::/{name}", of=content)

    def copy(self, source: Path, name: str) -> None:
        """Copy a file of this machine onto it."""
        self._run("mcopy", "-o", "-D", "o", str(source), f"::/{name}")

    def make_folder(self, name: str) -> None:
        """Make a folder, where it is not there."""
        self._run("mmd", "-D", "s", f"::/{name}", check=False)

    def free_bytes(self) -> int:
        """How much room is left."""
        found = _FREE.search(self._run("mdir", "::/").stdout)
        if found is None:
            raise UnavailableError(f"mdir does not say how much room {self.disk} has")
        return int(found[1].replace(b" ", b""))

    def _run(
        self, program: str, *words: str, of: bytes = b"", check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        command = [program, "-i", f"{self.disk}@@{self.start}", *words]
        environment = {
            **os.environ,
            "MTOOLSRC": os.devnull,
            "MTOOLS_SKIP_CHECK": "1",
            "LC_ALL": "C",
        }
        done = subprocess.run(  # noqa: S603 - our words, names of files among them
            command, input=of, capture_output=True, check=False, timeout=_TIMEOUT_S, env=environment
        )
        if check and done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            why = said[-1] if said else f"{program} failed"
            raise UnavailableError(f"the boot partition of {self.disk} cannot be used: {why}")
        return done


def need_mtools() -> None:
    """Nothing, where the programs are there.

    Raises:
        UnavailableError: one is not.
    """
    missing = [one for one in PROGRAMS if shutil.which(one) is None]
    if missing:
        raise UnavailableError(f"{', '.join(missing)} not found", "sudo apt-get install mtools")
