"""The heart of a running agent: what decides, moves the outputs, writes down and sends.

    inbox --> kiosk --effects--> executor --> doors
                                    |-------> journal writer --> journal --> outbox --> broker
                                    `-------> pass ledger, latches

The daemon runs it in threads under the system's clock, a simulation step by step under a clock of
its own; both are built here, and by nothing else.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.app.gate.executor import Executor, Outlets, Stores
from agent.app.gate.loop import ControlLoop
from agent.app.open.site import new_event_id
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.inbox import Inbox
from agent.app.threads.record.checkpoints import Checkpoints
from agent.app.threads.record.journal import JournalWriter, Wait
from agent.app.threads.record.losses import Losses, forgotten
from agent.app.threads.record.outbox import Outbox
from agent.app.threads.watch.ledger import WatchedLedger
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.controller.kiosk import Kiosk, Memory
from agent.controller.settings import KioskSettings
from agent.domain.access.part import STATE_PASSES, Part, PartKind
from agent.domain.access.registry import Registry
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventDraft
from agent.domain.record.pace import Pace
from agent.domain.record.published import Trace
from agent.domain.record.topics import Topics
from agent.ports import BudgetStore, Clock, Door, Journal, LatchStore, Lost, PassLedger, TrustedTime

_BROKER = PartKind.BROKER.part()


@dataclass(frozen=True, slots=True, eq=False)
class CoreStores:
    """The open files of one agent; somebody else closes them."""

    journal: Journal
    ledger: PassLedger
    latches: LatchStore
    budgets: BudgetStore
    trusted_time: TrustedTime
    faults: Mapping[Part, str] = field(default_factory=dict)
    """What is wrong with the files themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """Who signs checkpoints of the journal, and by which clock.

    ``key`` raises ``UnavailableError`` where it is not to be had: then there are none.
    """

    key: Callable[[], Ed25519PrivateKey]
    clock: Clock


class Core:
    """Made in two steps, because what hears of effects posts into the inbox."""

    def __init__(
        self,
        stores: CoreStores,
        topics: Topics,
        pace: Pace,
        *,
        trace: Trace = Trace.MINIMAL,
        wait: Wait = threading.Event.wait,
        new_id: Callable[[EventDraft], str] = lambda draft: new_event_id.make(draft.time),
        signer: Signer | None = None,
    ) -> None:
        """``pace`` is that of events which waited for the broker.

        ``trace`` is how much of a decision's trace it gets.
        ``wait`` is how a door waits for its row. ``signer`` signs what is written.
        """
        self.inbox = Inbox()
        self._stores = stores
        self._new_id = new_id
        post = self.inbox.post
        self.outbox = Outbox(
            stores.journal,
            topics,
            pace=pace,
            trace=trace,
            # Said at every refusal: a row that is refused for good ends no earlier fault.
            refused=lambda why: post(FaultRaised(_BROKER, why)),
            accepted=lambda: post(FaultCleared(_BROKER, "agent")),
        )
        self.ledger = WatchedLedger(stores.ledger, post)
        self.writer = JournalWriter(
            stores.journal,
            written=self.outbox.notify,
            fault=FaultLine(PartKind.JOURNAL.part(), post),
            losses=Losses(FaultLine(PartKind.EVENTS.part(), post), new_id),
            checkpoints=None
            if signer is None
            else Checkpoints(stores.journal, signer.key, signer.clock, new_id),
            wait=wait,
        )

    def forgotten(self, lost: Lost, now: Instant) -> Event:
        """The event of what the journal gives up before the broker has it."""
        return forgotten(lost, now, self._new_id)

    def control(
        self,
        settings: KioskSettings,
        registry: Registry,
        doors: Mapping[str, Door],
        outlets: Outlets,
        clock: Clock,
        beat: Callable[[], None] = lambda: None,
    ) -> ControlLoop:
        """The loop of a kiosk that goes on where the last agent ended.

        Raises:
            StoreError: what it left cannot be read: a lockdown may be among it.
        """
        ledger, latches = self.ledger, self._stores.latches
        latest = self._stores.trusted_time.latest_trusted()
        memory = Memory(
            ledger.uses(),
            # By a ledger that may be an older one, too much would still be valid.
            None if STATE_PASSES in self._stores.faults else latest,
            latches.latches(),
            latches.positions(),
            latches.baseline(),
            self._stores.budgets.budgets(),
            self._stores.faults,
        )
        stores = Stores(ledger, latches, self._stores.budgets)
        executor = Executor(doors, self.writer, stores, outlets, new_id=self._new_id)
        return ControlLoop(Kiosk(settings, registry, memory), self.inbox, executor, clock, beat)
