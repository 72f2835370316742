"""What was shown at one access point, until it is enough or time is up.

    state   a credential shown        its holder's face    another's face    time up
    empty   open, or judged at once   -                    -                 -
    open    open, or judged at once   judged               judged            judged: FactorMissing

It belongs to one person: a second pass, document or card begins anew. A face that is surely
another's than the credential's holder ends it, even where the holder's own comes later: two faces
and one pass are no grant. Which faces were compared is the credential's to keep (``wrong_faces``),
so it outlives the combination.
"""

from dataclasses import dataclass
from enum import Enum, auto

from agent.domain.access.agreement import Requirements, against_claim, agree_claim
from agent.domain.access.evidence import Evidence, FaceEvidence
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor, Factors
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.credential.presented import (
    CardPresented,
    CredentialId,
    DocumentPresented,
    HealthPresented,
    PassPresented,
    Presented,
)
from agent.domain.sight.track import FaceTrack
from agent.domain.skin.skin_temperature import SkinReading


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose face to compare 1:1, and the presentation that names them."""

    id: int
    holder: HolderId


def claim_of(evidence: Evidence, holder: Holder | None, rule: Rule | None) -> Claim | None:
    """Whose face would help, where a credential names somebody and a rule wants the face."""
    source = evidence.presented
    wanted = rule is not None and any(Factor.FACE in one for one in rule.factors)
    if source is None or holder is None or not wanted:
        return None
    return Claim(source.id, holder.id)


class Likeness(Enum):
    """What a face that is compared 1:1 says of the claim so far."""

    OPEN = auto()
    HOLDER = auto()
    OTHER = auto()
    """Surely another person's."""


@dataclass(frozen=True, slots=True)
class Look:
    """A face compared with the claim; ``evidence`` None while that is open."""

    likeness: Likeness
    evidence: FaceEvidence | None


@dataclass(slots=True)
class Combination:
    """Half-finished evidence; times are on the monotonic clock."""

    requirements: Requirements
    timeout_s: float
    began_s: float | None = None
    ends_s: float | None = None
    waiting_for: Factors = frozenset()
    claim: Claim | None = None
    waits_for_track: int | None = None
    _face: FaceEvidence | None = None
    _pass: PassPresented | None = None
    _document: DocumentPresented | None = None
    _card: CardPresented | None = None
    _health: HealthPresented | None = None
    _compared_since_s: float | None = None

    @property
    def open(self) -> bool:
        """Whether something was shown that is not yet judged."""
        return self.began_s is not None

    @property
    def credentials(self) -> tuple[CredentialId, ...]:
        """Which believed credentials it holds that name somebody."""
        return self.evidence(None, None, {}).credentials

    @property
    def window_s(self) -> float:
        """How long its parts may lie apart."""
        if self.began_s is None or self.ends_s is None:
            return 0.0
        return self.ends_s - self.began_s

    def belongs(self, presented: Presented) -> bool:
        """Whether ``presented`` may stand beside what was shown so far."""
        match presented:
            case PassPresented():
                # The same pass again: a phone that was lowered for a moment.
                return self._pass is None or self._pass.same_as(presented)
            case DocumentPresented():
                return self._document is None or self._document.same_as(presented)
            case CardPresented():
                return self._card is None or self._card.same_as(presented)
            case HealthPresented():
                return True

    def beside(self, presented: Presented) -> Evidence:
        """What ``presented`` is worth by itself; a document counts with the pass that it joins."""
        match presented:
            case PassPresented():
                return Evidence(gate_pass=presented)
            case DocumentPresented():
                joins = self._pass if self.belongs(presented) else None
                return Evidence(gate_pass=joins, document=presented)
            case CardPresented():
                return Evidence(card=presented)
            case HealthPresented():
                return Evidence(health=presented)

    def add(self, presented: Presented, now_s: float) -> None:
        """Keep a credential; a face that was found by search counts no longer.

        The same one again changes nothing: what was compared with it so far still counts.
        """
        # A certificate is nobody's: the window of whoever comes is their own.
        first = presented.credential is not None and self._face is None and not self.credentials
        if first or self.began_s is None:
            self.began_s = now_s
        match presented:
            case PassPresented() if self._pass is None or not self._pass.same_as(presented):
                self._pass, self._face, self.waits_for_track = presented, None, None
            case DocumentPresented() if self._document is None or not self._document.same_as(
                presented
            ):
                self._document, self._face, self.waits_for_track = presented, None, None
            case CardPresented() if self._card is None or not self._card.same_as(presented):
                self._card, self._face, self.waits_for_track = presented, None, None
            case HealthPresented():
                self._health = presented
            case _:
                pass

    def add_face(self, face: FaceEvidence, track: int | None, now_s: float) -> None:
        """Keep a face that was found by search, for which the rule wants more."""
        self._begin(now_s)
        self._face, self.waits_for_track = face, track

    def wait(self, missing: Factors, claim: Claim | None, ends_s: float) -> None:
        """It is not enough yet; the claim's face is compared from now on."""
        self.waiting_for, self.ends_s = missing, ends_s
        if claim != self.claim:
            self.claim = claim
            self._compared_since_s = None

    def look(self, track: FaceTrack | None, threshold: float) -> Look | None:
        """What the face before the camera says of the claim; None where none was compared."""
        claim = self.claim
        if claim is None or track is None:
            return None
        compared = [
            (sample.captured_s, sample.claim.score)
            for sample in track.samples
            if sample.claim is not None and sample.claim.claim == claim.id
        ]
        if not compared:
            return None
        if self._compared_since_s is None:
            self._compared_since_s = compared[0][0]
        time_up = compared[-1][0] - self._compared_since_s >= self.timeout_s
        found = agree_claim(
            track, claim.id, claim.holder, threshold, self.requirements, final=time_up
        )
        if against_claim(track, claim.id, threshold, self.requirements):
            return Look(Likeness.OTHER, found)
        like = sum(score >= threshold for _, score in compared) * 2 > len(compared)
        return Look(Likeness.HOLDER if like else Likeness.OPEN, found)

    def uncompared(self, track: FaceTrack | None) -> bool:
        """Whether the track's newest frames came since, and nobody was there to compare with."""
        if track is None or self.claim is None or self.began_s is None:
            return False
        newest = track.samples[-self.requirements.frames :]
        return len(newest) == self.requirements.frames and all(
            sample.captured_s >= self.began_s and sample.claim is None for sample in newest
        )

    def mismatch(self, track: FaceTrack) -> FaceEvidence | None:
        """The evidence that the face, whosever it is, is not to count as the holder's."""
        claim = self.claim
        if claim is None:
            return None
        never = float("inf")
        return agree_claim(track, claim.id, claim.holder, never, self.requirements, final=True)

    def evidence(
        self,
        face: FaceEvidence | None,
        temperature: SkinReading | None,
        stage_ms: dict[str, float],
    ) -> Evidence:
        """All that was shown, with the newest word about the face."""
        return Evidence(
            face=face or self._face,
            temperature=temperature,
            gate_pass=self._pass,
            document=self._document,
            card=self._card,
            health=self._health,
            stage_ms=stage_ms,
        )

    def clear(self) -> None:
        """It was judged, or its time is up."""
        self.began_s = self.ends_s = self.claim = self._compared_since_s = None
        self._face = self._pass = self._document = self._card = self._health = None
        self.waits_for_track = None
        self.waiting_for = frozenset()

    def _begin(self, now_s: float) -> None:
        if self.began_s is None:
            self.began_s = now_s
