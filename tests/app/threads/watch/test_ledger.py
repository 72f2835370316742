"""A lock of a moment on the passes' ledger denies one pass, and is over by itself."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gate_parts import GUEST, PASS, REGISTRY, Gate
from pass_parts import claims
from store_parts import open_journal

from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.simulated import LockKeeper
from agent.app.gate.core import Core, CoreStores
from agent.app.gate.executor import Outlets
from agent.controller.effects import Compare, Indicate, SetStatus, Settle, Stand
from agent.controller.inputs import CredentialShown
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.presented import PassPresented
from agent.domain.record.pace import Pace
from agent.domain.record.topics import Topics


class Door:
    def __init__(self) -> None:
        self.released = 0

    def release(self, pulse_s: float) -> None:
        self.released += 1

    def hold(self, for_s: float) -> None:
        """Not asked for here."""

    def secure(self) -> None:
        """Always is."""

    def close(self) -> None:
        """Nothing to let go."""


class Kiosk:
    """What decides, moves and writes, on real files."""

    def __init__(self, folder: Path) -> None:
        gate = Gate(Rule(frozenset({"visitor"}), factors=(frozenset({PASS}),)))
        self.clock, self.door, self.faults = gate.clock, Door(), dict[str, str]()
        self.journal = open_journal(folder / "journal.sqlite")
        self.ledger = SqlitePassLedger(folder / "passes.sqlite")
        self.latches = SqliteLatches(folder / "latches.sqlite")
        self.keeper = LockKeeper(folder / "passes.sqlite")
        stores = CoreStores(
            self.journal, self.ledger, self.latches, self.latches, trusted_time=self.ledger
        )
        self.core = Core(stores, Topics("lakeside", "g3", "north-1"), Pace(0.0, time.monotonic))
        takers: dict[type, Callable[..., None]] = dict.fromkeys(
            (Settle, Compare, Indicate, Stand), lambda _: None
        )
        takers[SetStatus] = self._status
        registry: Registry = REGISTRY
        self.loop = self.core.control(
            gate.settings,
            registry,
            {"turnstile": self.door},
            Outlets(self.core.inbox.post, takers),
            self.clock,
        )
        self.loop.start()
        self.shown = 0

    def _status(self, status: SetStatus) -> None:
        self.faults = dict(status.faults)

    def settle(self) -> None:
        self.core.ledger.tend()
        self.loop.step(0.0)
        while not self.core.inbox.empty:
            self.loop.step(0.0)
        self.core.writer.drain()

    def show(self) -> int:
        """A new pass of one use; how often the door was released by then."""
        self.shown += 1
        self.clock.advance(30.0)
        one = claims(
            id=PassId(f"{self.shown:016x}"),
            holder=GUEST,
            category="visitor",
            uses=1,
            kiosk="g3/north-1",
        )
        now_s = self.clock.now().monotonic_s
        presented = PassPresented(self.shown, now_s, one, None)
        self.core.inbox.post(CredentialShown("north-entry", presented))
        self.settle()
        return self.door.released

    def close(self) -> None:
        self.keeper.close()
        for store in (self.journal, self.ledger, self.latches):
            store.close()


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path)
    yield kiosk
    kiosk.close()


def test_a_lock_of_a_moment_is_over_by_itself(kiosk: Kiosk) -> None:
    assert kiosk.show() == 1
    assert kiosk.keeper.hold()
    assert kiosk.show() == 1
    assert "passes" in kiosk.faults
    for _ in range(3):
        kiosk.settle()
        assert "passes" in kiosk.faults  # it is locked still
    kiosk.keeper.let_go()
    kiosk.settle()
    assert kiosk.faults == {}
    assert kiosk.show() == 2
    events = [row.event.data for row in kiosk.journal.read() if "fault" in row.event.type]
    assert events[-1] == {"part": "passes", "by": "agent"}


def test_each_lock_is_a_fault_of_its_own(kiosk: Kiosk) -> None:
    for opened in (1, 2):
        kiosk.keeper.hold()
        kiosk.show()
        assert "passes" in kiosk.faults
        kiosk.keeper.let_go()
        kiosk.settle()
        kiosk.settle()
        assert kiosk.faults == {}
        assert kiosk.show() == opened


def test_its_thread_ends_when_told(kiosk: Kiosk) -> None:
    begun_s = time.monotonic()
    kiosk.core.ledger.stop()
    kiosk.core.ledger.work()
    assert time.monotonic() - begun_s < 1.0
