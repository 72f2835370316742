"""The thread that looks whether the disk still takes what the gate has to write down."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import PartKind

PART = PartKind.DISK.part()
_EVERY_S = 20.0
_BACK_ABOVE = 1.1
"""The fault goes once so much more is free: a file that grows and shrinks must not flutter."""


class DiskWatch:
    """Raises ``disk`` while less than ``min_free_bytes`` are free where the state lies."""

    def __init__(
        self,
        folder: Path,
        min_free_bytes: int,
        post: Callable[[Input], None],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """``free_bytes`` stands for the disk in tests."""
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._post = post
        self._free_bytes = free_bytes
        self._stopping = threading.Event()
        self._faulty = False

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
            self._raise(f"the disk does not answer: {error.strerror}")
            return
        if free < self._min_free_bytes:
            self._raise(f"{free // 1_000_000} MB are free")
        elif self._faulty and free >= self._min_free_bytes * _BACK_ABOVE:
            self._faulty = False
            self._post(FaultCleared(PART, "agent"))

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()

    def _raise(self, detail: str) -> None:
        if not self._faulty:
            self._faulty = True
            self._post(FaultRaised(PART, detail))
