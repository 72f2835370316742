"""What a person at the kiosk may ask of the running agent, over the control socket.

    {"command": "status"}
    {"command": "clear_fault", "part": "camera:front"}
    {"command": "door", "do": "lockdown", "access_points": ["north-entry"]}
    {"command": "door", "do": "release", "access_points": ["north-entry"], "reason": "a parcel"}
    {"command": "try_out", "access_point": "north-entry", "outcome": "granted"}
    {"command": "passback"}
    {"command": "forgive", "holder": "anna"}        null: everybody
    {"command": "accept_state", "file": "passes.sqlite", "reason": "the card was renewed"}

Only ``door`` moves an output, and only by the state machine: it is a ``Commanded`` like any other
input, answered once the status says that it holds. ``try_out`` shows and says an outcome that ends
an attempt, for a technician who looks and listens: no door moves by it, and nothing is decided.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agent.app.threads.control.doors import CONFIRMED_WITHIN_S, DoorDeeds
from agent.app.threads.control.faults import FaultDeeds
from agent.app.threads.control.socket import CommandHandler
from agent.app.threads.record.status import StatusBoard
from agent.controller.inputs import Forgiven, Input, TriedOut
from agent.domain.access.indication import Outcome
from agent.domain.access.part import Part
from agent.domain.credential.holder import HolderId, parse_holder_id
from agent.domain.credential.near import did_you_mean
from agent.domain.door.door_mode import Command
from agent.domain.foreign.boundary import UNREADABLE
from agent.domain.hours.instant import utc_text
from agent.errors import RefusedError, StoreError
from agent.operations.reasons import reason_of
from agent.operations.state import checked_reason
from agent.ports import LatchStore

_MOST_POSITIONS = 5_000
_TRIED = (Outcome.GRANTED.value, Outcome.DENIED.value)
"""Those that end by themselves."""


class Operator:
    """Answers commands; called by the control socket's thread."""

    def __init__(
        self,
        board: StatusBoard,
        latches: LatchStore,
        doors: DoorDeeds,
        post: Callable[[Input], None],
        broker: Callable[[], tuple[str, str | None]],
        accept_state: Callable[[str, str, str], Part],
        only_here: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """``broker`` says how the link to it stands, and why it is away.

        ``only_here`` is what else a status at the kiosk says, which the broker is not told.
        ``accept_state`` takes file, reason and person, and names the part that is well again.
        """
        self._board = board
        self._latches = latches
        self._doors = doors
        self._post = post
        self._broker = broker
        self._accept = accept_state
        self._only_here = only_here
        self._faults = FaultDeeds(board, post)

    def commands(self) -> Mapping[str, CommandHandler]:
        """The commands by name, as ``socket.ControlServer`` takes them."""
        return {
            "status": self._status,
            "clear_fault": self._clear_fault,
            "door": self._door,
            "try_out": self._try_out,
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
                **self._only_here(),
            }
        }

    def _inside(self) -> dict[str, int] | None:
        """How many are in each area by anti-passback; None where that cannot be read now."""
        try:
            return dict(self._latches.inside())
        except StoreError:
            return None  # the fault of the file is among the faults

    def _clear_fault(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        return dict(self._faults.clear(request.get("part"), caller))

    def _accept_state(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        file, reason = request.get("file"), request.get("reason")
        if not isinstance(file, str) or not isinstance(reason, str) or not file:
            raise ValueError("accept_state names a file and a reason")
        part = self._accept(file, checked_reason(reason), caller)
        self._board.wait_for(lambda stands: part not in stands.faults, CONFIRMED_WITHIN_S)
        return {"file": file, "part": part}

    def _door(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        command, points = self._what(request), self._doors.asked(request.get("access_points"))
        self._doors.check_ready(points)
        if command is not Command.RELEASE:
            return dict(self._doors.set_mode_here(command, points, caller))
        if len(points) != 1:
            raise ValueError("a release names one access point")
        self._doors.check_release(points[0])
        why = request.get("reason")
        return dict(self._doors.release(points[0], caller, None if why is None else reason_of(why)))

    def _try_out(self, request: Mapping[str, Any], _caller: str) -> dict[str, Any]:
        asked = request.get("outcome")
        if asked not in _TRIED:
            raise ValueError(f"outcome is {' or '.join(_TRIED)}")
        (point,) = self._doors.asked([request.get("access_point")])
        self._post(TriedOut(point, Outcome(asked)))
        return {"access_point": point, "outcome": asked}

    def _what(self, request: Mapping[str, Any]) -> Command:
        known = {command.value: command for command in Command}
        asked = request.get("do")
        if not isinstance(asked, str) or asked not in known:
            raise ValueError(f"a door does: {', '.join(known)}")
        return known[asked]

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
