"""A person's word that a part was mended, at the kiosk or from afar: its latched fault goes."""

from collections.abc import Callable, Mapping

from agent.app.threads.control.deeds import Asked, Deed, DeedRefused, Plan, Result, bad
from agent.app.threads.control.doors import CONFIRMED_WITHIN_S
from agent.app.threads.record.status import StatusBoard
from agent.controller.inputs import FaultCleared, Input
from agent.domain.access.part import Part, PartKind, kind_of
from agent.domain.credential.near import did_you_mean
from agent.domain.record.command import CommandReason, Verb

_ASKED_S = 300


class FaultDeeds:
    """Asked by the control socket's thread and by that of signed commands."""

    def __init__(self, board: StatusBoard, post: Callable[[Input], None]) -> None:
        self._board = board
        self._post = post

    def deeds(self) -> Mapping[Verb, Deed]:
        """The verb about faults: what a person reads as an alert."""
        return {Verb.ACKNOWLEDGE_ALERT: Deed(self._acknowledge, frozenset({"part"}), _ASKED_S)}

    def clear(self, part: object, by: str) -> Result:
        """The fault of ``part`` is over, says ``by``.

        Raises:
            DeedRefused: there is none, it is a file's, or it is still there.
        """
        known = self._checked(part)
        self._post(FaultCleared(known, by))
        if not self._board.wait_for(lambda stands: known not in stands.faults, CONFIRMED_WITHIN_S):
            said = f"{known} is still in fault: see what is wrong there"
            raise DeedRefused(CommandReason.NOT_CONFIRMED, said)
        return {"part": known}

    def _checked(self, part: object) -> Part:
        latched = self._board.faults()
        if not isinstance(part, str) or part not in latched:
            known, near = ", ".join(latched) or "none", did_you_mean(str(part), latched)
            raise bad(f"no such fault{near}; latched are: {known}\nFix: gate-agent status")
        if kind_of(part) is PartKind.STATE:
            # A word about a file, with its reason: not one about a part that was mended.
            fix = "gate-agent state show; then gate-agent state accept FILE --reason TEXT"
            said = f"{part} is about a file of the state\nFix: {fix}"
            raise DeedRefused(CommandReason.REFUSED, said)
        return Part(part)

    def _acknowledge(self, asked: Asked) -> Plan:
        part = self._checked(asked.arguments.get("part"))
        return Plan(lambda: self.clear(part, asked.by))
