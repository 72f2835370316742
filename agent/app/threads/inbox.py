"""The way into the controller: many threads post, one takes."""

import threading
from collections import deque

from agent.controller.inputs import CodeUnread, CredentialShown, Input, Observed, TemperatureRead


class Inbox:
    """Inputs in order of arrival; observations of a camera and readings coalesce, nothing else.

    A camera that outruns the controller replaces its own waiting observation, so the queue is
    bounded by what cannot be lost: door inputs, commands, faults. None of those is overtaken: a
    face must not be judged before the fault, or the registry, that was there first.
    """

    def __init__(self) -> None:
        # Re-entrant: a signal handler posts from within the thread that takes.
        self._condition = threading.Condition(threading.RLock())
        self._waiting: deque[Input] = deque()
        self.coalesced = 0

    def post(self, happened: Input) -> None:
        """Hand one input over; never blocks."""
        with self._condition:
            if not self._replace(happened):
                self._waiting.append(happened)
            self._condition.notify()

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        with self._condition:
            return not self._waiting

    def take(self, timeout_s: float) -> Input | None:
        """The oldest input, or None after ``timeout_s``."""
        with self._condition:
            if not self._waiting and timeout_s > 0.0:
                self._condition.wait(timeout_s)
            return self._waiting.popleft() if self._waiting else None

    def _replace(self, happened: Input) -> bool:
        for i in range(len(self._waiting) - 1, -1, -1):
            waiting = self._waiting[i]
            if isinstance(happened, CredentialShown | CodeUnread) and happened == waiting:
                return True  # it still lies there
            if not isinstance(waiting, Observed | TemperatureRead | CredentialShown | CodeUnread):
                return False
            same = (
                isinstance(happened, Observed)
                and isinstance(waiting, Observed)
                and happened.observation.camera == waiting.observation.camera
            ) or (isinstance(happened, TemperatureRead) and isinstance(waiting, TemperatureRead))
            if same:
                self._waiting[i] = happened
                self.coalesced += 1
                return True
        return False
