"""What may be asked of doors: one release, lockdown, free passage for a while, and their end.

Each goes to the controller as ``Commanded`` and is answered once the status says that it holds;
only the state machine moves an output.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from agent.app.threads.control.deeds import Asked, Deed, DeedRefused, Plan, Result, bad
from agent.app.threads.record.status import StatusBoard
from agent.controller.inputs import Commanded, Input
from agent.domain.credential.near import did_you_mean
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Command, Mode
from agent.domain.record.command import CommandReason, Verb
from agent.ports import Clock

CONFIRMED_WITHIN_S = 1.5
LONGEST_FREE_S = 7 * 86_400
_UNLOCK_S, _MODE_S = 10, 300
_MODES = {
    Command.LOCK_DOWN: Mode.LOCKED_DOWN,
    Command.FREE_PASSAGE: Mode.FREE_PASSAGE,
}
_NOT_RELEASED = {State.SECURED, State.LOCKED_DOWN, State.FAULT}


class DoorDeeds:
    """Asked by the control socket's thread and by that of signed commands."""

    def __init__(
        self,
        board: StatusBoard,
        access_points: Sequence[str],
        post: Callable[[Input], None],
        clock: Clock,
        outdate: Callable[[Iterable[str]], None] = lambda _: None,
    ) -> None:
        """``clock`` is judged: it is trusted where the controller trusts it.

        ``outdate`` makes late what was signed about these subjects and has not come yet.
        """
        self._board = board
        self._access_points = access_points
        self._post = post
        self._clock = clock
        self._outdate = outdate

    def deeds(self) -> Mapping[Verb, Deed]:
        """The verbs about doors."""
        where = frozenset({"access_points"})
        return {
            Verb.UNLOCK: Deed(self._unlock, frozenset({"access_point"}), _UNLOCK_S),
            Verb.LOCKDOWN: Deed(self._lockdown, where, _MODE_S, timeless=True),
            Verb.FREE_PASSAGE: Deed(self._free_passage, where | {"until"}, _MODE_S),
            Verb.RESUME: Deed(self._resume, where, _MODE_S),
        }

    def check_ready(self, points: Sequence[str]) -> None:
        """Whether the controller has told of these access points yet.

        Raises:
            DeedRefused: ``not_ready``.
        """
        if any(point not in self._board.newest().access_points for point in points):
            word = CommandReason.NOT_READY
            raise DeedRefused(word, "the agent is still starting: ask again in a moment")

    def check_release(self, point: str) -> None:
        """Whether the door lets anybody in.

        Raises:
            DeedRefused: ``locked_down`` or ``fault``.
        """
        stands = self._board.newest()
        if stands.modes[point] == Mode.LOCKED_DOWN.value:
            said = "it is locked down: gate-agent door resume first"
            raise DeedRefused(CommandReason.LOCKED_DOWN, said)
        if stands.access_points[point] == State.FAULT.value:
            said = "its output is in fault: gate-agent status names it"
            raise DeedRefused(CommandReason.FAULT, said)

    def release(self, point: str, by: str, reason: str | None = None) -> Result:
        """Let one person through; ``reason`` is their word on why, for the event.

        Raises:
            DeedRefused: ``not_confirmed``: the controller did not.
        """
        self._post(Commanded(Command.RELEASE, point, by, reason=reason))
        if not self._board.wait_for(
            lambda now: State(now.access_points[point]) not in _NOT_RELEASED, CONFIRMED_WITHIN_S
        ):
            said = "the door was not released: gate-agent status"
            raise DeedRefused(CommandReason.NOT_CONFIRMED, said)
        return self.stands((point,))

    def set_mode(
        self, command: Command, points: Sequence[str], by: str, for_s: float | None = None
    ) -> Result:
        """Lockdown, free passage or neither, from now on; waits until it holds, or not for long."""
        for point in points:
            self._post(Commanded(command, point, by, for_s))
        # After a resume a schedule may keep the mode, so that may be waited for in vain.
        wanted = _MODES.get(command, Mode.NORMAL).value
        self._board.wait_for(
            lambda stands: all(stands.modes.get(point) == wanted for point in points),
            CONFIRMED_WITHIN_S,
        )
        return self.stands(points)

    def set_mode_here(self, command: Command, points: Sequence[str], by: str) -> Result:
        """As ``set_mode``, for somebody at the kiosk: nothing that was signed before undoes it."""
        self._outdate(subjects(points))
        return self.set_mode(command, points, by)

    def stands(self, points: Sequence[str]) -> dict[str, Any]:
        """How it stands there, by access point."""
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

    def asked(self, named: object) -> list[str]:
        """The access points that a request names, each once.

        Raises:
            ValueError: it is no list of some of this kiosk's.
        """
        if not isinstance(named, list) or not named:
            raise ValueError("access_points is a list with one access point or more")
        try:
            self.check_known(named)
        except DeedRefused as error:
            raise ValueError(str(error)) from None
        return list(dict.fromkeys(named))

    def check_known(self, points: Sequence[object]) -> None:
        """Whether these are access points of this kiosk.

        Raises:
            DeedRefused: ``unknown_access_point``.
        """
        unknown = [point for point in points if point not in self._access_points]
        if unknown:
            known = ", ".join(self._access_points)
            near = did_you_mean(str(unknown[0]), self._access_points)
            said = f"there is no access point {unknown[0]!r}{near}; there are: {known}"
            word = CommandReason.UNKNOWN_ACCESS_POINT
            raise DeedRefused(word, f"{said}\nFix: gate-agent door show")

    def _unlock(self, asked: Asked) -> Plan:
        point = asked.arguments.get("access_point")
        if not isinstance(point, str):
            raise bad("unlock names one access_point")
        self._allowed((point,), asked)
        self.check_release(point)
        # An older one never ends a lockdown; and a release outdates nothing.
        return Plan(lambda: self.release(point, asked.by), subjects((point,)), late=True)

    def _lockdown(self, asked: Asked) -> Plan:
        return self._mode(Command.LOCK_DOWN, asked)

    def _resume(self, asked: Asked) -> Plan:
        return self._mode(Command.RESUME, asked)

    def _free_passage(self, asked: Asked) -> Plan:
        until = asked.arguments.get("until")
        if not isinstance(until, int) or isinstance(until, bool):
            raise bad("free_passage names its end: until, UTC in seconds")
        for_s = until - self._clock.now().utc.timestamp()
        if not 0 < for_s <= LONGEST_FREE_S:
            raise bad(f"until lies in the next {LONGEST_FREE_S // 86_400} days")
        return self._mode(Command.FREE_PASSAGE, asked, for_s)

    def _mode(self, command: Command, asked: Asked, for_s: float | None = None) -> Plan:
        named = asked.arguments.get("access_points")
        if named is None:
            points = tuple(self._access_points)
        elif isinstance(named, list | tuple) and named:
            points = tuple(dict.fromkeys(named))
        else:
            raise bad("access_points is a list with one access point or more")
        self._allowed(points, asked)
        return Plan(lambda: self.set_mode(command, points, asked.by, for_s), subjects(points))

    def _allowed(self, points: Sequence[str], asked: Asked) -> None:
        self.check_known(points)
        if asked.access_points is not None and not asked.access_points.issuperset(points):
            said = "this key may not move that door"
            raise DeedRefused(CommandReason.NOT_PERMITTED, said)
        self.check_ready(points)


def subjects(points: Iterable[str]) -> tuple[str, ...]:
    """What commands about these access points are about: of those the later one counts."""
    return tuple(f"door:{point}" for point in points)
