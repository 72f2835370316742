"""The walk test that this console began: it goes on while somebody looks, and no longer."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from agent.errors import GateAgentError

_HELD_EVERY_S = 5.0

Ask = Callable[[dict[str, Any]], dict[str, Any]]


class WalkTestHere:
    """Several threads use it; ``ask`` asks the running agent."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._id: str | None = None
        self._held_s = float("-inf")

    def begin(self, point: object, minutes: object) -> dict[str, Any]:
        """Nothing opens there by a decision; what the agent says of it.

        Raises:
            RefusedError: the agent says why not.
            UnavailableError: no agent answers.
        """
        told = self._ask({"do": "begin", "access_points": [point], "minutes": minutes})
        with self._lock:
            self._id, self._held_s = str(told["id"]), time.monotonic()
        return {"walk_test": told["walk_test"]}

    def end(self) -> dict[str, Any]:
        """The gate is as ever.

        Raises:
            UnavailableError: no agent answers; then there is none either.
        """
        with self._lock:
            self._id = None
        return {"walk_test": self._ask({"do": "end"})["walk_test"]}

    def looked(self) -> None:
        """Somebody looks: one that was begun here is held."""
        now_s = time.monotonic()
        with self._lock:
            held = self._id
            if held is None or now_s - self._held_s < _HELD_EVERY_S:
                return
            self._held_s = now_s
        try:
            self._ask({"do": "hold", "id": held})
        except GateAgentError:
            # It is over, or the agent is gone and it with it: nothing is left to be held.
            with self._lock:
                if self._id == held:
                    self._id = None

    def left(self) -> None:
        """Nobody looks any more: one that was begun here ends, now or half a minute later."""
        with self._lock:
            mine = self._id is not None
        if mine:
            with contextlib.suppress(GateAgentError):
                self.end()
