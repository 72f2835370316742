"""The thread that remembers how far the files of the state have come, and sees one that is changed.

    every 20 s: judge --> a fault, where a file is gone, older or another's --> remember --> tell

No decision waits for it: what is remembered late only demands less. The journal may be setting a
damaged file aside just then, so it is in fault where it is wrong at two looks.
"""

import threading
from collections.abc import Callable, Mapping

import structlog

from agent.adapters.store.installation import Installation
from agent.app.open.files.installation import detail_of, part_of, settle
from agent.app.open.files.state import JOURNAL, WATCHED
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import Part
from agent.domain.record.events import Event
from agent.errors import StoreError

_EVERY_S = 20.0

_log = structlog.get_logger(__name__)


class StateWatch:
    """Looks after the installation of a running agent."""

    def __init__(
        self,
        installation: Installation,
        standing: Mapping[Part, str],
        post: Callable[[Input], None],
        record: Callable[[Event], object],
    ) -> None:
        """``standing`` are the faults that the controller began with.

        ``record`` writes an event into the journal, durable before it returns.
        """
        self._installation = installation
        self._post = post
        self._record = record
        self._lock = threading.Lock()
        self._raised = set(standing)
        self._suspected = False
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        self.tend()
        while not self._stopping.wait(_EVERY_S):
            self.tend()

    def tend(self) -> None:
        """Look, remember, and tell what waits to be told."""
        suspected = self._suspected
        try:
            self._suspected = JOURNAL.name in self._installation.look()
        except StoreError as error:
            _log.warning("state_not_judged", error=str(error))
        self.look(journal=suspected and self._suspected)
        settle(self._installation)
        self._tell()

    def look(self, *, journal: bool = False) -> None:
        """Raise what is wrong by now; of a folder that cannot be looked into nothing is known."""
        names = [row.name for row in WATCHED if journal or row is not JOURNAL]
        with self._lock:
            try:
                wrong = self._installation.judge(names)
            except StoreError as error:
                _log.warning("state_not_judged", error=str(error))
                return
            for name, what in wrong.items():
                part = part_of(name)
                if part not in self._raised:
                    self._raised.add(part)
                    self._post(FaultRaised(part, detail_of(name, what)))

    def accept(self, file: str, reason: str, by: str) -> Part:
        """A person accepts the file as it is; the part that is in order again.

        Raises:
            RefusedError: ``unknown_file``, ``no_fault``, ``unreadable``.
            StoreError: something cannot be written.
        """
        with self._lock:
            self._installation.accept(file, reason, by)
            part = part_of(file)
            self._raised.discard(part)
            self._post(FaultCleared(part, by))
        self._tell()
        return part

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()

    def _tell(self) -> None:
        try:
            self._installation.tell(self._record)
        except StoreError as error:
            _log.warning("state_not_told", error=str(error))
