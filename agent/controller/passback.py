"""Where every holder is, and whether they may come in once more."""

from collections.abc import Mapping, Sequence

from agent.controller.effects import Move
from agent.controller.lane import LaneSettings
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Area, PassbackMode, Position, passes_back
from agent.domain.hours.instant import Instant


class Passback:
    """Positions by holder; those of before the start come from the disk."""

    def __init__(
        self,
        areas: Sequence[Area],
        positions: Mapping[HolderId, Position],
        boot_id: str,
    ) -> None:
        self._areas = {area.id: area for area in areas}
        self._positions = dict(positions)
        self._boot_id = boot_id
        self._started_s = float("-inf")
        self._before: tuple[HolderId, Position | None] | None = None

    def start(self, now_s: float) -> None:
        """The agent begins; what happened before a reboot is no older than that makes it."""
        self._started_s = now_s

    def violates(self, holder: HolderId, lane: LaneSettings, now: Instant) -> PassbackMode | None:
        """The mode of the area that ``holder`` would enter once more; None where all is well."""
        area = self._areas.get(lane.to_area or "")
        position = self._positions.get(holder)
        if area is None or position is None:
            return None
        age_s = position.age_s(now, self._boot_id, self._started_s)
        return area.mode if passes_back(position, area, age_s) else None

    def move(self, holder: HolderId, lane: LaneSettings, now: Instant) -> list[Move]:
        """``holder`` went through: into an area, or out of one into the open."""
        if lane.to_area is None:
            left = self._positions.get(holder)
            return self.forgive(holder) if left and left.area == lane.from_area else []
        position = Position(lane.to_area, now.monotonic_s, self._boot_id, now.utc, now.utc_trusted)
        self._before = (holder, self._positions.get(holder))
        self._positions[holder] = position
        return [Move(holder, position)]

    def take_back(self, holder: HolderId) -> None:
        """The last move was none, where it was this holder's; nothing was written down of it."""
        if self._before is not None and self._before[0] == holder:
            position = self._before[1]
            self._before = None
            if position is None:
                self._positions.pop(holder, None)
            else:
                self._positions[holder] = position

    def forget(self, holder: HolderId) -> list[Move]:
        """A holder was removed; nothing where nobody knows where they are."""
        return self.forgive(holder) if holder in self._positions else []

    def forgive(self, holder: HolderId | None) -> list[Move]:
        """Forget where ``holder`` is, or everybody."""
        if holder is None:
            self._positions.clear()
        else:
            self._positions.pop(holder, None)
        return [Move(holder, None)]
