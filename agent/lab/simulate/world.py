"""A whole day at a gate in seconds: the world around the agent, and the clock that drives both.

    people, faults, operators --> pins, frames, commands --> agent --> pins, events --> checker
           `------------- what was done to it, in the checker's ear ----------------------^

From due moment to due moment: no time passes in between, and nothing is slept. The agent is the
production core on simulated pins and real SQLite files in a temporary folder
(``process``); the checker sees pins and events only (``checker``). One seed
makes one day.
"""

import heapq
import itertools
import os
import random
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.adapters.broker.simulated import SimulatedBroker
from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import GpioDoor
from agent.adapters.pins.simulated_header import OpenedHeader, WatchedBank
from agent.adapters.store.names import INDEX, LOG
from agent.adapters.store.simulated import LockKeeper
from agent.adapters.thermometer.mlx90614 import ADDRESS
from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.app.open.files.state import JOURNAL, LATCHES, Row
from agent.controller.inputs import ClockTold, Commanded, Input, RegistryChanged
from agent.domain.access.registry import Registry
from agent.domain.door.door_mode import Command
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import ClockChange
from agent.domain.record.uuid7 import Uuid7Source
from agent.errors import StoreError, UnavailableError
from agent.lab.simulate import layout
from agent.lab.simulate.checker import Checker
from agent.lab.simulate.checker_events import load
from agent.lab.simulate.faults import Faults
from agent.lab.simulate.people import People
from agent.lab.simulate.probes import Probes
from agent.lab.simulate.process import Died, Peril, SimulatedProcess, World
from agent.lab.simulate.silence import silence
from agent.operations.secure_outputs import (
    OutputLine,
    merge_outputs,
    recorded_outputs,
    secure_outputs,
)

