"""An immutable picture of who is enrolled, and how sure a comparison must be among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.domain.access.community_rules import NO_COMMUNITY_RULES, CommunityRules
from agent.domain.access.evidence import Evidence
from agent.domain.access.tombstone import NOBODY_REMOVED, Removed
from agent.domain.credential.card import Card
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.operating_point import OperatingPoint, ThresholdCurve, operating_point
from agent.domain.sight.thresholds import Source, Thresholds


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one revision.

    ``operating`` is the threshold that so many references ask for, and ``curve`` where stricter
    ones are read off; without it there is none. ``thresholds`` says what that curve was made of.
    ``too_close`` names holders whose references
    another holder's would pass for: no face alone opens for them; until the whole gallery was
    ``compared`` with itself, none opens either for whoever is not among those found to stand
    ``apart``. ``claim_threshold`` (at
    ``claim_fmr``) is for a face compared 1:1 with one reference, ``claims`` for those holders who
    have several. ``documents`` knows holders by the keyed hash of their ID number, ``cards`` cards
    by that of theirs; ``revoked``
    passes open nothing, nor do those about whoever was ``removed`` since. ``unreadable`` counts the
    rows that cannot be read; ``of_other_packs`` the holders whose references are all of other packs
    or versions, which are never compared: no face is theirs here. ``outdated`` says that the
    registry could not be read for so long that nothing may be decided by this. ``rules`` are the
    community's, over the config's.
    """

    revision: int
    holders: Mapping[HolderId, Holder] = field(repr=False)
    references: int
    operating: OperatingPoint
    too_close: frozenset[HolderId]
    pack: str
    pack_version: str
    claim_threshold: float = 0.0
    claim_fmr: float = 1e-3
    claims: Mapping[HolderId, OperatingPoint] = field(default_factory=dict, repr=False)
    curve: ThresholdCurve | None = field(default=None, repr=False)
    thresholds: Thresholds | None = field(default=None, repr=False)
    documents: Mapping[str, HolderId] = field(default_factory=dict, repr=False)
    revoked: frozenset[PassId] = frozenset()
    removed: Removed = NOBODY_REMOVED
    unreadable: int = 0
    of_other_packs: int = 0
    outdated: bool = False
    compared: bool = True
    apart: frozenset[HolderId] = frozenset()
    rules: CommunityRules = NO_COMMUNITY_RULES
    cards: Mapping[str, Card] = field(default_factory=dict, repr=False)

    def is_too_close(self, holder: HolderId) -> bool:
        """Whether another holder could pass for this one, or nobody has looked yet."""
        return holder in self.too_close or not (self.compared or holder in self.apart)

    def told(self, close: Mapping[HolderId, bool]) -> "Registry":
        """With what was found of single holders: whether they are too close to another."""
        if self.compared or all(one in self.apart or one in self.too_close for one in close):
            return self
        return replace(
            self,
            too_close=self.too_close | {one for one, found in close.items() if found},
            apart=self.apart | {one for one, found in close.items() if not found},
        )

    def revokes(self, gate_pass: GatePass) -> bool:
        """Whether the pass was revoked, by itself."""
        return gate_pass.id in self.revoked

    def buries(self, gate_pass: GatePass) -> bool:
        """Whether the pass is older than its holder's removal."""
        return self.removed.revokes(gate_pass.holder, gate_pass.issued_at)

    def subject(self, evidence: Evidence) -> Holder | None:
        """Of whom ``evidence`` speaks: by the pass, else the document, the card, the face.

        The holder of a pass whom the registry does not know is who the pass says they are, unless
        somebody was removed of whom nobody knows any more who it was.
        """
        claims = evidence.gate_pass.gate_pass if evidence.gate_pass is not None else None
        if claims is not None:
            known = self.holders.get(claims.holder)
            if known is not None or self.removed.incomplete:
                return known
            return Holder(claims.holder, "", claims.category)
        if evidence.document is not None:
            owner = self.documents.get(evidence.document.number_hash)
        elif evidence.card is not None:
            card = self.cards.get(evidence.card.card_hash)
            owner = None if card is None else card.holder
        else:
            owner = evidence.face.holder if evidence.face is not None else None
        return self.holders.get(owner) if owner is not None else None

    def rates(self) -> tuple[float, float]:
        """The chance that a stranger's attempt opens: as it may be, and at the least there is.

        FMR x references, which it is at most.
        Both 0 where the face alone opens nothing: nobody enrolled, or no threshold strict enough.
        """
        if not self.operating.sufficient or not self.references:
            return 0.0, 0.0
        most = min(self.operating.fmr * self.references, 1.0)
        if self.curve is None:
            return most, most
        return most, min(self.curve.furthest_fmr * self.references, most)

    def operating_at(self, rate: float) -> OperatingPoint:
        """The threshold at which a stranger's attempt opens with a chance of ``rate`` at most.

        Never looser than ``operating``.
        """
        if self.curve is None or rate >= self.rates()[0]:
            return self.operating
        stricter = operating_point(self.curve, self.references, rate)
        return stricter if stricter.threshold > self.operating.threshold else self.operating

    def decided_by(self) -> Source:
        """Whose word the threshold in force is: the pack's, the people's or the prior's."""
        if self.thresholds is None:
            return Source.PACK
        return self.thresholds.told(self.operating.fmr).decided_by

    def claim_point(self, holder: HolderId) -> OperatingPoint:
        """The threshold for a face that is compared with ``holder``'s references alone."""
        one = OperatingPoint(
            self.claim_threshold, self.claim_fmr, extrapolated=False, sufficient=True
        )
        return self.claims.get(holder, one)
