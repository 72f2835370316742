"""A fleet of kiosks against one broker and the reference backend, through a bad day.

    steady    each kiosk says so many events a second
    registry  a change of the registry goes to every kiosk
    broker    the broker goes and comes back, meanwhile events go on
    backend   one instance of the backend is killed and comes back
    settle    nobody says anything more; until every event is in PostgreSQL, or time is up

What counts in the end is what PostgreSQL has, asked by a client of its own: every place of every
kiosk's stream once.

Where the machine cannot hold the rate, what is due twice is said once: the report has the rate that
was held, and nothing that was said may be missing all the same. What takes its time beside the
fleet (a server that starts, a question to PostgreSQL) is waited for while the loop turns.
"""

import heapq
import random
import resource
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from agent import logs
from agent.domain.record.topics import Topics
from agent.lab.fleet.backend import Backend
from agent.lab.fleet.descriptors import need_descriptors
from agent.lab.fleet.driven import Driver
from agent.lab.fleet.ears import Trusted
from agent.lab.fleet.kiosk import Common, FleetKiosk, Tally
from agent.lab.fleet.processor import Sides
from agent.lab.fleet.report import Recovery, Report, spread
from agent.lab.fleet.stored import Stored
from agent.lab.servers import Mosquitto, PostgreSQL, Server, backend_program

_GRIDS = 20
_TURN_S = 0.02
_ALL_EVERY_S = 0.5
_CONNECT_S = 120.0
_AWAY_S = 3.0
_SETTLE_S = 180.0
_ASK_EVERY_S = 1.0
_READY = b"connected"
_HELD = 0.99
"""Of the rate that was asked for: less, and it could not be held."""
T = TypeVar("T")

Told = Callable[[str, float, float], None]
"""Hears the phase, and how much of how much of it is done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large, how fast, how long; ``per_s`` events a second of each kiosk."""

    kiosks: int
    seconds: float = 60.0
    per_s: float = 1.0
    instances: int = 2
    seed: int = 0


def run_fleet(plan: Plan, told: Told) -> Report:
    """Start the servers, let the fleet speak, break things, and count.

    Raises:
        UnavailableError: a server is missing, or so many descriptors are not allowed.
    """
    logs.configure("error")  # a thousand kiosks that connect are no news
    need_descriptors(plan.kiosks)
    backend_program()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gate-fleet-")))
        broker, database = Mosquitto(folder), PostgreSQL(folder)
        stack.callback(broker.stop)
        stack.callback(database.stop)
        broker.start()
        database.start()
        backend = Backend(folder, broker.port, database.dsn)
        instances = [backend.instance(number) for number in range(plan.instances)]
        for one in instances:
            stack.callback(one.stop)
        fleet = Fleet(plan, broker.port, backend.trusted)
        stack.callback(fleet.close)
        return _Day(plan, fleet, broker, database, backend, instances, told).run()


