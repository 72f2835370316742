"""One process of a simulated agent: opened from the files, stepped, stopped or killed.

What it is made of is the daemon's own (``core``), on simulated pins, a simulated broker and real
SQLite files; only threads are missing. A ``Peril`` lets it die between or within two effects: the
n-th thing that it does to a door, a file or the broker raises ``Died``, which no code catches.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.adapters.broker.simulated import SimulatedBroker, SimulatedClient
from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import GpioDoor
from agent.adapters.pins.indicator import GpioIndicator
from agent.adapters.pins.inputs import GpioInputs, InputPin
from agent.adapters.pins.simulated_header import OpenedHeader, WatchedBank
from agent.adapters.store.installation import Installation
from agent.adapters.store.simulated import SimulatedJournal, SimulatedLatches, SimulatedLedger
from agent.adapters.thermometer.mlx90614 import Mlx90614, Mlx90614Settings
from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.app.gate.core import Core, CoreStores, Signer
from agent.app.gate.executor import Outlets
from agent.app.open.files.installation import detail_of, part_of
from agent.app.open.files.state import JOURNAL, LATCHES, LEDGER, REGISTRY, WATCHED
from agent.app.open.thermometers import AwaitedThermometer
from agent.app.threads.organ import Organ, Outlet
from agent.app.threads.senses.inputs import InputReader
from agent.app.threads.senses.thermometer import ThermometerReader
from agent.app.threads.tell.telling import Telling
from agent.app.threads.watch.clock import TimeKeeper
from agent.controller.effects import Compare, SetStatus, Settle
from agent.controller.inputs import FaultCleared, Input, Stop
from agent.domain.access.part import Part
from agent.domain.access.registry import Registry
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.events import Event, EventDraft, EventType
from agent.domain.record.pace import Pace
from agent.domain.record.topics import Topics
from agent.domain.record.uuid7 import Uuid7Source
from agent.errors import StoreError, UnavailableError
from agent.lab.simulate import layout
from agent.lab.simulate.mortal_door import MortalDoor
from agent.operations.secure_outputs import record_outputs
from agent.ports import Door

TOPICS = Topics(layout.COMMUNITY, layout.GRID, layout.KIOSK)
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_RETRY_S = 1.0
_IDLE_S = 5.0
_LEAST_S = 0.001
_BACKLOG_PER_S = 50.0


class Died(BaseException):
    """The process is gone, in the middle of whatever it did."""


@dataclass(slots=True)
class Peril:
    """After ``left`` more things that it does, the process dies; None: it does not."""

    left: int | None = None

    def reach(self) -> None:
        """Something is about to be done, or was.

        Raises:
            Died: it was one too many.
        """
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.left = None
                raise Died


@dataclass(slots=True)
class World:
    """What outlives every process."""

    folder: Path
    bank: WatchedBank
    broker: SimulatedBroker
    bus: FakeBus
    registry: Registry
    ids: Uuid7Source
    peril: Peril = field(default_factory=Peril)
    slow: bool = False
    """Whether rows take longer than a door waits."""
    full: bool = False
    """Whether the journal may grow no more."""
    watched: bool = False
    """Whether the installation watches over the files."""


class SimulatedProcess(Organ):
    """An agent in service from its making on; dead after ``stop`` or ``die``."""

    def __init__(
        self, world: World, clock: ManualClock, settled: Callable[[str, int], None]
    ) -> None:
        """Open everything, in the order of the daemon, and make the first step.

        ``settled`` hears whose presentation has had its attempt.

        Raises:
            UnavailableError: a pin does not obey; what was opened is closed.
        """
        self.world, self.clock, self._settled = world, clock, settled
        self.faults: dict[str, str] = {}
        self.hangs = False
        self.header = OpenedHeader(world.bank)
        self._closers: list[Callable[[], None]] = []
        self._retry_s = self._resume_s = 0.0
        self.inputs_due_s = 0.0
        self._watches_inputs = True
        self.claims: dict[str, int] = {}
        try:
            self._open()
            self._begin()
        except BaseException:
            self.die()
            raise

    # --- one step ---------------------------------------------------------------------------

    def post(self, happened: Input) -> None:
        """What a camera or an operator says."""
        self._core.inbox.post(happened)

    def step(self) -> None:
        """Do all that is due now, until nothing is left to do."""
        now_s = self.clock.now().monotonic_s
        if now_s >= self.inputs_due_s:
            pause_s = self._inputs.round(0.0)
            self.inputs_due_s = now_s + pause_s if pause_s else self._inputs_deadline_s(now_s)
        self._loop.step(0.0)
        while not self._core.inbox.empty:
            self._loop.step(0.0)
        self._pump(now_s)

    def measure(self) -> None:
        """The thermometer's turn."""
        self._thermometer.round()

    def pin_moved(self, *, heard: bool) -> None:
        """An input was driven; without its edge it is found by the next poll."""
        now_s = self.clock.now().monotonic_s
        self._watches_inputs = True
        self.inputs_due_s = min(self.inputs_due_s, now_s + (0.0 if heard else 0.04))

    @property
    def deadline_s(self) -> float:
        """When to step next, if nothing happens before."""
        now_s = self.clock.now().monotonic_s
        moments = [now_s + _IDLE_S, self.inputs_due_s]
        if (due_s := self._loop.deadline_s) is not None:
            moments.append(due_s)
        if not self._core.writer.idle:
            moments.append(self._retry_s)
        if self._core.outbox.awake:
            moments.append(self._resume_s)
        # A deadline that stays due must not stop the time.
        return max(min(moments), now_s + _LEAST_S)

    @property
    def written(self) -> bool:
        """Whether every event is written down and durable."""
        return self._core.writer.idle

    def set_full(self, *, full: bool) -> None:
        """Whether the journal may grow no more."""
        self._journal.set_full(full=full)

    @property
    def quiet(self) -> bool:
        """Whether everything is written down and nothing waits to be sent."""
        return self._core.writer.idle and not self._journal.pending()

    @property
    def expected_false_grants(self) -> float:
        """What faces alone risked in this process."""
        return self._loop.expected_false_grants

    def remember(self) -> None:
        """How far the files have come; the turn of the thread that watches over them."""
        self._installation.settle()

    def accept(self, name: str) -> None:
        """A person says that this file counts as it is.

        Raises:
            RefusedError: it is in no fault.
        """
        self._installation.accept(name, "simulated", "uid:0 root")
        self._installation.tell(self._core.writer.submit)
        self.post(FaultCleared(part_of(name), "uid:0 root"))

    # --- its end ----------------------------------------------------------------------------

    def stop(self) -> None:
        """The end by SIGTERM, in the daemon's order: outputs first, then the last words."""
        self.post(Stop("simulated"))
        while not isinstance(self._loop.step(0.0), Stop):
            pass
        for door in self._doors.values():
            with contextlib.suppress(UnavailableError):
                door.secure()
        self._record(EventType.AGENT_STOPPED, {"why": "simulated"})
        if self._core.writer.drain():
            self._core.writer.end()
        self._core.outbox.round(self._client)
        self.die()

    def die(self) -> None:
        """Gone: no timer of it fires, its pins stay as they are, its files are let go."""
        self.world.peril.left = None
        for close in reversed(self._closers):
            with contextlib.suppress(StoreError, UnavailableError):
                close()
        self._closers.clear()

    # --- within -----------------------------------------------------------------------------

    def _open(self) -> None:
        world, reach = self.world, self.world.peril.reach
        record_outputs(world.folder, layout.recorded())
        self._doors: dict[str, Door] = {}
        for settings in layout.kiosk_settings().doors:
            door = GpioDoor(
                self.header,
                layout.OUTPUT_PINS[settings.door],
                active_high=True,
                max_pulse_s=settings.max_pulse_s,
                clock=self.clock,
            )
            self._doors[settings.door] = MortalDoor(door, reach)
        lights = {
            point: GpioIndicator(self.header, pins, self.clock)
            for point, pins in layout.LIGHTS.items()
        }
        wrong = self._judged()
        self._journal = SimulatedJournal(
            JOURNAL.at(world.folder), self._aside, reach, TOPICS.source
        )
        self._closers.append(self._journal.close)
        self._journal.set_full(full=world.full)
        ledger = SimulatedLedger(LEDGER.at(world.folder), reach)
        self._closers.append(ledger.close)
        latches = SimulatedLatches(LATCHES.at(world.folder), reach)
        self._closers.append(latches.close)
        self._core = Core(
            CoreStores(
                self._journal, ledger, latches, budgets=latches, trusted_time=ledger, faults=wrong
            ),
            TOPICS,
            Pace(_BACKLOG_PER_S, lambda: self.clock.now().monotonic_s),
            wait=self._wait,
            new_id=lambda draft: world.ids.make(draft.time),
            signer=Signer(lambda: SIGNING_KEY, self.clock),
        )
        post = self._core.inbox.post
        self._client = SimulatedClient(
            world.broker, self._core.outbox.acknowledged, self._core.outbox.notify, reach
        )
        self._closers.append(self._client.dies)
        telling = Telling(lights, None, self.clock, post, TOPICS)
        self._time = Reckoning()
        self._keeper = TimeKeeper(
            self.clock,
            ledger,
            key=None,
            kiosk=TOPICS.kiosk_path,
            ask=lambda _nonce: False,
            reckoning=lambda: self._time,
        )
        outlets = Outlets.of(post, (telling, self))
        self._loop = self._core.control(
            layout.kiosk_settings(), world.registry, self._doors, outlets, self.clock
        )
        self._open_inputs(post)

    def _judged(self) -> Mapping[Part, str]:
        """What is wrong with the files, before any of them is opened."""
        world = self.world
        names = [row.name for row in WATCHED]
        self._installation = Installation(
            world.folder, names, [JOURNAL.name, REGISTRY.name], self._event
        )
        if not world.watched:
            return {}
        wrong = self._installation.judge()
        return {part_of(name): detail_of(name, what) for name, what in wrong.items()}

    def _open_inputs(self, post: Callable[[Input], None]) -> None:
        wanted = [
            InputPin(
                line.name,
                self.header,
                line.pin,
                line.active_high,
                "down" if line.active_high else "up",
                0.03,
            )
            for line in layout.INPUTS
        ]
        self._lines = GpioInputs(wanted, self.clock)
        self._inputs = InputReader(self._lines, post)
        self.inputs_due_s = self.clock.now().monotonic_s
        now_s = self.clock.now
        part = AwaitedThermometer(
            lambda: Mlx90614(
                self.world.bus,
                Mlx90614Settings(),
                now_s=lambda: now_s().monotonic_s,
                sleep=self.clock.advance,
            ),
            self.world.bus.close,
            lambda: now_s().monotonic_s,
        )
        self._thermometer = ThermometerReader(part, 0.1, post)

    def _begin(self) -> None:
        self._record(EventType.AGENT_STARTED, {"version": "simulated"})
        self._loop.start()
        self.step()

    def _inputs_deadline_s(self, now_s: float) -> float:
        due_s = self._lines.deadline_s if self._watches_inputs else None
        if due_s is None:
            self._watches_inputs = False
            return now_s + _IDLE_S
        return max(due_s, now_s + 0.001)

    def _pump(self, now_s: float) -> None:
        """The turns of the threads that write and send."""
        self._keeper.tend()
        writer, outbox = self._core.writer, self._core.outbox
        if not writer.idle and now_s >= self._retry_s and not writer.drain():
            self._retry_s = now_s + _RETRY_S
        elif writer.idle:
            writer.tend()
        if outbox.awake and now_s >= self._resume_s:
            pause_s = outbox.round(self._client)
            if pause_s:
                self._resume_s = now_s + pause_s
                outbox.notify()

    def _wait(self, _written: threading.Event, timeout_s: float) -> None:
        """While a door waits, the writer has its turn; or is too slow, and time passes."""
        if self.world.slow:
            self.clock.advance(timeout_s)
        else:
            self._core.writer.drain()

    def _record(self, kind: EventType, data: Mapping[str, Any]) -> None:
        self._core.writer.submit(self._event(kind, data))

    def _event(self, kind: EventType, data: Mapping[str, Any]) -> Event:
        now = self.clock.now()
        return Event(self.world.ids.make(now.utc), kind, now.utc, now.utc_trusted, None, data)

    def _aside(self, name: str) -> Event:
        now = self.clock.now()
        draft = EventDraft(
            EventType.JOURNAL_SET_ASIDE, now.utc, now.utc_trusted, None, {"file": name}
        )
        return draft.with_id(self.world.ids.make(now.utc))

    def _set_status(self, status: SetStatus) -> None:
        self.faults = dict(status.faults)
        self._time = status.time

    def outlets(self) -> Mapping[type, Outlet]:
        """The status, and those who look."""
        return {
            SetStatus: self._set_status,
            Settle: lambda effect: self._settled(effect.camera, effect.track),
            Compare: self._compare,
        }

    def _compare(self, wanted: Compare) -> None:
        if wanted.claim is None:
            self.claims.pop(wanted.camera, None)
        else:
            self.claims[wanted.camera] = wanted.claim.id
