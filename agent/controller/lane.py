"""One access point: its presentations, its output, and the pulse between them."""

from dataclasses import dataclass

from agent.controller.attempts import Attempts, Pace
from agent.controller.combination import Combination
from agent.controller.effects import Effect, Release, Secure
from agent.domain.access_point import Input, Output, State, step
from agent.domain.agreement import Requirements


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """One access point as the controller knows it; a pulse is in seconds."""

    access_point: str
    direction: str
    camera: str
    door: str
    pulse_s: float
    max_pulse_s: float


class Lane:
    """The state of one access point; every method answers with effects and touches nothing."""

    def __init__(self, settings: LaneSettings, pace: Pace, requirements: Requirements) -> None:
        self.settings = settings
        self.attempts = Attempts(pace, requirements)
        self.combination = Combination(requirements, pace.timeout_s)
        self.state = State.SECURED
        self._secure_at_s: float | None = None
        self._energised_s = 0.0

    def apply(self, happened: Input, now_s: float) -> list[Effect]:
        """Walk the table, and keep the pulse's end."""
        before = self.state
        self.state, output = step(before, happened)
        if output is Output.RELEASE:
            if before is not State.RELEASED:
                self._energised_s = now_s
            # However many grants follow each other, the output rests at its maximum.
            longest = self._energised_s + self.settings.max_pulse_s
            self._secure_at_s = min(now_s + self.settings.pulse_s, longest)
            return [Release(self.settings.door, max(self._secure_at_s - now_s, 0.0))]
        if output is Output.SECURE:
            self._secure_at_s = None
            return [Secure(self.settings.door)]
        return []

    def tick(self, now_s: float) -> list[Effect]:
        """End the pulse when its time has come."""
        if self._secure_at_s is not None and now_s >= self._secure_at_s:
            return self.apply(Input.PULSE_ENDED, now_s)
        return []

    @property
    def deadline_s(self) -> float | None:
        """When the pulse or a half-finished combination ends, on the monotonic clock."""
        moments = (self._secure_at_s, self.combination.ends_s)
        return min((moment for moment in moments if moment is not None), default=None)
