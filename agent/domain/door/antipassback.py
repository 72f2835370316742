"""Anti-passback: who is inside an area does not come in once more.

    mode    who is in the area already                 who came in a while ago
    off     passes                                     passes
    soft    passes, and the event says so              the same: there is no while
    hard    is refused until seen leaving, or forgiven the same
    timed   is refused for ``passback_s``              passes

The rule of the area that somebody enters counts, so nobody is kept from leaving by it: the street
has no rule. A holder whom nobody has seen yet is nowhere, and passes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.domain.hours.instant import Instant


class PassbackMode(StrEnum):
    """How an area takes it; the value is the word in config."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"
    TIMED = "timed"


@dataclass(frozen=True, slots=True)
class Area:
    """An area and its rule; ``passback_s`` is of ``timed``."""

    id: str
    mode: PassbackMode = PassbackMode.OFF
    passback_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Position:
    """Where a holder was last seen to go, and when, on both clocks.

    ``boot_id`` says of which boot the monotonic second is.
    """

    area: str
    monotonic_s: float
    boot_id: str
    utc: datetime
    utc_trusted: bool

    def age_s(self, now: Instant, boot_id: str, started_s: float) -> float:
        """How long ago it was, in seconds; never more than what is sure.

        After a reboot only a trusted clock knows; else it counts from ``started_s``, the agent's
        start, because a power cut must not let anybody in sooner.
        """
        if boot_id == self.boot_id:
            return now.monotonic_s - self.monotonic_s
        if now.utc_trusted and self.utc_trusted and now.utc >= self.utc:
            return (now.utc - self.utc).total_seconds()
        return now.monotonic_s - started_s


def passes_back(position: Position | None, area: Area | None, age_s: float) -> bool:
    """Whether entering ``area`` is a passback, for a holder last seen ``age_s`` ago."""
    if area is None or position is None or position.area != area.id:
        return False
    match area.mode:
        case PassbackMode.OFF:
            return False
        case PassbackMode.SOFT | PassbackMode.HARD:
            return True
        case PassbackMode.TIMED:
            return age_s < area.passback_s
