"""Turns effects into deeds, in their order: the row before the relay.

A deed that fails comes back as an input, because the state machine must know; it never raises into
the loop.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import get_args

import structlog

from agent.app.threads.organ import Organ, Outlet
from agent.app.threads.record.journal import JournalWriter, Ticket
from agent.controller.effects import (
    Compare,
    Consume,
    Effect,
    Guide,
    Hold,
    Indicate,
    KeepBudgets,
    Latch,
    Learn,
    Move,
    Record,
    Release,
    Secure,
    SetStatus,
    Settle,
    Stand,
)
from agent.controller.inputs import FaultCleared, FaultRaised, Input, NotCounted
from agent.domain.access.part import PartKind
from agent.domain.record.events import ATTEMPTS, TROUBLE, EventDraft
from agent.errors import InternalError, StoreError
from agent.ports import BudgetStore, Door, LatchStore, PassLedger

RECORD_WAIT_S = 0.020
"""How long a door waits for its row; past that it opens and the event is marked late."""

_log = structlog.get_logger(__name__)

Told = Settle | Compare | SetStatus | Indicate | Guide | Stand
"""Effects that move no output and write nothing down: an organ takes each."""
Lasting = Latch | Move | Learn | KeepBudgets
"""Effects that write down what outlives the process."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where inputs go that follow from effects, and who takes which of the told ones."""

    post: Callable[[Input], None]
    takers: Mapping[type, Outlet]

    @classmethod
    def of(cls, post: Callable[[Input], None], organs: Iterable[Organ]) -> "Outlets":
        """The outlets of all organs, in which each told effect has one taker.

        Raises:
            InternalError: one has none, or two.
        """
        takers: dict[type, Outlet] = {}
        for organ in organs:
            for kind, taker in organ.outlets().items():
                if kind in takers:
                    raise InternalError(f"two organs take {kind.__name__}")
                takers[kind] = taker
        missing = [kind.__name__ for kind in get_args(Told) if kind not in takers]
        if missing:
            raise InternalError(f"no organ takes {', '.join(missing)}")
        return cls(post, takers)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where what must survive the process is written down, beside the journal."""

    ledger: PassLedger
    latches: LatchStore
    budgets: BudgetStore


class Executor:
    """Owns the doors; called by the controller's thread only."""

    def __init__(
        self,
        doors: Mapping[str, Door],
        writer: JournalWriter,
        memory: Stores,
        outlets: Outlets,
        *,
        new_id: Callable[[EventDraft], str],
    ) -> None:
        self._doors = doors
        self._writer = writer
        self._ledger = memory.ledger
        self._latches = memory.latches
        self._budgets = memory.budgets
        self._owed: list[Lasting] = []
        self._outlets = outlets
        self._new_id = new_id

    def execute(self, effects: Sequence[Effect]) -> None:
        """Do what the controller asked, first to last."""
        ticket: Ticket | None = None
        owed = bool(self._owed)
        for effect in effects:
            match effect:
                case Record(draft):
                    ticket = self._record(draft)
                case Release(door, pulse_s):
                    self._awaited(ticket)
                    self._move(door, partial(_release, pulse_s=pulse_s))
                case Hold(door, for_s):
                    self._awaited(ticket)
                    self._move(door, partial(_hold, for_s=for_s))
                case Secure(door):
                    self._move(door, lambda output: output.secure())
                case Latch() | Move() | Learn() | KeepBudgets():
                    self._remember(effect)
                case Consume():
                    self.execute(effect.counted if self._consumed(effect) else effect.otherwise)
                case _:
                    self._outlets.takers[type(effect)](effect)
        if effects and owed:
            self._pay()

    def _consumed(self, effect: Consume) -> bool:
        failed = False
        try:
            if self._ledger.consume(effect.gate_pass, effect.limit, effect.valid_until):
                return True
        except StoreError as error:
            _log.error("use_not_counted", error=str(error))
            detail = "a pass's use could not be counted"
            self._outlets.post(FaultRaised(PartKind.PASSES.part(), detail))
            failed = True
        self._outlets.post(
            NotCounted(effect.access_point, effect.passage, effect.gate_pass, failed)
        )
        return False

    def _record(self, draft: EventDraft) -> Ticket:
        if draft.type in ATTEMPTS:
            _log.info(
                draft.type.value,
                access_point=draft.access_point,
                reason=draft.data.get("reason"),
                score=draft.data.get("score"),
                threshold=draft.data.get("threshold"),
            )
        else:
            # Where journald reads, its priority is what a technician looks for; nobody's holder id.
            level = logging.WARNING if draft.type in TROUBLE else logging.INFO
            told = {key: value for key, value in draft.data.items() if key != "holder"}
            _log.log(level, draft.type.value, **{"access_point": draft.access_point, **told})
        return self._writer.submit(draft.with_id(self._new_id(draft)))

    def _awaited(self, ticket: Ticket | None) -> None:
        if ticket is not None and not ticket.wait(RECORD_WAIT_S):
            _log.warning("recorded_late", waited_ms=RECORD_WAIT_S * 1000)

    def _remember(self, effect: Lasting) -> None:
        """Write it down now, or behind what is owed already: the last word of each stays last."""
        if not self._owed and self._written(effect):
            return
        self._owed = [one for one in self._owed if not _replaces(effect, one)]
        self._owed.append(effect)

    def _pay(self) -> None:
        # After all else: a file that is locked or slow must not delay the way out, or a fire.
        while self._owed:
            if not self._written(self._owed[0]):
                return
            self._owed.pop(0)
        self._outlets.post(FaultCleared(PartKind.LATCHES.part(), "agent"))

    def _written(self, effect: Lasting) -> bool:
        try:
            match effect:
                case Latch(latches):
                    self._latches.save(latches)
                case Move(holder, position):
                    self._latches.move(holder, position)
                case Learn(baseline):
                    self._latches.learn(baseline)
                case KeepBudgets(left):
                    self._budgets.keep_budgets(left)
        except StoreError as error:
            if not self._owed:
                _log.error("not_latched", error=str(error))
            detail = "lockdown, free passage, faults or whereabouts would not survive a restart"
            self._outlets.post(FaultRaised(PartKind.LATCHES.part(), detail))
            return False
        return True

    def _move(self, door: str, deed: Callable[[Door], None]) -> None:
        try:
            deed(self._doors[door])
        except Exception as error:  # noqa: BLE001 - whatever a pin library raises, it is a fault
            _log.error("output_failed", door=door, error=str(error))
            self._outlets.post(
                FaultRaised(PartKind.DOOR.part(door), f"the output failed: {type(error).__name__}")
            )


def _release(door: Door, pulse_s: float) -> None:
    door.release(pulse_s)


def _hold(door: Door, for_s: float) -> None:
    door.hold(for_s)


def _replaces(newer: Lasting, older: Lasting) -> bool:
    """Whether ``older`` need not be written any more once ``newer`` is."""
    if not (isinstance(newer, Move) and isinstance(older, Move)):
        return type(newer) is type(older)
    return newer.holder in (None, older.holder)
