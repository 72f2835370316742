"""Turns effects into deeds, in their order: the row before the relay.

A deed that fails comes back as an input, because the state machine must know; it never raises into
the loop.
"""

from collections.abc import Callable, Mapping, Sequence

import structlog

from agent.app.journal_writer import JournalWriter, Ticket
from agent.controller.effects import Effect, Record, Release, Secure, SetStatus, Settle
from agent.controller.inputs import FaultRaised, Input
from agent.domain.events import EventDraft, EventType
from agent.ports import Door

RECORD_WAIT_S = 0.020
"""How long a door waits for its row; past that it opens and the event is marked late."""

_log = structlog.get_logger(__name__)


class Executor:
    """Owns the doors; called by the controller's thread only."""

    def __init__(
        self,
        doors: Mapping[str, Door],
        writer: JournalWriter,
        *,
        new_id: Callable[[EventDraft], str],
        post: Callable[[Input], None],
        set_status: Callable[[SetStatus], None],
        settle: Callable[[str, int], None],
    ) -> None:
        self._doors = doors
        self._writer = writer
        self._new_id = new_id
        self._post = post
        self._set_status = set_status
        self._settle = settle

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
                case Settle(camera, track):
                    self._settle(camera, track)
                case SetStatus():
                    self._set_status(effect)

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
            self._post(FaultRaised(f"door:{door}", f"the output failed: {type(error).__name__}"))
