"""An immutable picture of who is enrolled, and how sure a comparison must be among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.access.evidence import Evidence
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.operating_point import OperatingPoint


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one revision.

    ``operating`` is the threshold that this gallery's size asks for; ``too_close`` names holders
    whose references another holder's would pass for: no face alone opens for them.
    ``claim_threshold`` (at ``claim_fmr``) is for a face compared 1:1 with one
    holder's reference. ``documents`` knows
    holders by the keyed hash of their ID number; ``revoked`` passes open nothing.
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
    documents: Mapping[str, HolderId] = field(default_factory=dict, repr=False)
    revoked: frozenset[PassId] = frozenset()

    def subject(self, evidence: Evidence) -> Holder | None:
        """Of whom ``evidence`` speaks: by the pass, else the document, else the face.

        The holder of a pass whom the registry does not know is who the pass says they are.
        """
        claims = evidence.gate_pass.gate_pass if evidence.gate_pass is not None else None
        if claims is not None:
            return self.holders.get(claims.holder) or Holder(claims.holder, "", claims.category)
        if evidence.document is not None:
            owner = self.documents.get(evidence.document.number_hash)
        else:
            owner = evidence.face.holder if evidence.face is not None else None
        return self.holders.get(owner) if owner is not None else None
