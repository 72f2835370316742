"""Turns effects into deeds, in their order: the row before the relay.

A deed that fails comes back as an input, because the state machine must know; it never raises into
the loop.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from agent.app.journal_writer import JournalWriter, Ticket
from agent.controller.combination import Claim
from agent.controller.effects import (
    Compare,
    Consume,
    Effect,
    Indicate,
    Record,
    Release,
    Secure,
    SetStatus,
    Settle,
    Stand,
)
from agent.controller.inputs import FaultRaised, Input
from agent.domain.events import EventDraft, EventType
from agent.errors import StoreError
from agent.ports import Door, PassLedger

RECORD_WAIT_S = 0.020
"""How long a door waits for its row; past that it opens and the event is marked late."""

_log = structlog.get_logger(__name__)


class Vision(Protocol):
    """What the controller asks of those who look at the frames."""

    def settle(self, camera: str, track: int) -> None:
        """The track has had its attempt."""

    def compare(self, camera: str, claim: Claim | None) -> None:
        """Compare faces 1:1 with the claim's holder from now on; None stops that."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where effects go that move no output; none of them may block."""

    post: Callable[[Input], None]
    set_status: Callable[[SetStatus], None]
    indicate: Callable[[Indicate], None]
    vision: Vision
    stand: Callable[[Stand], None] = lambda _effect: None


class Executor:
    """Owns the doors; called by the controller's thread only."""

    def __init__(
        self,
        doors: Mapping[str, Door],
        writer: JournalWriter,
        ledger: PassLedger,
        outlets: Outlets,
        *,
        new_id: Callable[[EventDraft], str],
    ) -> None:
        self._doors = doors
        self._writer = writer
        self._ledger = ledger
        self._outlets = outlets
        self._new_id = new_id

    def execute(self, effects: Sequence[Effect]) -> None:
        """Do what the controller asked, first to last."""
        ticket: Ticket | None = None
        for effect in effects:
            match effect:
                case Record(draft):
                    ticket = self._record(draft)
                case Release(door, pulse_s):
                    if ticket is not None and not ticket.wait(RECORD_WAIT_S):
                        _log.warning("recorded_late", waited_ms=RECORD_WAIT_S * 1000)
                    self._move(door, pulse_s)
                case Secure(door):
                    self._move(door, None)
                case Consume():
                    self.execute(effect.counted if self._consumed(effect) else effect.otherwise)
                case _:
                    self._tell(effect)

    def _tell(self, effect: Settle | Compare | SetStatus | Indicate | Stand) -> None:
        match effect:
            case Settle(camera, track):
                self._outlets.vision.settle(camera, track)
            case Compare(camera, claim):
                self._outlets.vision.compare(camera, claim)
            case SetStatus():
                self._outlets.set_status(effect)
            case Indicate():
                self._outlets.indicate(effect)
            case Stand():
                self._outlets.stand(effect)

    def _consumed(self, effect: Consume) -> bool:
        try:
            return self._ledger.consume(effect.gate_pass, effect.limit, effect.valid_until)
        except StoreError as error:
            _log.error("use_not_counted", error=str(error))
            self._outlets.post(FaultRaised("passes", "a pass's use could not be counted"))
            return False

    def _record(self, draft: EventDraft) -> Ticket:
        if draft.type in (EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED):
            _log.info(
                draft.type.value,
                access_point=draft.access_point,
                reason=draft.data.get("reason"),
                score=draft.data.get("score"),
            )
        else:
            _log.info(draft.type.value, **draft.data)
        return self._writer.submit(draft.with_id(self._new_id(draft)))

    def _move(self, door: str, pulse_s: float | None) -> None:
        try:
            if pulse_s is None:
                self._doors[door].secure()
            else:
                self._doors[door].release(pulse_s)
        except Exception as error:  # noqa: BLE001 - whatever a pin library raises, it is a fault
            _log.error("output_failed", door=door, error=str(error))
            self._outlets.post(
                FaultRaised(f"door:{door}", f"the output failed: {type(error).__name__}")
            )
