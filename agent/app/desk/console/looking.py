"""The agent's status and its journal, read by one thread, and only while a page is open.

    asleep --somebody asks--> a round a second --nobody asked for 5 s--> asleep

What was read stands for all who ask, so four pages cost the kiosk as much as one.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from agent.app.desk.watching import Round, Seen
from agent.errors import UnavailableError

_EVERY_S = 1.0
_WANTED_S = 5.0
_OLD_S = 2.0
_PATIENCE_S = 8.0

Told = dict[str, Any]


class RoundsOf(Protocol):
    """Begins to look; what it is given waits from one round to the next."""

    def __call__(self, pause: Callable[[], None]) -> Iterator[Round]:
        """A round after the other, for ever."""


class Looking:
    """What was seen last, as ``tell`` has it; any thread asks."""

    def __init__(self, rounds: RoundsOf, tell: Callable[[Seen], Told]) -> None:
        self._rounds = rounds
        self._tell = tell
        self._condition = threading.Condition()
        self._wanted_until_s = 0.0
        self._told: Told | None = None
        self._told_s = float("-inf")
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="console", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def newest(self) -> Told:
        """What stands now, two seconds old at the most.

        Raises:
            UnavailableError: it cannot be read in time.
        """
        with self._condition:
            now_s = time.monotonic()
            self._wanted_until_s = now_s + _WANTED_S
            self._condition.notify_all()
            seen = self._condition.wait_for(
                lambda: self._told_s >= now_s - _OLD_S or self._stopping, _PATIENCE_S
            )
            if not seen or self._told is None:
                raise UnavailableError("the journal or the agent takes long to answer")
            return self._told

    def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            for seen, _ in self._rounds(self._pause):
                told = self._tell(seen)
                with self._condition:
                    self._told, self._told_s = told, time.monotonic()
                    self._condition.notify_all()
        except _OverError:
            return

    def _pause(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopping, _EVERY_S)
            self._condition.wait_for(self._goes_on)
            if self._stopping:
                raise _OverError

    def _goes_on(self) -> bool:
        return self._stopping or time.monotonic() < self._wanted_until_s


class _OverError(Exception):
    """Nobody looks any more."""
