"""``gate-agent watch`` in a process of its own, and what it says; at a terminal or into a pipe."""

import os
import pty
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rich.live  # noqa: F401 - for the processes that are forked here
from mosquitto import wait_until

from agent.app.desk import people  # noqa: F401 - as above
from agent.cli.main import main
from agent.cli.running import watch_screen  # noqa: F401 - as above

ON, OFF = b"\x1b[?1049h", b"\x1b[?1049l"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"


def is_as_it_was(said: bytes) -> bool:
    """Whether a terminal that was told this is on its own screen again, with its cursor."""
    return said.rfind(OFF) > said.rfind(ON) >= 0 and said.rfind(SHOWN) > said.rfind(HIDDEN) >= 0


class Heard:
    """What a process has said by now, at the other end of ``descriptor``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._said: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        # Linux answers EIO once the other end of a terminal is closed.
        try:
            while data := os.read(self._descriptor, 65_536):
                self._said.append(data)
        except OSError:
            pass

    @property
    def said(self) -> bytes:
        return b"".join(self._said)

    @property
    def lines(self) -> list[str]:
        return self.said.decode().splitlines()

    def says(self, text: str, times: int = 1) -> bool:
        return bool(wait_until(lambda: self.said.decode(errors="replace").count(text) >= times))

    def close(self) -> None:
        """Once the process has ended: all that it said is there then."""
        self._reader.join(60)
        os.close(self._descriptor)


class Watching(Heard):
    """A process that watches."""

    def __init__(self, process: int, descriptor: int) -> None:
        super().__init__(descriptor)
        self._process = process
        self._code: int | None = None

    def lives(self) -> bool:
        if self._code is None:
            done, status = os.waitpid(self._process, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if done else None
        return self._code is None

    def ended(self, by: signal.Signals | None = None) -> int | None:
        """Its exit code, once all that it said is here."""
        if by is not None:
            os.kill(self._process, by)
        assert wait_until(lambda: not self.lives())
        self._reader.join(60)
        return self._code

    def close(self) -> None:
        """End it, however the test went."""
        if self.lives():
            self.ended(signal.SIGKILL)
        super().close()


@contextmanager
def watching(
    *options: str, at_terminal: bool = False, first: Callable[[], object] = lambda: None
) -> Iterator[Watching]:
    """The verb in a process of its own, ended with the block; stderr comes with stdout.

    Forked from this one, which has the imports already: they are most of a start. ``first`` is
    done in it before.
    """
    ours, theirs = pty.openpty() if at_terminal else os.pipe()
    child = os.fork()
    if not child:
        code = 99
        try:
            os.close(ours)
            os.dup2(theirs, 1)
            os.dup2(theirs, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            first()
            code = main(["watch", *options])
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(theirs)
    watched = Watching(child, ours)
    try:
        yield watched
    finally:
        watched.close()
