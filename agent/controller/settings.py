"""What the config says, as the controller needs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from agent.controller.attempts import Pace
from agent.controller.door import DoorSettings
from agent.controller.lane import LaneSettings
from agent.controller.thermal import ThermalSettings
from agent.domain.access.agreement import Requirements
from agent.domain.access.challenge import Side
from agent.domain.access.cues import CueTerms
from agent.domain.access.part import Part, PartKind, kind_of
from agent.domain.access.rule import Rule
from agent.domain.door.antipassback import Area
from agent.domain.door.signal import Wiring
from agent.domain.hours.reckoning import TOLERANCE
from agent.domain.sight.pad import PAD_THRESHOLD


@dataclass(frozen=True, slots=True)
class Degrade:
    """Which faults keep the gate closed; all others are told, and it goes on.

    A dead camera or output denies whatever this says: there is nothing to decide by, or to move.
    """

    denies: tuple[PartKind, ...] = ()

    def blocks(self, part: Part) -> bool:
        """Whether nobody is granted anything while ``part`` is in fault."""
        return kind_of(part) in self.denies

    def blocks_door(self, part: Part) -> bool:
        """Whether the door of ``part`` is out of order while it is in fault."""
        kind = kind_of(part)
        return kind is PartKind.DOOR or (kind is PartKind.FEEDBACK and self.blocks(part))


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """One kiosk.

    ``kiosk`` is the grid and the kiosk's own id: ``g3/north-1``. ``judge_by_lower_bound`` lets
    dates be judged by the latest time that surely was while the clock is not trusted; clocks that
    are right may differ by ``clock_tolerance``. ``max_false_grants_per_day`` bounds the expected
    false grants by faces alone, all access points together. ``accept_no_pad`` lets a face count at
    which no attack detection looked, unless its rule says otherwise; below ``pad_threshold`` it is
    a picture of one; ``cues`` says what follows from those beside the models. ``draw_side`` is the
    source of the sides that challenges ask for; None where no rule asks for any.
    """

    lanes: tuple[LaneSettings, ...]
    doors: tuple[DoorSettings, ...]
    rules: tuple[Rule, ...]
    boot_id: str
    accept_no_pad: bool = False
    pad_threshold: float = PAD_THRESHOLD
    cues: CueTerms = field(default_factory=CueTerms)
    pace: Pace = field(default_factory=Pace)
    requirements: Requirements = field(default_factory=Requirements)
    community: str = ""
    kiosk: str = ""
    judge_by_lower_bound: bool = False
    clock_tolerance: timedelta = TOLERANCE
    wirings: tuple[Wiring, ...] = ()
    areas: tuple[Area, ...] = ()
    degrade: Degrade = field(default_factory=Degrade)
    thermal: ThermalSettings = field(default_factory=ThermalSettings)
    max_false_grants_per_day: float = 0.05
    draw_side: Callable[[], Side] | None = None
