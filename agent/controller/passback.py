"""Where every holder is, and whether they may come in once more.

    granted, unwatched door     inside at once
    granted, watched door       reserved --taken--> inside
                                         --not taken--> where they were
    the use was not counted     where they were before this very passage

Check and commit are one step: while a grant is reserved, its holder counts as inside, so a pass
that is handed back opens for nobody else. A reservation does not outlive the process, which secures
the door as it ends.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from agent.controller.effects import Move
from agent.controller.lane import LaneSettings
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Area, PassbackMode, Position, passes_back
from agent.domain.hours.instant import Instant

_REMEMBERED = 64


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
        self.boot_id = boot_id
        self._started_s = float("-inf")
        self._before: OrderedDict[int, tuple[HolderId, Position | None, Position]] = OrderedDict()
        self._reserved: dict[int, tuple[HolderId, str]] = {}

    def start(self, now_s: float) -> None:
        """The agent begins; what happened before a reboot is no older than that makes it."""
        self._started_s = now_s

    def violates(self, holder: HolderId, lane: LaneSettings, now: Instant) -> PassbackMode | None:
        """The mode of the area that ``holder`` would enter once more; None where all is well."""
        area = self._areas.get(lane.to_area or "")
        if area is None:
            return None
        if area.mode is not PassbackMode.OFF and (holder, area.id) in self._reserved.values():
            return area.mode  # a grant of theirs is being used just now
        position = self._positions.get(holder)
        if position is None:
            return None
        age_s = position.age_s(now, self.boot_id, self._started_s)
        return area.mode if passes_back(position, area, age_s) else None

    def reserve(self, passage: int, holder: HolderId, lane: LaneSettings) -> None:
        """``holder`` was let through and may go in; until that is settled they count as inside."""
        self._reserved[passage] = (holder, lane.to_area or "")

    def give_back(self, passage: int) -> bool:
        """The passage is settled: it was used, or never will be; whether it still is somebody's."""
        return self._reserved.pop(passage, None) is not None

    def move(
        self, holder: HolderId, lane: LaneSettings, now: Instant, passage: int = 0
    ) -> list[Move]:
        """``holder`` went through: into an area, or out of one into the open."""
        if lane.to_area is None:
            left = self._positions.get(holder)
            return self.forgive(holder) if left and left.area == lane.from_area else []
        position = Position(lane.to_area, now.monotonic_s, self.boot_id, now.utc, now.utc_trusted)
        self._before[passage] = (holder, self._positions.get(holder), position)
        if len(self._before) > _REMEMBERED:
            self._before.popitem(last=False)
        self._positions[holder] = position
        return [Move(holder, position)]

    def take_back(self, passage: int) -> None:
        """The passage was none, and nothing was written down of it: as if it had not been."""
        self.give_back(passage)
        holder, before, after = self._before.pop(passage, (None, None, None))
        if holder is None or self._positions.get(holder) is not after:
            return  # they moved since, by another passage
        if before is None:
            self._positions.pop(holder, None)
        else:
            self._positions[holder] = before

    def forget(self, holder: HolderId) -> list[Move]:
        """A holder was removed; nothing where nobody knows where they are.

        A grant that they still use says nothing of where they are, or the disk would keep it.
        """
        self._reserved = {one: held for one, held in self._reserved.items() if held[0] != holder}
        return self.forgive(holder) if holder in self._positions else []

    def forgive(self, holder: HolderId | None) -> list[Move]:
        """Forget where ``holder`` is, or everybody."""
        if holder is None:
            self._positions.clear()
        else:
            self._positions.pop(holder, None)
        return [Move(holder, None)]
