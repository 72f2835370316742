"""What was shown at one access point, until it is enough or time is up.

    state   a credential shown        its holder's face    another's face    time up
    empty   open, or judged at once   -                    -                 -
    open    open, or judged at once   judged               judged            judged: FactorMissing

It belongs to one person: a second pass or document begins anew, and a face that is surely another's
than the credential's holder ends it, even where the holder's own comes later: two faces and one
pass are no grant.
"""

from dataclasses import dataclass, field

from agent.domain.access.agreement import Requirements, against_claim, agree_claim
from agent.domain.access.evidence import Evidence, FaceEvidence
from agent.domain.credential.factor import Factors
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import (
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
    _health: HealthPresented | None = None
    _compared_since_s: float | None = None
    _against: set[int] = field(default_factory=set)

    @property
    def open(self) -> bool:
        """Whether something was shown that is not yet judged."""
        return self.began_s is not None

    def belongs(self, presented: Presented) -> bool:
        """Whether ``presented`` may stand beside what was shown so far."""
        match presented:
            case PassPresented(gate_pass=claims):
                known = self._pass.gate_pass if self._pass is not None else None
                # The same pass again: a phone that was lowered for a moment.
                again = known is not None and claims is not None and known.id == claims.id
                return self._pass is None or again
            case DocumentPresented():
                before = self._document
                return before is None or before.number_hash == presented.number_hash
            case HealthPresented():
                return True

    def add(self, presented: Presented, now_s: float) -> None:
        """Keep a credential; a face that was found by search counts no longer."""
        self._begin(now_s)
        match presented:
            case PassPresented():
                self._pass, self._face, self.waits_for_track = presented, None, None
            case DocumentPresented():
                self._document, self._face, self.waits_for_track = presented, None, None
            case HealthPresented():
                self._health = presented

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
            self._against.clear()

    def look(self, track: FaceTrack | None, threshold: float) -> FaceEvidence | None:
        """What the face before the camera says of the claim; None while that is open."""
        claim = self.claim
        if claim is None or track is None:
            return None
        times = [
            sample.captured_s
            for sample in track.samples
            if sample.claim is not None and sample.claim.claim == claim.id
        ]
        if not times:
            return None
        if self._compared_since_s is None:
            self._compared_since_s = times[0]
        if against_claim(track, claim.id, threshold, self.requirements):
            self._against.add(track.id)
        time_up = times[-1] - self._compared_since_s >= self.timeout_s
        found = agree_claim(
            track, claim.id, claim.holder, threshold, self.requirements, final=time_up
        )
        if found is not None and found.holder is not None and self._against - {track.id}:
            return agree_claim(
                track, claim.id, claim.holder, float("inf"), self.requirements, final=True
            )
        return found

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
            health=self._health,
            stage_ms=stage_ms,
        )

    def clear(self) -> None:
        """It was judged, or its time is up."""
        self.began_s = self.ends_s = self.claim = self._compared_since_s = None
        self._face = self._pass = self._document = self._health = self.waits_for_track = None
        self.waiting_for = frozenset()
        self._against.clear()

    def _begin(self, now_s: float) -> None:
        if self.began_s is None:
            self.began_s = now_s
