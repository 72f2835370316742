"""The thread that looks whether passes can be counted again, once a use could not be.

A lock of a moment, or a disk that was full, is a fault of ``passes``: while it stands no pass of
limited uses opens, and so nothing is counted by which one would see that it is over. So it is asked
here, beside the thread that moves the doors.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from agent.controller.inputs import FaultCleared, Input
from agent.domain.access.part import PartKind
from agent.domain.credential.gate_pass import PassId
from agent.errors import StoreError
from agent.ports import PassLedger

_EVERY_S = 1.0


class WatchedLedger:
    """Implements ``ports.PassLedger`` by another; clears the fault that its failure raised."""

    def __init__(self, ledger: PassLedger, post: Callable[[Input], None]) -> None:
        """Whoever counts by it raises the fault."""
        self._ledger = ledger
        self._post = post
        self._failures = self._seen = self._over = 0
        self._stopping = threading.Event()

    def uses(self) -> Mapping[PassId, int]:
        """As the ledger says."""
        return self._ledger.uses()

    def consume(self, one: PassId, limit: int, valid_until: datetime) -> bool:
        """As the ledger does.

        Raises:
            StoreError: it could not be written; the pass must not open.
        """
        try:
            return self._ledger.consume(one, limit, valid_until)
        except StoreError:
            self._failures += 1
            raise

    def check(self) -> None:
        """As the ledger does.

        Raises:
            StoreError: no use could be counted now.
        """
        self._ledger.check()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.wait(_EVERY_S):
            self.tend()

    def tend(self) -> None:
        """Clear the fault where a use could be counted now."""
        failures = self._failures
        if failures == self._over:
            return
        if failures != self._seen:
            self._seen = failures  # the fault itself may still be on its way
            return
        try:
            self.check()
        except StoreError:
            return
        self._over = failures
        self._post(FaultCleared(PartKind.PASSES.part(), "agent"))

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()
