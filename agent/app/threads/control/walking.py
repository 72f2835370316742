"""A walk test, over the control socket: begun, held and ended by a person.

    {"command": "walk_test", "do": "begin", "access_points": ["north-entry"], "minutes": 10}
    {"command": "walk_test", "do": "hold", "id": "5f0c0ad1b2e34c77"}
    {"command": "walk_test", "do": "end"}

Whoever begins one is told its id, by which they say, more often than every 30 s, that they still
look. Anybody who may use the socket may end it: without it the gate is as ever.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from agent.app.threads.control.doors import CONFIRMED_WITHIN_S, DoorDeeds
from agent.app.threads.control.socket import CommandHandler
from agent.app.threads.record.status import StatusBoard
from agent.controller.inputs import Input, WalkTestBegun, WalkTestEnded, WalkTestHeld
from agent.domain.door.walking import HELD_S, LONGEST_S
from agent.errors import RefusedError

_LONGEST_MINUTES = int(LONGEST_S // 60)
_MINUTES = 10


class WalkTester:
    """Answers ``walk_test``; called by the control socket's thread."""

    def __init__(
        self,
        board: StatusBoard,
        doors: DoorDeeds,
        exits: frozenset[str],
        post: Callable[[Input], None],
    ) -> None:
        """``exits`` are the access points by which people leave: none of them is tested."""
        self._board = board
        self._doors = doors
        self._exits = exits
        self._post = post

    def commands(self) -> Mapping[str, CommandHandler]:
        """The command by name, as ``socket.ControlServer`` takes it."""
        return {"walk_test": self._told}

    def _told(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        match request.get("do"):
            case "begin":
                return self._begin(request, caller)
            case "hold":
                return self._hold(request.get("id"))
            case "end":
                self._post(WalkTestEnded(caller))
                self._board.wait_for(lambda stands: stands.walk_test is None, CONFIRMED_WITHIN_S)
                return self._stands()
            case _:
                raise ValueError("a walk test does: begin, hold, end")

    def _begin(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        points = self._points(request.get("access_points"))
        minutes = request.get("minutes", _MINUTES)
        if type(minutes) is not int or not 1 <= minutes <= _LONGEST_MINUTES:
            raise ValueError(f"minutes is a whole number from 1 to {_LONGEST_MINUTES}")
        self._doors.check_ready(points)
        before = self._board.newest().walk_test
        if before is not None:
            said = f"{before.by} makes one already: wait, or end it first"
            raise RefusedError("walk_test", said)
        held_by = secrets.token_hex(8)
        self._post(WalkTestBegun(held_by, points, caller, minutes * 60.0))
        self._board.wait_for(
            lambda stands: stands.walk_test is not None and stands.walk_test.id == held_by,
            CONFIRMED_WITHIN_S,
        )
        walking = self._board.newest().walk_test
        if walking is None or walking.id != held_by:
            raise RefusedError("not_confirmed", "the walk test did not begin: gate-agent status")
        return {**self._stands(), "id": held_by, "hold_within_s": HELD_S}

    def _hold(self, held_by: object) -> dict[str, Any]:
        walking = self._board.newest().walk_test
        if walking is None or walking.id != held_by:
            raise RefusedError("walk_test", "this walk test is over")
        self._post(WalkTestHeld(walking.id))
        return self._stands()

    def _points(self, named: object) -> tuple[str, ...]:
        points = self._doors.asked(named)
        for point in points:
            if point in self._exits:
                said = f"{point} is an exit: whoever is inside must get out by it"
                raise RefusedError("exit", said)
        return tuple(points)

    def _stands(self) -> dict[str, Any]:
        walking = self._board.newest().walk_test
        return {"walk_test": None if walking is None else walking.as_json()}
