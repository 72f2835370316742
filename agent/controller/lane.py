"""One access point: its presentations, what of them is half finished, and the door it frees."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.controller.attempts import Attempts, Pace
from agent.controller.combination import Combination
from agent.controller.door import DoorControl
from agent.controller.false_grants import FalseGrants
from agent.controller.presentations import Presentations
from agent.controller.thermal import Measurement
from agent.domain.access.agreement import Requirements
from agent.domain.access.challenge import Challenge
from agent.domain.access.rule import Rule, searches
from agent.domain.door.access_point import State


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """One access point as the controller knows it.

    ``door`` names an output, which another access point may share; the areas are those that
    anti-passback counts. ``infrared`` says that an infrared camera stands beside its camera.
    """

    access_point: str
    direction: str
    camera: str
    door: str
    from_area: str | None = None
    to_area: str | None = None
    infrared: bool = False


class Lane:
    """What one access point knows between two inputs."""

    def __init__(
        self,
        settings: LaneSettings,
        door: DoorControl,
        pace: Pace,
        requirements: Requirements,
        false_grants: FalseGrants,
    ) -> None:
        self.settings = settings
        self.door = door
        self.attempts = Attempts(pace, requirements, false_grants)
        self.presentations = Presentations(pace.interval_s, pace.interval_max_s)
        self.combination = Combination(requirements, pace.timeout_s)
        self.measurement: Measurement | None = None
        self.challenge: Challenge | None = None

    def ruled_by(self, rules: Sequence[Rule]) -> None:
        """``rules`` are in force from now on."""
        false_grants = self.attempts.false_grants
        false_grants.searches = searches(rules, self.settings.access_point)

    @property
    def deadline_s(self) -> float | None:
        """When what is half finished is judged or told at the latest; None where nothing is."""
        measured_s = self.measurement.ends_s if self.measurement is not None else None
        told_s = self.attempts.false_grants.deadline_s
        turned_s = self.challenge.ends_s if self.challenge and self.challenged else None
        moments = (self.combination.ends_s, measured_s, told_s, turned_s)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def challenged(self) -> bool:
        """Whether a turn of the head was asked for, and has not come to anything yet."""
        return self.challenge is not None and self.challenge.open

    @property
    def unturned(self) -> bool:
        """Whether a turn of the head was asked for, and has not been seen."""
        return self.challenge is not None and not self.challenge.passed

    @property
    def lacking(self) -> tuple[str, ...]:
        """What is still to be shown or done, as an indication's words."""
        if self.challenge is not None and self.unturned:
            return (f"turn_{self.challenge.side}",)
        return tuple(sorted(self.combination.waiting_for))

    @property
    def busy(self) -> bool:
        """Whether somebody's attempt is under way, or the way is free: others are told nothing."""
        under_way = self.combination.open or self.measurement is not None or self.challenged
        return under_way or self.door.state is not State.SECURED
