"""A walk test as it stands: access points decide, and nothing opens by what they decide."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from agent.domain.hours.instant import utc_text

LONGEST_S = 1800.0
HELD_S = 30.0
"""So long it goes on once nobody says any more that they still look: a page was closed."""


class WalkTestEnd(StrEnum):
    """Why a walk test is over."""

    ASKED = "asked"
    TIME = "time"
    LEFT = "left"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Walking:
    """It ends at ``until`` at the latest; whoever knows its ``id`` may hold it until then."""

    id: str
    access_points: tuple[str, ...]
    by: str
    until: datetime

    def as_json(self) -> dict[str, Any]:
        """What anybody may know of it."""
        points, until = list(self.access_points), utc_text(self.until)
        return {"access_points": points, "by": self.by, "until": until}