class Fleet:
    """The kiosks and their one loop."""

    def __init__(self, plan: Plan, port: int, trusted: Trusted) -> None:
        chance = random.Random(plan.seed)  # noqa: S311 - one seed makes one fleet
        self.driver, self.tally = Driver(), Tally()
        self._awake: set[int] = set()
        self._all_s = 0.0
        common = Common(("127.0.0.1", port), self.driver, self.tally, trusted)
        self.kiosks = [
            FleetKiosk(
                common,
                Topics("fleet", f"g{number % _GRIDS:02}", f"k{number:05}"),
                random.Random(chance.random()),  # noqa: S311 - one seed makes one fleet
                partial(self._awake.add, number),
            )
            for number in range(plan.kiosks)
        ]
        self._every_s = 1.0 / plan.per_s
        # Each in a phase of its own: people do not come to all gates in the same moment.
        now_s = time.monotonic()
        self._due = [(now_s + chance.random() * self._every_s, n) for n in range(plan.kiosks)]
        heapq.heapify(self._due)
        for kiosk in self.kiosks:
            kiosk.broker.start()

    @property
    def connected(self) -> int:
        """How many kiosks the broker has accepted."""
        return sum(kiosk.broker.connected() for kiosk in self.kiosks)

    @property
    def pending(self) -> int:
        """How many events the broker does not have yet."""
        return sum(kiosk.journal.pending for kiosk in self.kiosks)

    def turn(self, *, says: bool) -> None:
        """One round of the loop; ``says``: what is due is said."""
        self.driver.turn(_TURN_S)
        now_s = time.monotonic()
        while says and self._due[0][0] <= now_s:
            due_s, number = self._due[0]
            self.kiosks[number].say()
            # To catch up on what could not be said in time would only make it later still.
            late = int((now_s - due_s) / self._every_s)
            self.tally.unsaid += late
            heapq.heapreplace(self._due, (due_s + (late + 1) * self._every_s, number))
        if now_s >= self._all_s:  # a backlog goes by the clock, too
            self._all_s = now_s + _ALL_EVERY_S
            self._awake.update(
                number for number, one in enumerate(self.kiosks) if one.journal.pending
            )
        while self._awake:
            self.kiosks[self._awake.pop()].serve(now_s)

    def places(self) -> dict[tuple[str, str], int]:
        """The last sequence number of each stream, by kiosk and epoch."""
        return {
            (one.topics.kiosk_path, one.journal.epoch): one.journal.last_sequence
            for one in self.kiosks
        }

    def begin(self) -> None:
        """What would have been due until now was not said."""
        now_s = time.monotonic()
        self._due = [(now_s + due_s % self._every_s, number) for due_s, number in self._due]
        heapq.heapify(self._due)

    def close(self) -> None:
        """Hang up."""
        for kiosk in self.kiosks:
            kiosk.broker.close()
        self.driver.close()


