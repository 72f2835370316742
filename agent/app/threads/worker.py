"""Threads that cannot die unseen, and the slots between them."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from agent.app.threads.rounds import Round

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Worker:
    """One named thread; an exception that leaves it is handed to ``died`` and stops the agent."""

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        died: Callable[[str, BaseException], None],
        rounds: Round | None = None,
    ) -> None:
        self.name = name
        self.round = rounds or Round(name)
        self._work = work
        self._died = died
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end at most ``timeout_s``; False where it still runs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self.round.begin()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - no thread dies unseen, whatever of
            _log.error("thread_died", thread=self.name, error=type(error).__name__, exc_info=True)
            self._died(self.name, error)
        finally:
            self.round.end()


class Slot(Generic[T]):
    """Holds the newest value only: a slow reader sees fresh ones, and what it missed is counted."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, value: T) -> None:
        """Replace what nobody took."""
        with self._condition:
            if self._value is not None:
                self.dropped += 1
            self._value = value
            self._condition.notify()

    def close(self) -> None:
        """Nothing more will come; what is there can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def take(self, timeout_s: float) -> T | None:
        """The value, or None after ``timeout_s`` or once the slot is closed and empty."""
        with self._condition:
            if self._value is None and not self._closed:
                self._condition.wait(timeout_s)
            value, self._value = self._value, None
            return value

    @property
    def finished(self) -> bool:
        """Closed, and nothing left to take."""
        with self._condition:
            return self._closed and self._value is None