_RAM = Path("/dev/shm")  # noqa: S108 - a folder of a private name within
_SETTLE_S = 120.0
_LONGEST_SETTLE_S = 900.0
_FOLLOWS_S = 0.015
_PROGRESS_S = 300.0
_FAR_S = float("inf")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be simulated."""

    hours: float = 24.0
    arrivals: int = 5000
    seed: int = 1
    faults: int = 200
    restarts: int = 1000
    probes: int = 0
    """People who probe; with any, the installation watches over the files of the state."""
    holders: int | None = None


class Simulation:
    """The world; ``run`` lets the day pass."""

    def __init__(self, stack: ExitStack, wish: Wish, folder: Path) -> None:
        self._wish = wish
        self._clock = ManualClock(0.0, layout.BEGIN, trusted=True)
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._outputs = {pin: name for name, pin in layout.OUTPUT_PINS.items()}
        self._lines = {line.name: line for line in layout.INPUTS}
        self._offset_s = 0.0
        self.restarts = 0
        self.expected = 0.0
        self.process: SimulatedProcess | None = None
        self.stuck: set[str] = set()
        self.deaf = self.timeless = False
        self.checker = Checker(layout.watched_outputs(), layout.ZONE)
        self.checker.clock_set(0.0, layout.BEGIN, trusted=True)
        stream = self.checker.stream
        stream.monitored = frozenset({"door", "lane-entry", "lane-exit"})
        stream.hard_area, stream.leaves = {"lane-entry": "inside"}, {"lane-exit": "inside"}
        chances = [random.Random(f"{wish.seed} {what}") for what in _CHANCES]  # noqa: S311 - a seeded day, no secret
        population = layout.populate(wish.holders or max(wish.arrivals // 2, 100), chances[0])
        population = layout.tried(population) if wish.probes else population
        skin = SimulatedMlx90614(
            24.0, 22.0, now_s=lambda: self.now_s, seed=wish.seed, starts_after_s=0.0
        )
        self.world = World(
            folder,
            WatchedBank(folder / "pins", self._moved),
            SimulatedBroker(self.later, self._heard, chances[1]),
            FakeBus({ADDRESS: skin}),
            population.registry,
            Uuid7Source(chances[2].randbytes),
            Peril(),
            watched=wish.probes > 0,
        )
        for line in layout.INPUTS:
            self.world.bank.set_input(line.pin, not line.active_high)
        self._people = People(self, population, skin, chances[3], chances[7])
        self._start()
        keepers = (LockKeeper(JOURNAL.at(folder)), LockKeeper(LATCHES.at(folder)))
        for keeper in keepers:
            stack.callback(keeper.close)
        self._faults = Faults(self, self._people, skin, keepers, chances[4])
        self._chance = chances[5]
        self._probes = Probes(self, self._people, self._faults, population, chances[6])

    def run(self, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
        """Let the day pass; the report."""
        seconds = self._wish.hours * 3600.0
        self._people.plan(self._wish.arrivals, seconds)
        self._faults.plan(self._wish.faults, self._wish.restarts, seconds)
        self._probes.plan(self._wish.probes, seconds)
        told_s = -_PROGRESS_S
        while self.now_s < seconds:
            self._go(seconds)
            if self.now_s >= told_s + _PROGRESS_S:
                told_s = self.now_s
                progress("simulating", int(self.now_s), int(seconds))
        self._faults.end_all()
        self._settle(seconds + _SETTLE_S)
        return self._report()

    # --- what the world is for its parts ----------------------------------------------------

    @property
    def now_s(self) -> float:
        """Seconds since the beginning, on the monotonic clock."""
        return self._clock.now().monotonic_s

    @property
    def instant(self) -> Instant:
        """By the kiosk's clocks."""
        return self._clock.now()

    @property
    def revision(self) -> int:
        """Of the gallery."""
        return self.world.registry.revision

    @property
    def clock_right(self) -> bool:
        """Whether nobody moves the clock just now."""
        return self._offset_s == 0.0

    def enrol(self, registry: Registry) -> None:
        """The registry is another one from now on."""
        self.world.registry = registry
        self.post(RegistryChanged(registry))

    def claimed(self, camera: str) -> int | None:
        """The presentation whose holder faces before this camera are compared with."""
        return None if self.process is None else self.process.claims.get(camera)

    def take_state(self, row: Row, older: Mapping[str, bytes]) -> None:
        """The process is killed, and the file gone before the next one; or ``older`` is there."""
        self.ends("kill")
        for end in ("", LOG, INDEX):
            path = Path(f"{row.at(self.world.folder)}{end}")
            path.unlink(missing_ok=True)
            if end in older:
                path.write_bytes(older[end])
        self.checker.promises.state_taken(self.now_s, Path(row.name).stem)

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        """Call something after so many seconds."""
        heapq.heappush(self._agenda, (self.now_s + delay_s, next(self._numbers), call))

    def post(self, happened: Input) -> None:
        """To the agent that there is; to nobody while there is none."""
        if self.process is not None:
            self.process.post(happened)

    def measure(self) -> None:
        """The thermometer's turn."""
        if self.process is not None and not self.process.hangs:
            self.process.measure()

    def is_free(self, output: str) -> bool:
        """Whether the relay lets somebody through, as its pin stands."""
        return self.world.bank.level(layout.OUTPUT_PINS[output])

    def put(self, line: str, *, active: bool) -> None:
        """A contact or button; while edges are lost only its level says so."""
        wired = self._lines[line]
        level = active is wired.active_high
        if self.process is None or self.deaf:
            self.world.bank.set_input(wired.pin, level)
        else:
            self.process.header.put(wired.pin, level=level)
        if self.process is not None:
            self.process.pin_moved(heard=not self.deaf)

    def tell_time(self) -> None:
        """A person says that the clock is right now."""
        self.post(ClockTold(self._clock.now().utc, ClockChange.SET_BACK, "uid:0 root", "simulated"))

    def set_clock(self, offset_s: float, *, trusted: bool, attacked: bool = False) -> None:
        """The kiosk's time of day, so far from the truth.

        By a clock that is ``attacked`` nothing may be judged, whoever vouches for it.
        """
        self._clock.step_utc(offset_s - self._offset_s, trusted=trusted)
        self._offset_s = offset_s
        now = self._clock.now()
        self.checker.clock_set(now.monotonic_s, now.utc, trusted=trusted and not attacked)
        if attacked:
            self._probes.clock_attacked(offset_s)

    def command(self, command: Command, point: str) -> None:
        """An operator's command; where the agent dies over it, it is given again."""
        output = layout.OUTPUT[point]
        process = self.process
        if process is None or process.hangs:
            self.later(5.0, lambda: self.command(command, point))
            return
        self.checker.commanded(self.now_s, output, command.value)
        self.post(Commanded(command, point, "uid:0 root"))
        self._mortal(process.step)
        if self.process is not process:
            self.checker.commanded(self.now_s, output, command.value, surely=False)
            self.later(6.0, lambda: self.command(command, point))

    def ends(self, how: str) -> None:
        """The process is stopped, killed, or hangs until the watchdog kills it."""
        process = self.process
        if process is None:
            return
        if how == "hang":
            process.hangs = True
            self.checker.dies(self.now_s, how)
        elif how == "stop":
            self._mortal(process.stop)
            if self.process is process:
                self._gone(how)
        else:
            self._gone(how)

    def relay_follows(self, output: str) -> None:
        """The relay does what its pin says, unless it sticks; its own contact tells."""
        line = _FEEDBACK.get(output)
        if line is not None and output not in self.stuck:
            self.put(line, active=self.is_free(output))

    # --- the clock --------------------------------------------------------------------------

    def _go(self, until_s: float) -> None:
        """On to whatever is due next."""
        process = self.process
        due_s = min(self._agenda[0][0] if self._agenda else _FAR_S, until_s)
        if process is not None and not process.hangs:
            due_s = min(due_s, process.deadline_s)
        if due_s > self.now_s:
            self._mortal(lambda: self._clock.advance(due_s - self.now_s))
        while self._agenda and self._agenda[0][0] <= self.now_s:
            self._mortal(heapq.heappop(self._agenda)[2])
        process = self.process
        if process is not None and not process.hangs:
            self._mortal(process.step)
        self.checker.look(self.now_s)

    def _mortal(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except Died:
            self._gone("dies")

    def _gone(self, how: str) -> None:
        """The process is no more; the service secures the outputs and starts it again."""
        process, self.process = self.process, None
        # Its timers are gone with it.
        now = self.instant
        self._clock = ManualClock(now.monotonic_s, now.utc, trusted=now.utc_trusted)
        if process is not None:
            self.expected += process.expected_false_grants
            process.die()
        self.checker.dies(self.now_s, how)
        if self._faults.latches_fail:
            self.checker.forgets(self.now_s)
            for point in layout.POINTS:
                self.later(8.0, partial(self.command, Command.RESUME, point))
        self.restarts += 1
        delay_s = self._chance.uniform(0.02, 0.8)
        self.later(delay_s, self._secure)
        self.later(delay_s + self._chance.uniform(0.1, 2.0), self._start)

    def _secure(self) -> None:
        """What the service's ExecStopPost does."""
        outputs = merge_outputs(layout.recorded(), recorded_outputs(self.world.folder))
        secure_outputs(outputs, self._opened)

    def _opened(self, output: OutputLine) -> GpioDoor:
        header = OpenedHeader(self.world.bank)
        return GpioDoor(
            header, output.pin, active_high=output.active_high, max_pulse_s=1.0, clock=self._clock
        )

    def _start(self) -> None:
        self.checker.starts(self.now_s)
        try:
            self.process = SimulatedProcess(self.world, self._clock, self._people.settled)
        except (Died, UnavailableError, StoreError) as error:
            self._gone(f"does not start: {type(error).__name__}")
            return
        self.checker.runs(self.now_s)
        if hasattr(self, "_faults"):
            self._faults.started()

    def _settle(self, until_s: float) -> None:
        """Time for what waits to be written and sent; then the agent stops in order."""
        longest_s = until_s + _LONGEST_SETTLE_S
        while self.now_s <= longest_s and (self.now_s < until_s or not self._quiet()):
            self._go(self.now_s + 5.0)
        self.ends("stop")
        self._agenda.clear()

    def _quiet(self) -> bool:
        return self.process is not None and self.process.quiet

    # --- what the gate does -----------------------------------------------------------------

    def _moved(self, pin: int, level: bool) -> None:  # noqa: FBT001 - as the bank tells it
        if pin in layout.LIGHT_PINS:
            self.checker.signs.light(self.now_s, *layout.LIGHT_PINS[pin], on=level)
        output = self._outputs.get(pin)
        if output is not None:
            self.checker.pin(self.now_s, output, free=level)
            self.later(_FOLLOWS_S, lambda: self.relay_follows(output))

    def _heard(self, topic: str, payload: bytes) -> None:
        del topic
        text = payload.decode()
        self.checker.published(self.now_s, load(text), text)

    def _report(self) -> dict[str, Any]:
        violations = list(self.checker.finish(self.now_s))
        stream = self.checker.stream
        return {
            "arrivals": self._people.arrived,
            "arrivals_by_outcome": self.checker.presences.outcomes(),
            "granted": stream.granted,
            "denied": stream.denied,
            "openings": self.checker.openings,
            "faults": sum(self._faults.by_kind.values()),
            "faults_by_kind": dict(sorted(self._faults.by_kind.items())),
            "restarts": self.restarts,
            "events": stream.events,
            "arrivals_by_hour": self._people.by_hour,
            "probes": dict(sorted(self._probes.by_kind.items())),
            "false_grants": {
                "expected": float(f"{self.expected:.3g}"),
                "seen": self.checker.promises.false_grants,
            },
            "people_without_a_sign": self.checker.signs.people,
            "violations": violations,
            "seed": self._wish.seed,
            "simulated_s": round(self.now_s, 3),
        }


_CHANCES = ("population", "broker", "ids", "people", "faults", "service", "probes", "hints")
_FEEDBACK = {"door": "door-feedback", "lane.entry": "entry-feedback"}


def run_simulation(
    wish: Wish, progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None
) -> dict[str, Any]:
    """Simulate what is wished for; the report, with all violations.

    Raises:
        StoreError: the temporary folder cannot be written to.
    """
    began_s = time.monotonic()
    where = _RAM if os.access(_RAM, os.W_OK) else None
    with (
        silence(),
        TemporaryDirectory(prefix="gate-agent-", dir=where) as folder,
        ExitStack() as stack,
    ):
        report = Simulation(stack, wish, Path(folder)).run(progress)
    return {**report, "wall_s": round(time.monotonic() - began_s, 3)}
