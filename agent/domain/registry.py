"""An immutable picture of who is enrolled, and how sure a comparison must be among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.holder import Holder, HolderId
from agent.domain.operating_point import OperatingPoint


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one revision.

    ``operating`` is the threshold that this gallery's size asks for; ``too_close`` names holders
    whose references another holder's would pass for: no face alone opens for them.
    """

    revision: int
    holders: Mapping[HolderId, Holder] = field(repr=False)
    references: int
    operating: OperatingPoint
    too_close: frozenset[HolderId]
    pack: str
    pack_version: str