class _Day:
    """The phases, one after the other."""

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        broker: Mosquitto,
        database: PostgreSQL,
        backend: Backend,
        instances: list[Server],
        told: Told,
    ) -> None:
        self._plan = plan
        self._fleet = fleet
        self._broker = broker
        self._stored = Stored(database)
        self._backend = backend
        self._instances = instances
        self._told = told
        self._sides = Sides(broker=[broker], database=[database], backend=instances)
        self._beside = ThreadPoolExecutor(max_workers=1)
        self._rows = 0

    def run(self) -> Report:
        """All of it."""
        with self._beside:
            return self._run()

    def _run(self) -> Report:
        plan, fleet = self._plan, self._fleet
        self._begin_instances()
        self._backend.pin([one.shown() for one in fleet.kiosks])
        connect_s = self._until("connect", lambda: fleet.connected == plan.kiosks, _CONNECT_S)
        fleet.begin()
        began_s, busy, begun = time.monotonic(), self._sides.busy_s(), datetime.now(UTC)
        self._speak("steady", plan.seconds)
        took_s = time.monotonic() - began_s
        spent_s = {name: one - busy[name] for name, one in self._sides.busy_s().items()}
        ended = datetime.now(UTC)
        acknowledged_ms = [1000.0 * one for one in fleet.tally.acknowledged_s]
        steady = fleet.tally.said
        registry_s = self._registry()
        restarted = self._broker_restart()
        killed = self._backend_kill()
        settle_s = self._settle()
        held_per_s, asked_per_s = steady / took_s, plan.kiosks * plan.per_s
        return Report(
            kiosks=plan.kiosks,
            per_s=plan.per_s,
            seconds=round(took_s, 1),
            instances=plan.instances,
            said=fleet.tally.said,
            counted=self._stored.counted(fleet.places()),
            connect_s=_rounded(connect_s),
            events_per_s=round(held_per_s, 1),
            asked_per_s=round(asked_per_s, 1),
            rate_held=held_per_s >= _HELD * asked_per_s,
            unsaid=fleet.tally.unsaid,
            acknowledged_ms=spread(acknowledged_ms),
            end_to_end_ms=spread(self._stored.delays_ms(begun, ended)),
            broker_restart=restarted,
            backend_kill=killed,
            registry_s=registry_s,
            settle_s=_rounded(settle_s),
            cpu_share=round(spent_s["kiosks"] / took_s, 2),
            cpu_ms_per_event={
                name: round(1000.0 * one / max(steady, 1), 3) for name, one in spent_s.items()
            },
            rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1),
            refusals=dict(fleet.tally.refusals),
        )

    def _begin_instances(self) -> None:
        for number, one in enumerate(self._instances):
            self._told("backend", number, len(self._instances))
            one.start(one.has_said(_READY))

    def _registry(self) -> float | None:
        """Until a change of the registry is with every kiosk, while they speak on."""
        fleet, before = self._fleet, [one.ears.version for one in self._fleet.kiosks]
        began_s = time.monotonic()
        self._meanwhile("registry", self._backend.register)

        def taken() -> bool:
            return all(
                one.ears.version > was for one, was in zip(fleet.kiosks, before, strict=True)
            )

        if self._until("registry", taken, _SETTLE_S) is None:
            return None
        return round(time.monotonic() - began_s, 2)

    def _broker_restart(self) -> Recovery:
        fleet, kiosks = self._fleet, self._plan.kiosks
        # Where the rate cannot be held, more than a second's worth is under way at any time.
        usual = max(1.0, kiosks * self._plan.per_s, fleet.pending)
        self._broker.stop()
        self._speak("broker", _AWAY_S)
        self._meanwhile("broker", self._broker.start)
        back_s = time.monotonic()
        connected_s = self._until("broker", lambda: fleet.connected == kiosks, _SETTLE_S)
        if self._until("broker", lambda: fleet.pending <= usual, _SETTLE_S) is None:
            return Recovery(_AWAY_S, connected_s, None)
        return Recovery(_AWAY_S, connected_s, round(time.monotonic() - back_s, 2))

    def _backend_kill(self) -> Recovery:
        one, fleet = self._instances[0], self._fleet
        said = fleet.tally.said
        usual = max(
            2.0 * self._plan.kiosks * self._plan.per_s,
            said - self._meanwhile("backend", self._stored.rows),
        )
        one.stop(signal.SIGKILL)
        self._speak("backend", _AWAY_S)
        ready = one.has_said(_READY)
        self._meanwhile("backend", lambda: one.start(ready))

        def caught_up() -> bool:
            return fleet.tally.said - self._stored.rows() <= usual

        return Recovery(_AWAY_S, None, self._until("backend", caught_up, _SETTLE_S))

    def _all_stored(self) -> bool:
        self._rows = self._stored.rows()
        return not self._fleet.pending and self._rows >= self._fleet.tally.said

    def _settle(self) -> float | None:
        """Until all is stored; for as long as it becomes more within the time given."""
        began_s, before = time.monotonic(), -1
        while self._rows > before:
            before = self._rows
            if self._until("settle", self._all_stored, _SETTLE_S, says=False) is not None:
                return time.monotonic() - began_s
        return None

    def _speak(self, phase: str, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0.0:
            self._told(phase, seconds - left_s, seconds)
            self._fleet.turn(says=True)

    def _until(
        self, phase: str, holds: Callable[[], bool], within_s: float, *, says: bool = True
    ) -> float | None:
        """After how many seconds ``holds``, asked once a second at most; None: not in time."""
        began_s = ask_s = time.monotonic()
        while (gone_s := time.monotonic() - began_s) < within_s:
            self._told(phase, gone_s, within_s)
            if time.monotonic() >= ask_s:
                if self._meanwhile(phase, holds, says=says):
                    return round(time.monotonic() - began_s, 2)
                ask_s = time.monotonic() + _ASK_EVERY_S
            self._fleet.turn(says=says and phase != "connect")
        return None

    def _meanwhile(self, phase: str, work: Callable[[], T], *, says: bool = True) -> T:
        """What ``work`` finds, on a thread of its own: the kiosks do not stand still for it."""
        done, began_s = self._beside.submit(work), time.monotonic()
        while not done.done():
            self._told(phase, time.monotonic() - began_s, _SETTLE_S)
            self._fleet.turn(says=says and phase != "connect")
        return done.result()


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
