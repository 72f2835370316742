"""The gallery in memory, kept in step with the registry on disk.

A snapshot is built whole and then swapped. A change made by another process shows as a new
revision, looked up twice a second, which costs one small read.
"""

import threading
from collections.abc import Callable

import structlog

from agent.app.open.snapshot import Snapshot
from agent.app.threads.fault_line import FaultLine
from agent.controller.inputs import Input, RegistryChanged
from agent.credentials.passes.issuers import Issuers
from agent.domain.access.part import PartKind
from agent.domain.access.registry import Registry
from agent.domain.sight.comparison import ReferenceIndex
from agent.errors import UnavailableError

_POLL_S = 0.5
_log = structlog.get_logger(__name__)


class GalleryWatch:
    """Holds the newest snapshot and looks for newer ones."""

    def __init__(
        self,
        first: Snapshot,
        renew: Callable[[], Snapshot],
        revision: Callable[[], int],
        post: Callable[[Input], None],
        changed: Callable[[], None],
    ) -> None:
        """``changed`` moves the changes' events to the journal.

        It is called at the start, for what a killed command left behind, after each new snapshot,
        and again where it could not.
        """
        self._snapshot = first
        self._renew = renew
        self._revision = revision
        self._post = post
        self._changed = changed
        self._fault = FaultLine(PartKind.GALLERY.part(), post)
        self._stopping = threading.Event()

    def index(self) -> ReferenceIndex:
        """What to compare with now."""
        return self._snapshot.index

    def issuers(self) -> Issuers:
        """Whose passes to believe now."""
        return self._snapshot.issuers

    def registry(self) -> Registry:
        """What to judge by now."""
        return self._snapshot.registry

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        moved = False
        while not self._stopping.wait(_POLL_S):
            try:
                if self._revision() != self._snapshot.registry.revision:
                    self._snapshot = self._renew()
                    self._post(RegistryChanged(self._snapshot.registry))
                    moved = False
                if not moved:
                    self._changed()
                    moved = True
            except UnavailableError as error:
                # The last good gallery stays in force; the fault says that it grows old.
                self._fault.failed(error)
            else:
                self._fault.works()

    def stop(self) -> None:
        """End ``work`` within half a second."""
        self._stopping.set()
