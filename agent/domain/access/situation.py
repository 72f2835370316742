"""What the policy looks at beside the evidence: where, under what circumstances, and for whom."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from agent.domain.access.agreement import Requirements
from agent.domain.access.cues import CueTerms
from agent.domain.access.evidence import Evidence
from agent.domain.access.rule import Rule
from agent.domain.credential.card import Card
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import TOLERANCE, Bounds
from agent.domain.sight.pad import PAD_THRESHOLD
from agent.domain.skin.thermal_cue import AttackCue


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pass is shown; ``kiosk`` is its grid and its own id: ``g3/north-1``."""

    community: str
    kiosk: str
    access_point: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds at the access point, whoever stands there.

    ``face_alone_suffices`` says whether the gallery's size leaves a threshold safe enough;
    ``too_close`` whether the holder before the gate is one whom another could pass for. ``place``
    is None where no pass is ever read. ``pass_uses`` counts those of the pass shown, here;
    ``pass_buried`` says that it is older than the removal of its holder;
    ``document_holder`` is whose the document is by the registry, ``card`` what it knows of
    the card. ``credential_locked``: too many faces that were not its holder's were compared with
    the pass, document or card.
    ``accept_no_pad`` holds for a rule that does not say itself. Below ``pad_threshold`` a face is a
    picture of one. ``attack_cue`` says what follows where a thermal score is below
    ``thermal_threshold``, ``cues`` the same of the cues beside the models.
    ``bounds`` are the times by which starts and ends are judged; None where the clock says itself,
    or where dates are denied because it is not trusted. A pass may have been issued by a clock that
    is ``clock_tolerance`` ahead of this one.
    """

    locked_down: bool = False
    sensor_fault: bool = False
    passback: bool = False
    face_alone_suffices: bool = True
    accept_no_pad: bool = False
    pad_threshold: float = PAD_THRESHOLD
    too_close: bool = False
    requirements: Requirements = field(default_factory=Requirements)
    temperature_max_age_s: float = 2.0
    attack_cue: AttackCue = AttackCue.OFF
    thermal_threshold: float = 0.5
    cues: CueTerms = field(default_factory=CueTerms)
    place: Place | None = None
    pass_uses: int = 0
    pass_revoked: bool = False
    pass_buried: bool = False
    bounds: Bounds | None = None
    clock_tolerance: timedelta = TOLERANCE
    credential_locked: bool = False
    document_holder: HolderId | None = None
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt as the policy looks at it."""

    evidence: Evidence
    holder: Holder | None
    rule: Rule | None
    situation: Situation
    now: Instant

    @property
    def claims(self) -> GatePass | None:
        """What the pass says that was shown and believed."""
        shown = self.evidence.gate_pass
        return shown.gate_pass if shown is not None and shown.reason is None else None

    @property
    def names_somebody(self) -> bool:
        """Whether a credential says who stands there, so that the face is compared 1:1."""
        return self.claims is not None or (
            self.evidence.document is not None or self.evidence.card is not None
        )

    @property
    def face_counts(self) -> bool:
        """Whether the face is a factor: attack detection looked, or the rule accepts that none did.

        So it is for a face alone and for one beside a pass or document.
        """
        if self.evidence.face is not None and self.evidence.face.pad_score is not None:
            return True
        return _accepts_no_pad(self.rule, self.situation)

    @property
    def bounds(self) -> Bounds | None:
        """By which dates are judged; None where nothing is known of the time."""
        if self.situation.bounds is None and self.now.utc_trusted:
            return Bounds(self.now.utc, self.now.utc)
        return self.situation.bounds

    @property
    def validity(self) -> tuple[list[datetime], list[datetime]]:
        """Every start and every end that counts for what was shown."""
        sources: list[Holder | GatePass | Card] = [
            one for one in (self.holder, self.claims, self.situation.card) if one is not None
        ]
        starts = [one.valid_from for one in sources if one.valid_from is not None]
        ends = [one.valid_until for one in sources if one.valid_until is not None]
        if self.claims is not None and self.claims.issued_at is not None:
            starts.append(self.claims.issued_at - self.situation.clock_tolerance)
        document = self.evidence.document
        if document is not None and document.valid_from is not None:
            starts.append(_at(document.valid_from))
        last_day = document.valid_until if document is not None else None
        # Some long-term cards end with time itself, which is never.
        if last_day is not None and last_day < date.max:
            # The last day counts whole, wherever on earth the kiosk stands.
            ends.append(_at(last_day) + timedelta(days=1))
        return starts, ends


def _accepts_no_pad(rule: Rule | None, situation: Situation) -> bool:
    own = rule.accept_no_pad if rule is not None else None
    return situation.accept_no_pad if own is None else own


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
