"""What the controller asks for, as data: the order within a tuple is the order of execution."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.events import EventDraft


@dataclass(frozen=True, slots=True)
class Record:
    """Write the event to the journal; what follows waits for the row, but never long."""

    draft: EventDraft


@dataclass(frozen=True, slots=True)
class Release:
    """Energise the door's output for at most ``pulse_s``."""

    door: str
    pulse_s: float


@dataclass(frozen=True, slots=True)
class Secure:
    """De-energise the door's output now."""

    door: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The track of this camera has had its attempt; vision may look at it less often."""

    camera: str
    track: int


@dataclass(frozen=True, slots=True)
class SetStatus:
    """What stands now, for whoever asks: latched faults and the state of each access point."""

    faults: Mapping[str, str] = field(default_factory=dict)
    access_points: Mapping[str, str] = field(default_factory=dict)


Effect = Record | Release | Secure | Settle | SetStatus
