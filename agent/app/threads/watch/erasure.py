"""The thread that erases what a command removed and could not: it was killed, or not alone."""

import threading
from collections.abc import Callable

import structlog

from agent.errors import StoreError

_EVERY_S = 10.0
_WITHIN_S = 0.2
"""Each try is short: who asks for an ID document meanwhile waits for it."""

_log = structlog.get_logger(__name__)


class Erasure:
    """Looks whether something is owed, and tries until nothing is."""

    def __init__(self, owes: Callable[[], bool], erase: Callable[[float], bool]) -> None:
        """``erase`` tries for so many seconds, and says whether it could."""
        self._owes = owes
        self._erase = erase
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            self.tend()
            if self._stopping.wait(_EVERY_S):
                return

    def tend(self) -> None:
        """Erase what is owed; where the registry fails, the gallery's fault says so."""
        try:
            if self._owes() and not self._erase(_WITHIN_S):
                _log.info("erasure_waits")
        except StoreError as error:
            _log.warning("erasure_waits", error=str(error))

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()
