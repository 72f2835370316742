"""The thread that reads contacts and buttons: each change, once; a fault while they are not read.

    take -> InputChanged, in order, never coalesced       UnavailableError -> FaultRaised("inputs")
    unsteady -> FaultRaised("input:NAME"), once           the next take that works -> FaultCleared

The first take tells the levels that were found, so the controller knows of a door left open.
"""

import threading
from collections.abc import Callable, Collection

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.rounds import came_round
from agent.controller.inputs import Input, InputChanged
from agent.domain.access.part import PartKind
from agent.errors import UnavailableError
from agent.ports import Inputs

_TAKE_S = 0.25
_PATIENCE_S = (0.05, 0.1, 0.2, 0.35)
"""Between two tries; less than 400 ms, so that pins which can be read are not missed."""


class InputReader:
    """Posts every change, from the level found at the start on."""

    def __init__(self, inputs: Inputs, post: Callable[[Input], None]) -> None:
        self._inputs = inputs
        self._post = post
        self._fault = FaultLine(PartKind.INPUTS.part(), post)
        self._stopping = threading.Event()
        self._lines: dict[str, FaultLine] = {}
        self._tries = 0

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.is_set():
            came_round()
            pause_s = self.round(_TAKE_S)
            if pause_s:
                self._stopping.wait(pause_s)
        self._inputs.close()

    def round(self, timeout_s: float) -> float:
        """Post what changes within ``timeout_s``; for how many seconds to pause then."""
        try:
            changes = self._inputs.take(timeout_s)
        except UnavailableError as error:
            self._fault.failed(error)
            self._tries += 1
            return _PATIENCE_S[min(self._tries, len(_PATIENCE_S)) - 1]
        self._tries = 0
        self._fault.works()
        for change in changes:
            self._post(InputChanged(change))
        self._note(self._inputs.unsteady())
        return 0.0

    def told(self) -> bool:
        """Whether the last word about it was that it failed."""
        return self._fault.failing

    def stop(self) -> None:
        """End ``work`` within a quarter of a second."""
        self._stopping.set()

    def _note(self, unsteady: Collection[str]) -> None:
        for name in sorted(unsteady):
            if name not in self._lines:
                self._lines[name] = FaultLine(PartKind.INPUT.part(name), self._post)
            why = "its line oscillates: check wire and connector; short pulses are missed"
            self._lines[name].failed(why)
        for name in sorted(self._lines.keys() - set(unsteady)):
            self._lines[name].works()
