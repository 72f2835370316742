"""What the world tells the controller. Only ``Stop`` ends it; nothing here raises."""

from dataclasses import dataclass
from datetime import datetime

from agent.domain.access.indication import Outcome
from agent.domain.access.part import Part
from agent.domain.access.registry import Registry
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import Presented
from agent.domain.door.door_mode import Command
from agent.domain.door.signal import InputChange
from agent.domain.hours.reckoning import ClockChange
from agent.domain.sight.track import Observation
from agent.domain.skin.reading import TemperatureReading


@dataclass(frozen=True, slots=True)
class Observed:
    """Vision has looked at a frame."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class CredentialShown:
    """A credential other than a face lies before this access point; said again while it does."""

    access_point: str
    presented: Presented


@dataclass(frozen=True, slots=True)
class CodeUnread:
    """A code is held up at this access point that cannot be read; said again while it is."""

    access_point: str


@dataclass(frozen=True, slots=True)
class TemperatureRead:
    """The thermometer has answered."""

    reading: TemperatureReading


@dataclass(frozen=True, slots=True)
class RegistryChanged:
    """Holders or references changed; comparisons against an older revision no longer count."""

    registry: Registry


@dataclass(frozen=True, slots=True)
class InputChanged:
    """A contact or button became active or inactive, debounced; never coalesced with another."""

    change: InputChange


@dataclass(frozen=True, slots=True)
class FaultRaised:
    """A part failed; ``part`` is its latch: ``camera:front``, ``door:lane``, ``thermometer``."""

    part: Part
    detail: str


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """A part works again, or somebody says so; ``by`` names them."""

    part: Part
    by: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """An operator asks something of an access point's door; ``by`` names them.

    A free passage ends after ``for_s`` seconds, where it says so. ``reason`` is a person's word on
    a release.
    """

    command: Command
    access_point: str
    by: str
    for_s: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TriedOut:
    """A technician wants to see and hear what an outcome looks like here; no door moves by it."""

    access_point: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class WalkTestBegun:
    """From now on nothing opens at these access points by a decision, for ``for_s`` at the most.

    ``by`` names whoever asks; ``id`` is by which they say that they still look.
    """

    id: str
    access_points: tuple[str, ...]
    by: str
    for_s: float


@dataclass(frozen=True, slots=True)
class WalkTestHeld:
    """Whoever began the walk test of this id still looks."""

    id: str


@dataclass(frozen=True, slots=True)
class WalkTestEnded:
    """The walk test is over, says ``by``; anybody may."""

    by: str


@dataclass(frozen=True, slots=True)
class Forgiven:
    """Anti-passback forgets where a holder is, None where everybody is; ``by`` says so."""

    holder: HolderId | None
    by: str


@dataclass(frozen=True, slots=True)
class ClockTold:
    """A person says that it is ``utc``, and why."""

    utc: datetime
    change: ClockChange
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A pass's use could not be counted, so nobody was let through; ``failed``: the disk did."""

    access_point: str
    passage: int
    gate_pass: PassId
    failed: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline that the controller named has come."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The agent ends; outputs are secured first."""

    why: str


Input = (
    Observed
    | CredentialShown
    | CodeUnread
    | TemperatureRead
    | RegistryChanged
    | InputChanged
    | Commanded
    | TriedOut
    | WalkTestBegun
    | WalkTestHeld
    | WalkTestEnded
    | Forgiven
    | ClockTold
    | NotCounted
    | FaultRaised
    | FaultCleared
    | Tick
    | Stop
)
