"""What a person at the kiosk may ask of the running agent, over the control socket.

    {"command": "status"}
    {"command": "clear_fault", "part": "camera:front"}
    {"command": "door", "do": "lockdown", "access_points": ["north-entry"]}
    {"command": "passback"}
    {"command": "forgive", "holder": "anna"}        null: everybody
    {"command": "accept_state", "file": "passes.sqlite", "reason": "the card was renewed"}

Only ``door`` moves an output, and only by the state machine: it is a ``Commanded`` like any other
input, answered once the status says that it holds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.app.threads.control.socket import CommandHandler
from agent.app.threads.record.status import StatusBoard
from agent.controller.inputs import Commanded, FaultCleared, Forgiven, Input
from agent.domain.access.part import Part, PartKind, kind_of
from agent.domain.credential.holder import HolderId, parse_holder_id
from agent.domain.credential.near import did_you_mean
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Command, Mode
from agent.domain.foreign.boundary import UNREADABLE
from agent.domain.hours.instant import utc_text
from agent.errors import RefusedError, StoreError
from agent.operations.state import checked_reason
from agent.ports import LatchStore

_CONFIRMED_WITHIN_S = 1.5
_MOST_POSITIONS = 5_000
_MODES = {
    Command.LOCK_DOWN: Mode.LOCKED_DOWN,
    Command.FREE_PASSAGE: Mode.FREE_PASSAGE,
}
_NOT_RELEASED = {State.SECURED, State.LOCKED_DOWN, State.FAULT}


class Operator:
    """Answers commands; called by the control socket's thread."""

    def __init__(
        self,
        board: StatusBoard,
        latches: LatchStore,
        access_points: Sequence[str],
        post: Callable[[Input], None],
        broker: Callable[[], tuple[str, str | None]],
        accept_state: Callable[[str, str, str], Part],
    ) -> None:
        """``broker`` says how the link to it stands, and why it is away.

        ``accept_state`` takes file, reason and person, and names the part that is well again.
        """
        self._board = board
        self._latches = latches
        self._access_points = access_points
        self._post = post
        self._broker = broker
        self._accept = accept_state

    def commands(self) -> Mapping[str, CommandHandler]:
        """The commands by name, as ``socket.ControlServer`` takes them."""
        return {
            "status": self._status,
            "clear_fault": self._clear_fault,
            "door": self._door,
            "passback": self._passback,
            "forgive": self._forgive,
            "accept_state": self._accept_state,
        }

    def _status(self, _request: Mapping[str, Any], _caller: str) -> dict[str, Any]:
        broker, why = self._broker()
        return {
            "status": {
                **self._board.read(),
                "broker": broker,
                "broker_why": why,
                "unreadable": UNREADABLE.read(),
                "inside": self._inside(),
            }
        }

    def _inside(self) -> dict[str, int] | None:
        """How many are in each area by anti-passback; None where that cannot be read now."""
        try:
            return dict(self._latches.inside())
        except StoreError:
            return None  # the fault of the file is among the faults

    def _clear_fault(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        part = request.get("part")
        if not isinstance(part, str) or part not in self._board.faults():
            known = ", ".join(self._board.faults()) or "none"
            near = did_you_mean(str(part), self._board.faults())
            raise ValueError(f"no such fault{near}; latched are: {known}\nFix: gate-agent status")
        if kind_of(part) is PartKind.STATE:
            # A word about a file, with its reason: not one about a part that was mended.
            fix = "gate-agent state show; then gate-agent state accept FILE --reason TEXT"
            raise RefusedError("needs_accept", f"{part} is about a file of the state\nFix: {fix}")
        self._post(FaultCleared(Part(part), caller))
        if not self._board.wait_for(lambda stands: part not in stands.faults, _CONFIRMED_WITHIN_S):
            raise RefusedError("still_there", f"{part} is still in fault: see what is wrong there")
        return {"part": part}

    def _accept_state(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        file, reason = request.get("file"), request.get("reason")
        if not isinstance(file, str) or not isinstance(reason, str) or not file:
            raise ValueError("accept_state names a file and a reason")
        part = self._accept(file, checked_reason(reason), caller)
        self._board.wait_for(lambda stands: part not in stands.faults, _CONFIRMED_WITHIN_S)
        return {"file": file, "part": part}

    def _door(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        command, points = self._what(request), self._where(request)
        if any(point not in self._board.newest().access_points for point in points):
            raise RefusedError("not_ready", "the agent is still starting: ask again in a moment")
        if command is Command.RELEASE:
            self._release(points, caller)
        else:
            for point in points:
                self._post(Commanded(command, point, caller))
            # After a resume a schedule may keep the mode, so that may be waited for in vain.
            wanted = _MODES.get(command, Mode.NORMAL).value
            self._board.wait_for(
                lambda stands: all(stands.modes.get(point) == wanted for point in points),
                _CONFIRMED_WITHIN_S,
            )
        stands = self._board.newest()
        return {
            "access_points": {
                point: {
                    "state": stands.access_points[point],
                    "mode": stands.modes[point],
                    "cause": stands.causes.get(point),
                }
                for point in points
            }
        }

    def _release(self, points: Sequence[str], caller: str) -> None:
        if len(points) != 1:
            raise ValueError("a release names one access point")
        stands = self._board.newest()
        state, mode = stands.access_points[points[0]], stands.modes[points[0]]
        if mode == Mode.LOCKED_DOWN.value:
            raise RefusedError("locked_down", "it is locked down: gate-agent door resume first")
        if state == State.FAULT.value:
            raise RefusedError("fault", "its output is in fault: gate-agent status names it")
        self._post(Commanded(Command.RELEASE, points[0], caller))
        if not self._board.wait_for(
            lambda now: State(now.access_points[points[0]]) not in _NOT_RELEASED,
            _CONFIRMED_WITHIN_S,
        ):
            raise RefusedError("not_released", "the door was not released: gate-agent status")

    def _what(self, request: Mapping[str, Any]) -> Command:
        known = {command.value: command for command in Command}
        asked = request.get("do")
        if not isinstance(asked, str) or asked not in known:
            raise ValueError(f"a door does: {', '.join(known)}")
        return known[asked]

    def _where(self, request: Mapping[str, Any]) -> list[str]:
        named = request.get("access_points")
        if not isinstance(named, list) or not named:
            raise ValueError("access_points is a list with one access point or more")
        unknown = [point for point in named if point not in self._access_points]
        if unknown:
            known = ", ".join(self._access_points)
            near = did_you_mean(str(unknown[0]), self._access_points)
            said = f"there is no access point {unknown[0]!r}{near}; there are: {known}"
            raise ValueError(f"{said}\nFix: gate-agent door show")
        return list(dict.fromkeys(named))

    def _passback(self, _request: Mapping[str, Any], _caller: str) -> dict[str, Any]:
        positions = self._latches.positions()
        newest = sorted(positions.items(), key=lambda one: one[1].utc, reverse=True)
        return {
            "total": len(positions),
            "positions": [
                {"holder": holder, "area": one.area, "since": utc_text(one.utc)}
                for holder, one in newest[:_MOST_POSITIONS]
            ],
        }

    def _forgive(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        if "holder" not in request:
            raise ValueError("holder is missing; null forgives everybody")
        holder: HolderId | None = None
        if request["holder"] is not None:
            holder = parse_holder_id(str(request["holder"]))
            positions = self._latches.positions()
            if holder not in positions:
                said = f"{holder} is nowhere by anti-passback{did_you_mean(holder, positions)}"
                raise RefusedError("not_inside", f"{said}\nFix: gate-agent passback list")
        self._post(Forgiven(holder, caller))
        return {"holder": holder}
