"""The servers behind a demo or a fleet: on free loopback ports, each ended by its own process."""

import contextlib
import csv
import io
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import agent
from agent.errors import UnavailableError

_START_S = 60.0
_STOP_S = 20.0
_POSTGRES = Path("/usr/lib/postgresql")
_BACKEND = Path(agent.__file__).parents[1] / "scripts" / "backend" / "backend"
_PERSON = "postgres"
"""As whom PostgreSQL runs where we are root, whom it refuses; Debian's package makes it."""


class Server:
    """One process; its words go into a file that is quoted where it does not come up."""

    def __init__(self, command: Sequence[str], log: Path, user: str | None = None) -> None:
        self._command = [*command]
        self._log = log
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool]) -> None:
        """Start it, and wait until it is ready.

        Raises:
            UnavailableError: it ends, or is not ready within a minute.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - found where Debian puts it, or ours
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
            )
        deadline_s = time.monotonic() + _START_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                words = self._log.read_text(errors="replace").strip().splitlines()[-3:]
                self.stop()
                said = " ".join(words) or "it says nothing"
                raise UnavailableError(f"{Path(self._command[0]).name} does not come up: {said}")
            time.sleep(0.02)

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""
        return None if self._process is None else self._process.pid

    def has_said(self, word: bytes) -> Callable[[], bool]:
        """Whether it has said ``word`` since now."""
        before = self._log.stat().st_size if self._log.exists() else 0

        def said() -> bool:
            with self._log.open("rb") as log:
                log.seek(before)
                return word in log.read()

        return said

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, by force where it dawdles; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Mosquitto:
    """A broker; who is subscribed, and what waits for them, outlives its restart."""

    def __init__(self, folder: Path) -> None:
        """Raise ``UnavailableError`` where there is none."""
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            raise UnavailableError("there is no mosquitto", "sudo apt-get install mosquitto")
        self.port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            "max_inflight_messages 2000\n"
            f"persistence true\npersistence_location {folder}/\nset_tcp_nodelay true\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self._server = Server([program, "-c", str(config)], folder / "mosquitto.log")

    def start(self) -> None:
        """Raise ``UnavailableError`` where it does not come up."""
        self._server.start(lambda: answers(self.port))

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""
        return self._server.pid

    def stop(self) -> None:
        """With what it holds on disk."""
        self._server.stop()


class PostgreSQL:
    """A database of its own, gone with its folder."""

    def __init__(self, folder: Path) -> None:
        """Make its files.

        Raises:
            UnavailableError: there is none, or root may not run it.
        """
        newest = sorted(_POSTGRES.glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
        if not newest:
            raise UnavailableError("there is no PostgreSQL", "sudo apt-get install postgresql")
        self._bin = newest[-1].parent
        self.port = free_port()
        self._user = _PERSON if os.geteuid() == 0 else None
        self._data = folder / "postgresql"
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            self._data.parent.chmod(0o711)
            shutil.chown(self._data, self._user, self._user)
        made = subprocess.run(  # noqa: S603 - Debian's own
            [
                str(self._bin / "initdb"),
                *("--pgdata", str(self._data), "--username", "gate", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            timeout=_START_S,
            check=False,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )
        if made.returncode:
            raise UnavailableError(f"initdb failed: {made.stderr.strip()[-200:]}")
        command = [
            str(self._bin / "postgres"),
            *("-D", str(self._data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"),
            *("-c", "unix_socket_directories=", "-c", "max_connections=50"),
        ]
        self._server = Server(command, folder / "postgresql.log", self._user)

    @property
    def dsn(self) -> str:
        """How libpq finds it."""
        return f"host=127.0.0.1 port={self.port} user=gate dbname=postgres"

    def start(self) -> None:
        """Raise ``UnavailableError`` where it does not come up."""
        self._server.start(lambda: answers(self.port) and self._says("SELECT 1") is not None)

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""
        return self._server.pid

    def stop(self) -> None:
        """At once: its connections are cut off."""
        self._server.stop(signal.SIGINT)

    def rows(self, query: str) -> list[list[str]]:
        """What a query of ours finds, as text.

        Raises:
            UnavailableError: it does not answer.
        """
        if (said := self._says(query)) is None:
            raise UnavailableError("PostgreSQL does not answer")
        return list(csv.reader(io.StringIO(said)))

    def _says(self, query: str) -> str | None:
        done = subprocess.run(  # noqa: S603 - Debian's own, and a query of ours
            [str(self._bin / "psql"), "-X", "-t", "--csv", "-d", self.dsn, "-c", query],
            capture_output=True,
            text=True,
            timeout=_START_S,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None


def backend_program() -> Path:
    """The reference backend.

    Raises:
        UnavailableError: this is no source tree.
    """
    if not _BACKEND.is_file():
        raise UnavailableError(
            "the reference backend is not installed with the agent",
            "run it from the source tree: .venv/bin/gate-agent fleet",
        )
    return _BACKEND


def answers(port: int) -> bool:
    """Whether somebody listens at a loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


def free_port() -> int:
    """A loopback port that nobody listens at just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
