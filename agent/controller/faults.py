"""What is in fault: latched by part until it works again, or a person says so."""

from collections.abc import Iterator, Mapping

from agent.controller.lane import LaneSettings
from agent.controller.settings import Degrade
from agent.domain.access.part import STATE_REGISTRY, Part, PartKind, only_a_person_clears


class Faults:
    """Latched faults, one object for all who ask; only the kiosk latches and clears them."""

    def __init__(self, degrade: Degrade, latched: Mapping[str, str]) -> None:
        """``latched`` outlived the last agent."""
        self._degrade = degrade
        self._details = {Part(part): detail for part, detail in latched.items()}

    def __contains__(self, part: Part) -> bool:
        """Whether it is in fault."""
        return part in self._details

    def __iter__(self) -> Iterator[Part]:
        """The parts in fault, the oldest first."""
        return iter(self._details)

    def details(self) -> dict[str, str]:
        """What is wrong, by part; the caller's own."""
        return dict(self._details.items())

    def lasting(self) -> dict[str, str]:
        """Those that outlive the agent, because only a person clears them."""
        found = self._details.items()
        return {part: detail for part, detail in found if only_a_person_clears(part)}

    def latch(self, part: Part, detail: str) -> bool:
        """False where it is in fault already; the first word about it stays."""
        if part in self._details:
            return False
        self._details[part] = detail
        return True

    def clear(self, part: Part) -> None:
        """It works again."""
        self._details.pop(part, None)

    def blocks(self, lane: LaneSettings) -> bool:
        """Whether nobody is granted anything there: it is blind, cannot move, or so the config.

        Nor by a registry of which nobody knows whom it lacks, and what it has not revoked.
        """
        own = (PartKind.CAMERA.part(lane.camera), PartKind.DOOR.part(lane.door))
        return any(
            part in own or part == STATE_REGISTRY or self._degrade.blocks(part)
            for part in self._details
        )
