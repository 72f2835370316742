"""What the policy needs to know beside the evidence, and what it says put into an event.

registry, rules, hours, doors, whereabouts, faults, uses, wrong faces --> Situation --> decide
"""

from agent.controller.card_guesses import CardGuesses
from agent.controller.faults import Faults
from agent.controller.lane import Lane
from agent.controller.pass_uses import PassUses
from agent.controller.passback import Passback
from agent.controller.settings import KioskSettings
from agent.controller.timekeeping import Timekeeping
from agent.controller.trace import Circumstances, access_event
from agent.controller.walk_test import WalkTest
from agent.controller.wrong_faces import WrongFaces
from agent.domain.access.community_rules import CommunityRules
from agent.domain.access.evidence import Evidence
from agent.domain.access.policy import Decision, decide
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule, find_rule
from agent.domain.access.situation import Place, Situation
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.holder import Holder
from agent.domain.credential.presented import CardPresented, Presented
from agent.domain.door.access_point import State
from agent.domain.door.antipassback import PassbackMode
from agent.domain.door.door_mode import Mode
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventDraft


class Ruling:
    """Looks at evidence as the policy does: under the registry and all that holds here and now."""

    def __init__(
        self,
        settings: KioskSettings,
        registry: Registry,
        time: Timekeeping,
        passback: Passback,
        faults: Faults,
        uses: PassUses,
        wrong_faces: WrongFaces,
    ) -> None:
        """All but ``settings`` and ``registry`` are the kiosk's own, and change under it."""
        self.registry = registry
        self._settings = settings
        self._in_force: tuple[CommunityRules, tuple[Rule, ...]] | None = None
        self._time = time
        self._passback = passback
        self._faults = faults
        self._uses = uses
        self._wrong_faces = wrong_faces
        self._card_guesses = CardGuesses()
        self.walk_test = WalkTest(settings.lanes)

    def decide(
        self, lane: Lane, evidence: Evidence, now: Instant
    ) -> tuple[Decision, Holder | None, Rule | None]:
        """What the policy says, of whom and by which rule."""
        holder, point = self.registry.subject(evidence), lane.settings.access_point
        rule = find_rule(self.rules, holder.category, point, now) if holder is not None else None
        known = holder is not None and holder.id in self.registry.holders
        if not known and rule is not None and not rule.believes_unknown:
            holder = rule = None
        if rule is not None and self._card_guesses.spent(point, now):
            rule = rule.but_card_alone()
        situation = self.situation(lane, evidence, holder, now)
        return decide(evidence, holder, rule, situation, now), holder, rule

    def tried(self, lane: Lane, presented: Presented, now: Instant) -> list[EventDraft]:
        """Something is judged for the first time: a card that nobody has is a guess."""
        if not isinstance(presented, CardPresented) or presented.credential is None:
            return []
        if presented.card_hash in self.registry.cards:
            return []
        return self._card_guesses.tried(lane.settings.access_point, presented, now)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force: the config's, under those of the community."""
        community = self.registry.rules
        if self._in_force is None or self._in_force[0] is not community:
            self._in_force = community, community.over(self._settings.rules)
        return self._in_force[1]

    def out_of_order(self, lane: Lane) -> bool:
        """Whether a fault keeps everybody from being granted anything here."""
        faulty = self._faults.blocks(lane.settings) or lane.door.state is State.FAULT
        return faulty or self.registry.outdated

    def situation(
        self, lane: Lane, evidence: Evidence, holder: Holder | None, now: Instant
    ) -> Situation:
        """What holds at the lane for this evidence."""
        settings, claims = self._settings, claims_of(evidence)
        again = holder and self._passback.violates(holder.id, lane.settings, now)
        document, card = evidence.document, evidence.card
        return Situation(
            locked_down=lane.door.mode is Mode.LOCKED_DOWN and not lane.door.fire,
            sensor_fault=self._uses.uncountable(claims) or self.out_of_order(lane),
            passback=again in (PassbackMode.HARD, PassbackMode.TIMED),
            face_alone_suffices=self.face_suffices(lane),
            accept_no_pad=settings.accept_no_pad,
            pad_threshold=settings.pad_threshold,
            too_close=self._too_close(evidence),
            requirements=settings.requirements,
            place=Place(settings.community, settings.kiosk, lane.settings.access_point),
            pass_uses=self._uses.used(claims),
            pass_revoked=claims is not None and self.registry.revokes(claims),
            pass_buried=claims is not None and self.registry.buries(claims),
            bounds=self._time.bounds,
            clock_tolerance=settings.clock_tolerance,
            credential_locked=self._wrong_faces.locked(evidence.credentials, now),
            temperature_max_age_s=settings.thermal.skin.max_age_s,
            attack_cue=settings.thermal.attack_cue,
            thermal_threshold=settings.thermal.attack_threshold,
            cues=settings.cues if lane.settings.infrared else settings.cues.without_infrared(),
            document_holder=self.registry.documents.get(document.number_hash)
            if document is not None
            else None,
            card=None if card is None else self.registry.cards.get(card.card_hash),
        )

    def face_suffices(self, lane: Lane) -> bool:
        """Whether a face may open alone now: by the gallery, and by what is left to risk."""
        terms = lane.attempts.terms
        return self.registry.operating.sufficient and (terms is None or terms.suffices)

    def event(
        self,
        lane: Lane,
        evidence: Evidence,
        decision: Decision,
        now: Instant,
        *,
        apart: bool = False,
    ) -> EventDraft:
        """The event of one attempt; ``apart``: it was none of what the lane waits for."""
        return access_event(
            decision,
            evidence,
            lane.settings,
            self.registry,
            now,
            Circumstances(
                self._settings.boot_id,
                frozenset() if apart or lane.unturned else lane.combination.waiting_for,
                self._passes_back(lane, evidence, now),
                lane.attempts.terms.operating if lane.attempts.terms is not None else None,
                None if apart else lane.challenge,
                walk_test=self.walk_test.holds(lane.settings.access_point),
            ),
        )

    def _too_close(self, evidence: Evidence) -> bool:
        named = evidence.face.holder if evidence.face is not None else None
        return named is not None and self.registry.is_too_close(named)

    def _passes_back(self, lane: Lane, evidence: Evidence, now: Instant) -> bool:
        subject = self.registry.subject(evidence)
        where = lane.settings
        return subject is not None and self._passback.violates(subject.id, where, now) is not None


def claims_of(evidence: Evidence) -> GatePass | None:
    """What the pass says that was shown and believed."""
    shown = evidence.gate_pass
    return shown.gate_pass if shown is not None and shown.reason is None else None
