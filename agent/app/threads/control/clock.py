"""A person's word on the time, over the control socket.

    {"command": "clock", "do": "show"}
    {"command": "clock", "do": "confirm", "reason": "the power was off for a week"}
    {"command": "clock", "do": "set_back", "reason": "the router was wrong"}
    {"command": "clock", "do": "set_back", "reason": "...", "utc": "2026-05-06T12:00Z"}

``confirm`` believes what the clock says and one source alone claims; ``set_back`` takes back what
was believed, for what the clock says now or for ``utc``. Both are events that say who and why.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from agent.app.threads.control.socket import CommandHandler
from agent.app.threads.record.status import StatusBoard
from agent.controller.inputs import ClockTold, Input
from agent.domain.hours.reckoning import ClockChange
from agent.errors import RefusedError
from agent.operations.clock import moment_of, shown, told_time
from agent.operations.reasons import reason_of
from agent.ports import Clock

_TAKEN_WITHIN_S = 1.5


class ClockOperator:
    """Answers ``clock``; called by the control socket's thread."""

    def __init__(
        self,
        board: StatusBoard,
        clock: Clock,
        post: Callable[[Input], None],
        write: Callable[[datetime], None],
    ) -> None:
        """``write`` makes a time durable that the controller has taken."""
        self._board = board
        self._clock = clock
        self._post = post
        self._write = write

    def commands(self) -> Mapping[str, CommandHandler]:
        """The command by name, as ``socket.ControlServer`` takes it."""
        return {"clock": self._told}

    def _told(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        known = {"confirm": ClockChange.CONFIRMED, "set_back": ClockChange.SET_BACK}
        asked = request.get("do")
        if asked == "show":
            return self._shown()
        if not isinstance(asked, str) or asked not in known:
            raise ValueError(f"a clock does: show, {', '.join(known)}")
        if asked == "confirm" and request.get("utc") is not None:
            raise ValueError("what the clock says is confirmed, and no other time")
        before, now = self._board.newest().time, self._clock.now()
        change, reason = known[asked], reason_of(request.get("reason"))
        utc = told_time(before.heard(now), now, change, moment_of(request.get("utc")))
        self._post(ClockTold(utc, change, caller, reason))
        if not self._board.wait_for(lambda stands: stands.time is not before, _TAKEN_WITHIN_S):
            raise RefusedError("not_ready", "the agent did not take it: ask again in a moment")
        self._write(utc)
        return self._shown()

    def _shown(self) -> dict[str, Any]:
        now = self._clock.now()
        return {"clock": shown(self._board.newest().time, now)}
