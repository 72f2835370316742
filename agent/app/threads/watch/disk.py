"""The thread that looks whether the disk still takes what the gate has to write down.

    free                       the fault disk    the journal
    enough                     -                 grows
    less than min_free_bytes   raised            keeps some room within its file: published rows go
    a tenth of that            raised            the same; where none of those is left, the oldest
                                                 others go, and an event tells of them

So decisions and their events go on, on a disk that somebody else has filled.
"""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from agent.app.threads.fault_line import FaultLine
from agent.controller.inputs import Input
from agent.domain.access.part import PartKind
from agent.errors import StoreError

_EVERY_S = 20.0
_BACK_ABOVE = 1.1
"""The fault goes once so much more is free: a file that grows and shrinks must not flutter."""
_DESPERATE = 0.1
_LOOKS_OF_REST = 14

_log = structlog.get_logger(__name__)


class DiskWatch:
    """Raises ``disk`` while less than ``min_free_bytes`` are free where the state lies."""

    def __init__(
        self,
        folder: Path,
        min_free_bytes: int,
        post: Callable[[Input], None],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        make_room: Callable[[bool], int] = lambda _: 0,
    ) -> None:
        """``free_bytes`` stands for the disk in tests.

        ``make_room`` has the journal forget, so that it need not grow; with True, what nobody got
        as well. It says how many events went.
        """
        self._make_room = make_room
        self._rest: tuple[bool, int] = (False, 0)
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._fault = FaultLine(PartKind.DISK.part(), post)
        self._free_bytes = free_bytes
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        self.look()
        while not self._stopping.wait(_EVERY_S):
            self.look()

    def look(self) -> None:
        """Ask the disk once."""
        try:
            free = self._free_bytes(self._folder)
        except OSError as error:
            self._fault.failed(f"the disk does not answer: {error.strerror}")
            return
        if free < self._min_free_bytes:
            self._fault.failed(f"{free // 1_000_000} MB are free")
            self._have_room_made(of_unsent=free < self._min_free_bytes * _DESPERATE)
        elif free >= self._min_free_bytes * _BACK_ABOVE:
            self._fault.works()

    def _have_room_made(self, *, of_unsent: bool) -> None:
        before, looks = self._rest
        if looks and before == of_unsent:
            self._rest = (before, looks - 1)
            return
        gone = 0
        try:
            gone = self._make_room(of_unsent)
        except StoreError as error:
            # The journal's writer raises the fault, and keeps in memory what it cannot write.
            _log.warning("no_room_made", error=str(error))
        # There is enough, or nothing that may go: to look for it reads all of the journal.
        self._rest = (of_unsent, 0 if gone else _LOOKS_OF_REST)

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()
