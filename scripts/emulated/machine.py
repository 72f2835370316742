"""The guest as processes of this machine: qemu, and the far side of its I2C bus.

    state      what is there               up          cut        down
    none       no folder                   a new disk  refused    nothing to do
    off        the disk                    boots it    refused    removed
    running    disk, processes             says so     off        removed

A process id counts only while its process has the guest's folder in its command, so an id that
another program has by now is never killed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.errors import RefusedError, UnavailableError
from emulated import board, console, places, root, work

_PARTS = ("qemu", "i2c")
BOOT_S = 300.0


class Guest:
    """One guest, in a folder of the cache."""

    def __init__(self, cache: Path, kernel: Path) -> None:
        self.folder = cache / "guest"
        self.disk = self.folder / "disk.img"
        self.console = self.folder / "serial"
        self.logs = cache / "logs"
        self._kernel = kernel

    def pid(self, part: str) -> int | None:
        """The process of a part, where it runs."""
        try:
            number = int((self.folder / f"{part}.pid").read_text())
            words = Path(f"/proc/{number}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return number if str(self.folder).encode() in words else None

    @property
    def running(self) -> bool:
        """Whether it is switched on."""
        return self.pid("qemu") is not None

    def make(self, image: Path) -> None:
        """Give it a new disk, a copy of ``image``, and a board."""
        self.down()
        self.folder.mkdir(parents=True)
        new = self.folder / "disk.new"
        self._run(["cp", "--sparse=always", image, new])
        board.device_tree(self.folder / "board.dtb", self.logs / "build.log")
        new.rename(self.disk)

    def start(self, *, slow: bool = False, words: Sequence[str] = ()) -> None:
        """Switch it on; returns while it boots. ``slow`` and ``words`` as of ``board.command``.

        Raises:
            RefusedError: it has no disk, or runs.
            UnavailableError: a process does not start.
        """
        if self.running:
            raise RefusedError("Running", "the guest runs already")
        if not self.disk.exists():
            raise RefusedError("NoGuest", "there is no guest: scripts/rig up")
        self._end(("i2c",))
        for name in ("serial", "i2c"):
            (self.folder / name).unlink(missing_ok=True)
        bus = [sys.executable, "-m", "emulated.thermometers", str(self.folder / "i2c")]
        self._begin("i2c", bus)
        self._until((self.folder / "i2c").exists, 20, "the I2C bus")
        log = self.logs / "serial.log"
        if log.exists():
            with (self.logs / "serials.log").open("ab") as kept:
                kept.write(log.read_bytes())
        log.unlink(missing_ok=True)
        command = board.command(self._kernel, self.folder, log, slow=slow, words=words)
        self._begin("qemu", command)
        self._until(self.console.exists, 20, "qemu")

    def wait_for_login(self, within_s: float = BOOT_S) -> float:
        """Wait for root's prompt; the seconds it took.

        Raises:
            UnavailableError: none came, or the guest ended.
        """
        began = time.monotonic()
        log = self.logs / "serial.log"
        self._until(
            lambda: log.exists() and bool(console.PROMPT.search(log.read_bytes())),
            within_s,
            "the guest",
        )
        return time.monotonic() - began

    def sh(self, command: str, within_s: float = 120.0) -> console.Answer:
        """Run a command in it as root.

        Raises:
            UnavailableError: it does not run, or no answer came in time.
        """
        if not self.running:
            raise UnavailableError("no guest runs", "scripts/rig up")
        return console.ask(self.console, command, within_s)

    def cut(self) -> None:
        """Cut its power; the disk stays as it was at that moment.

        Raises:
            RefusedError: it does not run.
        """
        if not self.running:
            raise RefusedError("NotRunning", "no guest runs")
        self._end(_PARTS)

    def put(self, file: Path, target: str) -> None:
        """Copy a file onto the disk, into a folder that is there, while the power is off.

        Raises:
            RefusedError: it runs, and would not see what changes below it.
        """
        if self.running:
            raise RefusedError("Running", "cut the power first")
        said = work.run(
            ["debugfs", "-w", "-R", f"write {file} {target}", self.disk],
            self.logs / "build.log",
            within_s=60,
        )
        if "Allocated inode" not in said:
            raise UnavailableError(f"{target} is not written: {said}", f"see {self.logs}")

    def check(self) -> str:
        """Play back the disk's journal and look it over, while the power is off."""
        return root.checked(self.disk)

    def down(self) -> None:
        """End it and remove all but the logs; nothing to do is no error."""
        self._end(_PARTS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def cpu_s(self) -> float:
        """How long qemu has used the processor."""
        number = self.pid("qemu")
        if number is None:
            return 0.0
        fields = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _run(self, command: Sequence[str | Path]) -> None:
        work.run(command, self.logs / "build.log", within_s=300)

    def _begin(self, part: str, command: Sequence[str]) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{part}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=places.TREE,
            )
        (self.folder / f"{part}.pid").write_text(str(child.pid))
        # A session of its own would be scheduled without the niceness that this run was given.
        with contextlib.suppress(OSError):
            Path(f"/proc/{child.pid}/autogroup").write_text(str(os.nice(0)))

    def _until(self, there: Callable[[], bool], within_s: float, what: str) -> None:
        ends = time.monotonic() + within_s
        while not there():
            part = "i2c" if what == "the I2C bus" else "qemu"
            if self.pid(part) is None and time.monotonic() > ends - within_s + 2:
                raise UnavailableError(f"{what} ended", f"see {self.logs}")
            if time.monotonic() > ends:
                raise UnavailableError(
                    f"{what} did not come within {within_s:.0f} s", f"see {self.logs}"
                )
            time.sleep(0.1)

    def _end(self, parts: Sequence[str]) -> None:
        for part in parts:
            number = self.pid(part)
            if number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
                ends = time.monotonic() + 10
                while self.pid(part) is not None and time.monotonic() < ends:
                    time.sleep(0.02)
            (self.folder / f"{part}.pid").unlink(missing_ok=True)
