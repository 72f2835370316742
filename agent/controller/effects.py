"""What the controller asks for, as data: the order within a tuple is the order of execution."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.controller.combination import Claim
from agent.domain.access.indication import Indication, Standing
from agent.domain.access.signs import Guidance
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Latches
from agent.domain.door.walking import Walking
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.events import EventDraft
from agent.domain.skin.baseline import Baseline


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
class Hold:
    """Keep the door's output released for ``for_s`` from now; it is said again in time."""

    door: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Latch:
    """Write down what must survive a restart, durable before anything else is done."""

    latches: Latches


@dataclass(frozen=True, slots=True)
class Move:
    """Write down where a holder went; None for nowhere, and no holder for everybody."""

    holder: HolderId | None
    position: Position | None


@dataclass(frozen=True, slots=True)
class Learn:
    """Write down what most people's skin had here lately; now and then, and at the end."""

    baseline: Baseline


@dataclass(frozen=True, slots=True)
class KeepBudgets:
    """Write down what is left of each access point's false grants; now and then, and at the end."""

    left: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Settle:
    """The track of this camera has had its attempt; vision may look at it less often."""

    camera: str
    track: int


@dataclass(frozen=True, slots=True)
class SetStatus:
    """What stands now, for whoever asks: latched faults, and each access point.

    By access point its state, its mode, and what keeps it from being an ordinary door: ``fire``,
    ``command``, ``schedule``; those without such a cause are not in ``causes``. ``false_grants``
    is what faces alone risk there, as ``FalseGrants.report`` has it. ``walk_test`` is the one that
    is on. ``time`` is what is known of the time, from which any thread reckons on.
    """

    faults: Mapping[str, str] = field(default_factory=dict)
    access_points: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)
    false_grants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    walk_test: Walking | None = None
    time: Reckoning = field(default_factory=Reckoning, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare faces before this camera 1:1 with the claim's holder; None stops that."""

    camera: str
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Indicate:
    """Tell whoever stands there: what is still missing, or how it ended."""

    indication: Indication


@dataclass(frozen=True, slots=True)
class Guide:
    """Tell whoever stands there, before any decision, what would help; sound and light only."""

    guidance: Guidance


@dataclass(frozen=True, slots=True)
class Stand:
    """How this access point stands from now on, for whoever comes; sound and light only."""

    access_point: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Consume:
    """Count a use of a pass on the disk, then do ``counted``.

    Where it cannot be counted, ``otherwise``; a ``NotCounted`` for ``access_point`` and ``passage``
    then follows.
    """

    access_point: str
    passage: int
    gate_pass: PassId
    limit: int
    valid_until: datetime
    counted: tuple["Effect", ...]
    otherwise: tuple["Effect", ...]


Effect = (
    Record
    | Release
    | Hold
    | Secure
    | Latch
    | Move
    | Learn
    | KeepBudgets
    | Settle
    | SetStatus
    | Compare
    | Indicate
    | Guide
    | Stand
    | Consume
)
