"""How often passes of limited uses were used here: counted at the grant, or taken back."""

from collections.abc import Mapping

from agent.controller.effects import Consume, Effect, Indicate, Record
from agent.controller.faults import Faults
from agent.domain.access.indication import Indication, Outcome
from agent.domain.access.part import STATE_PASSES, PartKind
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.reason import Reason


class PassUses:
    """Uses by pass; those of before the start come from the disk."""

    def __init__(self, uses: Mapping[PassId, int], faults: Faults) -> None:
        """``faults`` is the kiosk's own, which changes under it."""
        self._uses = dict(uses)
        self._faults = faults

    def used(self, claims: GatePass | None) -> int:
        """How often the pass was used; as often as it may be, where nobody can tell any more."""
        if claims is None:
            return 0
        if claims.uses is not None and STATE_PASSES in self._faults:
            return claims.uses
        return self._uses.get(claims.id, 0)

    def uncountable(self, claims: GatePass | None) -> bool:
        """Whether a use of it would have to be counted, and cannot be just now."""
        limited = claims is not None and claims.uses is not None
        return limited and PartKind.PASSES.part() in self._faults

    def count(self, claims: GatePass) -> None:
        """One more; the disk counts it before the door moves."""
        self._uses[claims.id] = self._uses.get(claims.id, 0) + 1

    def before(
        self,
        granted: tuple[Effect, ...],
        claims: GatePass,
        access_point: str,
        passage: int,
        otherwise: Record,
    ) -> Consume:
        """``granted`` behind a use of the pass; ``otherwise`` is recorded where it fails."""
        self.count(claims)
        refused = Indication(access_point, Outcome.DENIED, (), Reason.SENSOR_FAULT)
        return Consume(
            access_point,
            passage,
            claims.id,
            claims.uses or 0,
            claims.valid_until,
            granted,
            (otherwise, Indicate(refused)),
        )

    def take_back(self, gate_pass: PassId) -> None:
        """A use that did not reach the disk was none."""
        self._uses[gate_pass] = max(self._uses.get(gate_pass, 0) - 1, 0)
