"""A file of the state that is gone at a restart, or an older one that lies in its place."""

import random
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from agent.adapters.store.names import LOG
from agent.app.open.files.state import LATCHES, LEDGER, Row
from agent.domain.access.registry import Registry
from agent.domain.door.door_mode import Command
from agent.domain.hours.instant import Instant
from agent.errors import RefusedError
from agent.lab.simulate import layout
from agent.lab.simulate.checker import Checker
from agent.lab.simulate.faults import Faults
from agent.lab.simulate.process import SimulatedProcess, World

_UNTIL_TAKEN_S, _UNTIL_ACCEPTED_S, _TROUBLE_S = 15.0, 120.0, 400.0


class ProbedGate(Protocol):
    """What those who probe need of the simulation."""

    checker: Checker
    world: World
    process: SimulatedProcess | None
    timeless: bool

    @property
    def clock_right(self) -> bool:
        """Whether nobody moves the clock just now."""

    @property
    def now_s(self) -> float:
        """Seconds on the monotonic clock."""

    @property
    def instant(self) -> Instant:
        """By the kiosk's clocks."""

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        """Call something after so many seconds."""

    def enrol(self, registry: Registry) -> None:
        """The registry is another one from now on."""

    def command(self, command: Command, point: str) -> None:
        """An operator's command."""

    def take_state(self, row: Row, older: Mapping[str, bytes]) -> None:
        """The process is killed, and the file gone before the next one; or ``older`` is there."""


class StateProbes:
    """One file at a time: taken in a restart, and accepted by a person two minutes later."""

    def __init__(self, gate: ProbedGate, faults: Faults, chance: random.Random) -> None:
        self._gate, self._faults, self._chance = gate, faults, chance
        self._busy = False

    def begin(self) -> bool:
        """What is locked down, or used up by now, is to be so after it; False: not just now."""
        if self._busy or self._process is None:
            return False
        self._busy = True
        row = self._chance.choice((LATCHES, LEDGER))
        older = self._copied(row) if self._chance.random() < 0.5 else {}
        if row is LATCHES:
            for point in layout.POINTS:
                self._gate.command(Command.LOCK_DOWN, point)
        self._trouble()
        self._gate.later(_UNTIL_TAKEN_S, partial(self._taken, row, older))
        return True

    @property
    def _process(self) -> SimulatedProcess | None:
        """The agent, where it lives and its files can be written."""
        process = self._gate.process
        if process is None or process.hangs or not self._faults.disk_well:
            return None
        return process

    def _taken(self, row: Row, older: Mapping[str, bytes]) -> None:
        process = self._process
        if process is None or not self._gate.clock_right:
            self._trouble()
            self._gate.later(3.0, partial(self._taken, row, older))
            return
        self._gate.timeless = row is LEDGER  # which keeps the latest time as well
        process.remember()
        self._gate.take_state(row, older)
        self._trouble()
        self._gate.later(_UNTIL_ACCEPTED_S, partial(self._accepted, row))

    def _accepted(self, row: Row) -> None:
        """A person says that it counts as it is; what was locked down begins anew."""
        process, promises = self._process, self._gate.checker.promises
        if process is None:
            self._trouble()
            self._gate.later(5.0, partial(self._accepted, row))
            return
        promises.state_accepted(self._gate.now_s, Path(row.name).stem)
        if row is LEDGER:
            self._gate.checker.stream.forgotten(self._gate.now_s, uses=True)
            self._gate.timeless = False
        else:
            self._gate.checker.forgets(self._gate.now_s)
            self._gate.checker.stream.forgotten(self._gate.now_s)
        try:
            process.accept(row.name)
        except RefusedError as error:
            promises.state_unnoticed(self._gate.now_s, row.name, str(error))
        if row is LATCHES:
            for point in layout.POINTS:
                self._gate.later(3.0, partial(self._gate.command, Command.RESUME, point))
        self._busy = False

    def _copied(self, row: Row) -> dict[str, bytes]:
        """The file as it is now, with its log."""
        found = {}
        for end in ("", LOG):
            path = Path(f"{row.at(self._gate.world.folder)}{end}")
            if path.exists():
                found[end] = path.read_bytes()
        return found

    def _trouble(self) -> None:
        now_s = self._gate.now_s
        self._gate.checker.promises.troubled(now_s, now_s + _TROUBLE_S)
