"""A gate pass as its issuer wrote it: who may pass where, from when until when, and how often."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from agent.domain.credential.holder import HolderId

PassId = NewType("PassId", str)
"""16 to 32 hexadecimal digits, chosen at random by the issuer."""


@dataclass(frozen=True, slots=True)
class GatePass:
    """The claims of one pass; true only after its signature was verified.

    ``communities`` is never empty; ``access_points`` empty means every one that the category's
    rule allows. ``uses`` None is any number; a pass with limited uses names the one ``kiosk`` that
    counts them, and the one community in which that is, because kiosks that are offline cannot know
    each other's count. ``document`` is a keyed hash of the holder's ID number, by which an ID
    document is known to be the same person's.
    ``issued_at`` is when its issuer signed it, None where the pass does not say.
    ``issuer_categories`` is no claim of the pass but a limit of its issuer, None where it has none:
    a pass to somebody of another category opens nothing, whatever category it names.
    """

    id: PassId
    issuer: str
    holder: HolderId
    category: str
    communities: frozenset[str]
    valid_until: datetime
    valid_from: datetime | None = None
    access_points: frozenset[str] = frozenset()
    uses: int | None = None
    kiosk: str | None = None
    document: str | None = None
    has_template: bool = False
    issued_at: datetime | None = None
    issuer_categories: frozenset[str] | None = None

    def may_be_of(self, category: str) -> bool:
        """Whether its issuer may give passes to holders of ``category``."""
        return self.issuer_categories is None or category in self.issuer_categories

    @property
    def counted_by_one(self) -> bool:
        """Whether one kiosk and no other counts its uses, or nobody needs to."""
        return self.uses is None or (self.kiosk is not None and len(self.communities) == 1)
