"""Brings evidence before the policy, and makes effects of what it says.

face by search ---------------> decide -- granted, denied --> conclude
credential --> combination --> decide -- FactorMissing, and more would help --> wait
^------ the claim's face, time up ------'
decide -- only a temperature is missing, or a second one --> measure, as controller.thermal says
decide -- only a turn of the head is missing --> ask, as controller.challenge says
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from agent.controller.challenge import Challenges
from agent.controller.combination import claim_of
from agent.controller.doors import Doors
from agent.controller.effects import Compare, Effect, Indicate, Record, Settle
from agent.controller.false_grants import recognised
from agent.controller.faults import Faults
from agent.controller.grants import Grants
from agent.controller.lane import Lane
from agent.controller.measuring import Measuring
from agent.controller.pass_uses import PassUses
from agent.controller.passback import Passback
from agent.controller.ruling import Ruling
from agent.controller.settings import KioskSettings
from agent.controller.thermal import Measurement, ThermalMonitor
from agent.controller.timekeeping import Timekeeping
from agent.controller.wrong_faces import WrongFaces
from agent.domain.access.evidence import Evidence, FaceEvidence
from agent.domain.access.indication import Indication, Outcome
from agent.domain.access.part import PartKind
from agent.domain.access.policy import Decision, decide
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder
from agent.domain.credential.presented import Presented
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant


class Judge:
    """What decisions need beside the lane: rules, registry, readings and the uses of passes."""

    def __init__(
        self,
        settings: KioskSettings,
        registry: Registry,
        uses: Mapping[PassId, int],
        time: Timekeeping,
        doors: Doors,
        passback: Passback,
        faults: Faults,
    ) -> None:
        """``time``, ``doors``, ``passback``, ``faults``: the kiosk's own, which change under it."""
        self.thermal = ThermalMonitor(settings.thermal)
        self._measuring = Measuring(settings, self.thermal)
        self._challenges = Challenges(settings)
        self.stage_ms: dict[str, dict[str, float]] = {}
        self.settings = settings
        self._faults = faults
        self._uses = PassUses(uses, faults)
        self._wrong_faces = WrongFaces()
        self.ruling = Ruling(
            settings, registry, time, passback, faults, self._uses, self._wrong_faces
        )
        self._grants = Grants(self.ruling, doors, self._uses, self.thermal)

    @property
    def registry(self) -> Registry:
        """By which is judged."""
        return self.ruling.registry

    @registry.setter
    def registry(self, registry: Registry) -> None:
        self.ruling.registry = registry

    def shown(self, lane: Lane, presented: Presented, now: Instant) -> list[Effect]:
        """A credential lies there; judged once, however long it does, and not too often."""
        if not lane.presentations.due(presented, now.monotonic_s):
            return []
        news = [Record(draft) for draft in self.ruling.tried(lane, presented, now)]
        refused = self._refused(lane, presented, now)
        if refused is not None:
            return [*refused, *news]
        lane.presentations.judged(presented)
        effects: list[Effect] = []
        if lane.combination.open and not lane.combination.belongs(presented):
            effects += self._time_up(lane, now)
        lane.combination.add(presented, now.monotonic_s)
        return effects + self._weigh(lane, None, now)

    def _refused(self, lane: Lane, presented: Presented, now: Instant) -> list[Effect] | None:
        """What opens nothing whatever comes beside it is told apart, and ends nobody's attempt."""
        evidence = lane.combination.beside(presented)
        decision, holder, rule = self.ruling.decide(lane, evidence, now)
        situation = self.ruling.situation(lane, evidence, holder, now)
        if rule is not None:
            decision = decide(evidence, holder, rule.but_temperature(), situation, now)
        two = decision.reason is Reason.HOLDER_MISMATCH and not situation.credential_locked
        if decision.granted or decision.reason is Reason.FACTOR_MISSING or two:
            return None
        if not lane.presentations.refusable(now.monotonic_s):
            return []
        lane.presentations.refused(presented, now.monotonic_s)
        effects: list[Effect] = [
            Record(self.ruling.event(lane, evidence, decision, now, apart=True))
        ]
        if not lane.busy or presented.factor in lane.combination.waiting_for:
            point = lane.settings.access_point
            effects.append(Indicate(Indication(point, Outcome.DENIED, (), decision.reason)))
        return effects

    def due(self, lane: Lane, now: Instant) -> list[Effect]:
        """What the face before the lane's camera, or the time, decides now."""
        combination, track = lane.combination, lane.attempts.track
        if combination.ends_s is not None and now.monotonic_s >= combination.ends_s:
            return self._time_up(lane, now)
        if lane.challenged:
            return self._challenged(lane, now)
        if lane.measurement is not None:
            measured = self._measured(lane, lane.measurement, now)
            if measured is not None:
                return measured
        if combination.claim is not None:
            if not lane.attempts.somebody_there(now.monotonic_s):
                return []
            face = self._wrong_faces.look(lane, self._claim_threshold(lane), now)
            return self._beside_claim(lane, now) if face is None else self._weigh(lane, face, now)
        if combination.waits_for_track is not None:
            if track is None or not track.samples:
                return []
            if track.id != combination.waits_for_track:
                return self._time_up(lane, now)  # somebody else stands there now
            wanted = Factor.FACE in combination.waiting_for
            face = lane.attempts.again(now.monotonic_s) if wanted else None
            return [] if face is None else self._weigh(lane, face, now)
        return self._by_face(lane, now)

    def _by_face(self, lane: Lane, now: Instant) -> list[Effect]:
        """Nothing was shown: the face decides, or is told once more what was decided."""
        reason = lane.attempts.reminded(now.monotonic_s)
        if reason is not None:
            return [Indicate(Indication(lane.settings.access_point, Outcome.DENIED, (), reason))]
        if not lane.attempts.false_grants.searches:
            return []
        face = lane.attempts.due(now.monotonic_s)
        return [] if face is None else self._found(lane, face, now)

    def _beside_claim(self, lane: Lane, now: Instant) -> list[Effect]:
        """Somebody stands there while a credential waits for a face with which none is compared.

        Its holder has no template here, or none that counts: whoever else comes need not wait.
        """
        searches = lane.attempts.false_grants.searches
        if not searches or not lane.combination.uncompared(lane.attempts.track):
            return []
        face = lane.attempts.due(now.monotonic_s)
        if face is None or not self._another(lane, face):
            return []
        return self._found(lane, face, now)

    def _another(self, lane: Lane, face: FaceEvidence) -> bool:
        """Whether ``face`` is that of somebody else than the credentials that wait name."""
        combination = lane.combination
        subject = self.registry.subject(combination.evidence(None, None, {}))
        named = face.holder is not None and bool(combination.credentials)
        return named and (subject is None or subject.id != face.holder)

    def _found(self, lane: Lane, face: FaceEvidence, now: Instant) -> list[Effect]:
        """A face was searched for in the gallery."""
        if self._another(lane, face):
            # What somebody else began ends as theirs; the face is judged by itself.
            shown = lane.combination.evidence(None, None, {})
            ended = self._conclude(lane, shown, Decision(Reason.HOLDER_MISMATCH), now)
            return [*ended, *self._found(lane, face, now)]
        if lane.combination.open:
            lane.combination.add_face(face, lane.attempts.leave(now.monotonic_s), now.monotonic_s)
            return self._weigh(lane, face, now)
        evidence = Evidence(face, stage_ms=self._stages(lane, face, now))
        evidence = self._seen(lane, evidence, now)
        decision, holder, rule = self.ruling.decide(lane, evidence, now)
        missing = rule.missing(evidence.shown) if rule is not None else frozenset()
        if rule is not None and not missing and not self.ruling.face_suffices(lane):
            missing = rule.beside_face  # the face alone is not enough just now
        if decision.reason is Reason.FACTOR_MISSING and missing and rule is not None:
            lane.combination.add_face(face, lane.attempts.leave(now.monotonic_s), now.monotonic_s)
            lane.combination.wait(missing, None, now.monotonic_s + rule.factor_window_s)
            return [self._waiting(lane)]
        return self._answer(lane, evidence, decision, (holder, rule), now)

    def _weigh(self, lane: Lane, face: FaceEvidence | None, now: Instant) -> list[Effect]:
        """The combination with the newest word about the face: enough, wrong, or wait."""
        combination = lane.combination
        if face is None and combination.waits_for_track is not None:
            face = lane.attempts.again(now.monotonic_s)
        stages = {} if face is None else self._stages(lane, face, now)
        evidence = self._seen(lane, combination.evidence(face, None, stages), now)
        decision, holder, rule = self.ruling.decide(lane, evidence, now)
        nobody = rule is None and holder is None  # a health certificate before anything else
        missing = frozenset({Factor.FACE}) if nobody else frozenset()
        if rule is not None:
            missing = rule.missing(evidence.shown)
            if not missing and face is None and combination.waits_for_track is not None:
                missing = frozenset({Factor.FACE})  # it was there, and must still be
        if decision.reason is not Reason.FACTOR_MISSING or not missing:
            return self._answer(lane, evidence, decision, (holder, rule), now)
        window_s = rule.factor_window_s if rule is not None else Rule(frozenset()).factor_window_s
        claim = claim_of(evidence, holder, rule)
        changed = (missing, claim) != (combination.waiting_for, combination.claim)
        began_s = combination.began_s if combination.began_s is not None else now.monotonic_s
        combination.wait(missing, claim, began_s + window_s)
        if not changed:
            return []
        return [Compare(lane.settings.camera, claim), self._waiting(lane)]

    def _time_up(self, lane: Lane, now: Instant) -> list[Effect]:
        evidence = self._seen(lane, lane.combination.evidence(None, None, {}), now)
        decision, _, _ = self.ruling.decide(lane, evidence, now)
        denied = decision if not decision.granted else Decision(Reason.FACTOR_MISSING)
        return self._conclude(lane, evidence, denied, now)

    def _answer(
        self,
        lane: Lane,
        evidence: Evidence,
        decision: Decision,
        whose: tuple[Holder | None, Rule | None],
        now: Instant,
    ) -> list[Effect]:
        """Conclude, or wait for a temperature, or a turn of the head, where only that is missing.

        A thermometer that is out of order is not waited for, but where only its readings are odd.
        """
        holder, rule = whose
        situation = self.ruling.situation(lane, evidence, holder, now)

        def else_well(seen: Evidence, asked: Rule) -> bool:
            return decide(replace(seen, turned=True), holder, asked, situation, now).granted

        if PartKind.THERMOMETER.part() not in self._faults or self.thermal.implausible:
            told = self._measuring.wait(lane, evidence, decision, rule, else_well, now)
            if told is not None:
                return told
        first = self._measuring.stands(lane, evidence)
        if not first and not decision.granted and rule is not None and else_well(evidence, rule):
            begun = self._challenges.begin(lane, evidence, now)
            if begun is not None:
                return begun
        return self._conclude(lane, *(first or (evidence, decision)), now)

    def _challenged(self, lane: Lane, now: Instant) -> list[Effect]:
        """What a turn of the head that was asked for comes to."""
        combination, face = lane.combination, None
        if combination.claim is None:
            face = lane.attempts.again(now.monotonic_s)
        elif lane.challenge and combination.claim.holder != lane.challenge.holder:
            lane.challenge = None  # what was shown since names somebody else
            return self.due(lane, now)
        elif lane.attempts.somebody_there(now.monotonic_s):
            face = self._wrong_faces.look(lane, self._claim_threshold(lane), now)
        told = self._challenges.look(lane, face, now)
        challenge = lane.challenge
        if challenge is None or challenge.open:
            return told
        if challenge.passed and face is not None:
            found = self._weigh if combination.open else self._found
            return found(lane, face, now)
        denied = Decision(Reason.FACTOR_MISSING)
        return self._conclude(lane, challenge.evidence, denied, now)

    def _seen(self, lane: Lane, evidence: Evidence, now: Instant) -> Evidence:
        """``evidence`` with what the thermometer says, and whether the head was turned."""
        return self._challenges.seen(lane, self._measuring.seen(lane, evidence, now))

    def _measured(self, lane: Lane, measurement: Measurement, now: Instant) -> list[Effect] | None:
        """What a measurement under way comes to; None where it ended and nothing came of it."""
        combination, track = lane.combination, lane.attempts.track
        over = now.monotonic_s >= measurement.ends_s
        gone = track is not None and measurement.track not in (None, track.id)
        faceless = combination.claim is None and combination.waits_for_track is None
        if combination.open and faceless and not (gone and measurement.first):
            return self._weigh(lane, None, now)
        face = None
        if (
            not gone
            and combination.claim is not None
            and lane.attempts.somebody_there(now.monotonic_s)
        ):
            face = self._wrong_faces.look(lane, self._claim_threshold(lane), now)
            if face is not None and face.holder is None and not over:
                face = None  # a blurred frame; another face is another track
        elif not gone and (combination.waits_for_track is not None or not combination.open):
            face = lane.attempts.again(now.monotonic_s)
        if face is not None:
            found = self._weigh if combination.open else self._found
            return found(lane, face, now)
        if not gone and not over:
            return []
        if measurement.first is not None:
            return self._conclude(lane, *measurement.first, now)
        lane.measurement = None
        return None

    def _conclude(
        self, lane: Lane, evidence: Evidence, decision: Decision, now: Instant
    ) -> list[Effect]:
        """One event, the door where it is granted, and the end of the attempt."""
        point = lane.settings.access_point
        effects: list[Effect] = []
        if decision.granted:
            effects += self._grants.carry_out(lane, evidence, decision, now)
        else:
            effects.append(self._record(lane, evidence, decision, now))
            denied = Indication(point, Outcome.DENIED, lane.lacking, decision.reason)
            effects.append(Indicate(denied))
        return effects + self._end(lane, evidence, decision, now)

    def _end(
        self, lane: Lane, evidence: Evidence, decision: Decision, now: Instant
    ) -> list[Effect]:
        effects: list[Effect] = []
        credential = evidence.presented
        lane.presentations.concluded(
            evidence.credentials, granted=decision.granted, now_s=now.monotonic_s
        )
        effects += [Record(draft) for draft in self._wrong_faces.ended(lane, now)]
        if lane.combination.claim is not None:
            effects.append(Compare(lane.settings.camera, None))
        whose = lane.combination.waits_for_track
        if whose is None and lane.measurement is not None:
            whose = lane.measurement.track
        if whose is None and lane.challenge is not None:
            whose = lane.challenge.track
        unturned, lacking = lane.unturned and not decision.granted, lane.lacking
        lane.measurement = lane.challenge = None
        lane.combination.clear()
        # Whose credential was refused may still be known by their face.
        searched = evidence.face is not None and not evidence.face.claimed
        if decision.granted or credential is None or searched:
            now_s = now.monotonic_s
            track = lane.attempts.judged(
                granted=decision.granted,
                # Whoever did not turn was not found to be there: what was drawn stays drawn.
                recognised=recognised(evidence, decision) and not unturned,
                now_s=now_s,
                track=whose,
                reason=decision.reason,
                lacking=lacking,
            )
            if track is not None:
                effects.append(Settle(lane.settings.camera, track))
        return effects

    def not_counted(self, gate_pass: PassId) -> None:
        """A use that did not reach the disk was none."""
        self._uses.take_back(gate_pass)

    def out_of_order(self, lane: Lane) -> bool:
        """Whether a fault keeps everybody from being granted anything here."""
        return self.ruling.out_of_order(lane)

    def opens_by_face(self, lane: Lane) -> bool:
        """Whether a face alone may open here just now."""
        return lane.attempts.false_grants.searches and self.ruling.face_suffices(lane)

    def _claim_threshold(self, lane: Lane) -> float:
        claim = lane.combination.claim
        return math.inf if claim is None else self.registry.claim_point(claim.holder).threshold

    def _record(self, lane: Lane, evidence: Evidence, decision: Decision, now: Instant) -> Record:
        return Record(self.ruling.event(lane, evidence, decision, now))

    def _stages(self, lane: Lane, face: FaceEvidence, now: Instant) -> dict[str, float]:
        stages = dict(self.stage_ms.get(lane.settings.camera, {}))
        stages["capture_to_decision"] = (now.monotonic_s - face.newest_s) * 1000.0
        return stages

    def _waiting(self, lane: Lane) -> Indicate:
        point = lane.settings.access_point
        return Indicate(Indication(point, Outcome.WAITING, lane.lacking))
