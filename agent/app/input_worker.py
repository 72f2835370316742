"""The thread that reads contacts and buttons: each change, once; a fault while they are not read.

    take -> InputChanged, in order, never coalesced       UnavailableError -> FaultRaised("inputs")
    unsteady -> FaultRaised("input:NAME"), once           the next take that works -> FaultCleared

The first take tells the levels that were found, so the controller knows of a door left open.
"""

import threading
from collections.abc import Callable, Collection

from agent.controller.inputs import FaultCleared, FaultRaised, Input, InputChanged
from agent.errors import UnavailableError
from agent.ports import Inputs

_PART = "inputs"
_BY = "agent"
_TAKE_S = 0.25
_PATIENCE_S = (0.05, 0.1, 0.2, 0.35)
"""Between two tries; less than 400 ms, so that pins which can be read are not missed."""


class InputReader:
    """Posts every change, from the level found at the start on."""

    def __init__(self, inputs: Inputs, post: Callable[[Input], None]) -> None:
        self._inputs = inputs
        self._post = post
        self._stopping = threading.Event()
        self._unsteady: frozenset[str] = frozenset()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        tries = 0
        while not self._stopping.is_set():
            try:
                changes = self._inputs.take(_TAKE_S)
            except UnavailableError as error:
                if not tries:
                    self._post(FaultRaised(_PART, str(error).splitlines()[0]))
                self._stopping.wait(_PATIENCE_S[min(tries, len(_PATIENCE_S) - 1)])
                tries += 1
                continue
            if tries:
                tries = 0
                self._post(FaultCleared(_PART, _BY))
            for change in changes:
                self._post(InputChanged(change))
            self._note(self._inputs.unsteady())
        self._inputs.close()

    def stop(self) -> None:
        """End ``work`` within a quarter of a second."""
        self._stopping.set()

    def _note(self, unsteady: Collection[str]) -> None:
        for name in sorted(set(unsteady) - self._unsteady):
            why = "its line oscillates: check wire and connector; short pulses are missed"
            self._post(FaultRaised(f"input:{name}", why))
        for name in sorted(self._unsteady - set(unsteady)):
            self._post(FaultCleared(f"input:{name}", _BY))
        self._unsteady = frozenset(unsteady)
