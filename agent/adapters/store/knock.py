"""Whoever waits to write a database knocks, and a long transaction gives way and begins again.

SQLite lets one write at a time, and who waited for two seconds gives up. An update of 100,000
people takes longer, and somebody has to be disabled now.

    who writes     holds a shared lock (flock) on the database's folder until it is done
    who gives way  asks every few hundredths of a second whether anybody holds one

A process that dies lets go of its lock. One that is stopped does not, and is not waited for.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ASK_EVERY_S = 0.02
_PAUSE_S = 0.005
_TRIES = 20
_PATIENCE_S = 10.0


class Knock:
    """At the door of one folder; safe from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def knocking(self) -> Iterator[None]:
        """For as long as this lasts, others give way."""
        with self._opened() as descriptor:
            if descriptor is not None:
                _hold(descriptor)
            yield

    def heard(self) -> bool:
        """Whether somebody knocks now."""
        with self._opened() as descriptor:
            if descriptor is None:
                return False
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                return False  # a file system without such locks: nobody can knock
            return False

    def wait(self) -> bool:
        """Until nobody knocks any more; False where that does not come."""
        ends_s = time.monotonic() + _PATIENCE_S
        while self.heard():
            if time.monotonic() >= ends_s:
                return False
            time.sleep(_PAUSE_S)
        return True

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)


class GiveWay:
    """What one long transaction knows of who knocks."""

    def __init__(self, knock: Knock) -> None:
        self._knock = knock
        self._asked_s = float("-inf")
        self.gave = False
        """Whether it had to."""

    def must(self) -> bool:
        """Whether to give way now; cheap enough to be asked for each row."""
        now_s = time.monotonic()
        if now_s - self._asked_s >= _ASK_EVERY_S:
            self._asked_s = now_s
            self.gave |= self._knock.heard()
        return self.gave


def _hold(descriptor: int) -> None:
    # Who listens holds the lock himself for that moment.
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S / _TRIES)
        except OSError:
            return
        else:
            return
