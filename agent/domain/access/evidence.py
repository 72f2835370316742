"""What one attempt brings before the policy, as values; what it means is the policy's to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.credential.factor import Factor, Factors
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import (
    CardPresented,
    CredentialId,
    DocumentPresented,
    HealthPresented,
    PassPresented,
    Presented,
)
from agent.domain.sight.cues import UNSEEN, Cues
from agent.domain.skin.skin_temperature import SkinReading


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """The agreed outcome of one track, and what it was judged by.

    ``claimed`` says that it was compared 1:1 with the holder whom a credential names. ``holder``
    is None where no candidate reached the threshold; ``margin`` is the distance in score to the
    best other holder, None where there is no other.
    """

    holder: HolderId | None
    score: float | None
    margin: float | None
    runner_up_score: float | None
    frames: int
    span_s: float
    newest_s: float
    ambiguous: bool = False
    frozen: bool = False
    pad_score: float | None = None
    claimed: bool = False
    cues: Cues = UNSEEN


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one attempt brings before the policy.

    ``thermal_score`` says whether the face is as warm as one, 0 to 1; None where that cannot be
    told, or nothing looked. ``turned``: the face has turned as a challenge asked it to.
    """

    face: FaceEvidence | None = None
    temperature: SkinReading | None = None
    gate_pass: PassPresented | None = None
    document: DocumentPresented | None = None
    health: HealthPresented | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    thermal_score: float | None = None
    turned: bool = False
    card: CardPresented | None = None

    @property
    def shown(self) -> Factors:
        """Which factors it holds; a face only where it is somebody's."""
        there = {
            Factor.FACE: self.face is not None and self.face.holder is not None,
            Factor.PASS: self.gate_pass is not None,
            Factor.ID_DOCUMENT: self.document is not None,
            Factor.CARD: self.card is not None,
            Factor.HEALTH_CERTIFICATE: self.health is not None,
        }
        return frozenset(factor for factor, shown in there.items() if shown)

    @property
    def presented(self) -> Presented | None:
        """The credential that says most of who stands there; None where there is a face alone."""
        return self.gate_pass or self.document or self.card or self.health

    @property
    def credentials(self) -> tuple[CredentialId, ...]:
        """Which believed credentials name somebody: the face is compared for each of them."""
        named = (self.gate_pass, self.document, self.card)
        found = (one.credential for one in named if one is not None)
        return tuple(one for one in found if one is not None)
