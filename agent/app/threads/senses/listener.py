"""A thread that waits at a reader of credentials: its loop, its fault, its end."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.rounds import came_round
from agent.controller.inputs import Input
from agent.domain.access.part import Part


class Listener(ABC):
    """Looks at its reader again and again, each time for a moment; closes it at the end."""

    def __init__(
        self, part: Part, post: Callable[[Input], None], close: Callable[[], None]
    ) -> None:
        """``part`` is whose fault it is where the reader fails; ``close`` lets the reader go."""
        self._fault = FaultLine(part, post)
        self._close = close
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        try:
            while not self._stopping.is_set():
                came_round()
                self.look()
        finally:
            self._close()

    @abstractmethod
    def look(self) -> None:
        """Wait at the reader for half a second at most."""

    def told(self) -> bool:
        """Whether the last word about it was that it failed."""
        return self._fault.failing

    def stop(self) -> None:
        """End ``work`` after the look under way."""
        self._stopping.set()
