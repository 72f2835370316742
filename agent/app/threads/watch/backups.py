"""The thread that looks what became of the backups that a timer makes.

Another process makes them, so what it noted is read: the last one failed, none was made, or the
newest is older than the config allows. The fault denies nothing.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

from agent.app.threads.fault_line import FaultLine
from agent.controller.inputs import Input
from agent.domain.access.part import PartKind
from agent.domain.record.backup import KeptBackup
from agent.ports import Clock

_EVERY_S = 60.0


class BackupWatch:
    """Raises ``backup`` as long as something is wrong with them."""

    def __init__(
        self,
        kept: Callable[[], KeptBackup],
        clock: Clock,
        max_age: timedelta,
        post: Callable[[Input], None],
    ) -> None:
        """``kept`` reads what was noted."""
        self._kept = kept
        self._clock = clock
        self._max_age = max_age
        self._fault = FaultLine(PartKind.BACKUP.part(), post)
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        self.look()
        while not self._stopping.wait(_EVERY_S):
            self.look()

    def look(self) -> None:
        """Read the note once."""
        wrong = self._kept().wrong(self._clock.now().utc, self._max_age)
        if wrong is None:
            self._fault.works()
        else:
            self._fault.failed(wrong)

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()
