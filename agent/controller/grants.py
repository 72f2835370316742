"""What a grant does: the one way from a decision to a door.

no walk test    event, the door, whereabouts, a pass's use; what the thermometer may learn
a walk test     event, the light; nothing moves, and nothing is left behind
"""

from agent.controller.doors import Doors
from agent.controller.effects import Effect, Indicate, Record
from agent.controller.lane import Lane
from agent.controller.pass_uses import PassUses
from agent.controller.ruling import Ruling, claims_of
from agent.controller.thermal import ThermalMonitor
from agent.domain.access.evidence import Evidence
from agent.domain.access.indication import Indication, Outcome
from agent.domain.access.policy import Decision
from agent.domain.access.warmth import Warned
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant


class Grants:
    """Carries them out, all of one kiosk."""

    def __init__(
        self,
        ruling: Ruling,
        doors: Doors,
        uses: PassUses,
        thermal: ThermalMonitor,
    ) -> None:
        """All of them are the kiosk's own, and change under it."""
        self._ruling = ruling
        self._doors = doors
        self._uses = uses
        self._thermal = thermal

    def carry_out(
        self, lane: Lane, evidence: Evidence, decision: Decision, now: Instant
    ) -> list[Effect]:
        """What follows from ``decision``, which grants."""
        point = lane.settings.access_point
        record = Record(self._ruling.event(lane, evidence, decision, now))
        shown = Indicate(Indication(point, Outcome.GRANTED))
        if self._ruling.walk_test.holds(point):
            return [record, shown]
        subject = self._ruling.registry.subject(evidence)
        # A baseline that drifts must be able to come back; who was asked for nothing adds none.
        asked = decision.limit_c is not None
        if asked and subject is not None and {*decision.warnings} <= {Warned.BASELINE_DRIFT}:
            self._thermal.accepted(subject.id, evidence.temperature, now)
        whose = subject.id if subject is not None else None
        passage = self._doors.passage(lane.settings, whose, granted=True)
        opened = self._doors.granted(lane.settings.door, passage, now)
        claims = claims_of(evidence)
        if claims is None or claims.uses is None:
            return [record, *opened, shown]
        denied = Decision(Reason.SENSOR_FAULT)
        refused = Record(self._ruling.event(lane, evidence, denied, now))
        return [self._uses.before((record, *opened, shown), claims, point, passage.id, refused)]
