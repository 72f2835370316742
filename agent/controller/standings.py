"""How the kiosk stands: for whoever comes, as lights; for whoever asks, as a status."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.controller.effects import SetStatus, Stand
from agent.controller.faults import Faults
from agent.controller.lane import Lane
from agent.controller.ruling import Ruling
from agent.controller.timekeeping import Timekeeping
from agent.domain.access.indication import Standing
from agent.domain.door.access_point import ALARMS, State
from agent.domain.door.door_mode import Mode


class Standings:
    """What was told last, so that only changes are told."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        ruling: Ruling,
        faults: Faults,
        time: Timekeeping,
    ) -> None:
        """All of them are the kiosk's own, and change under it."""
        self._lanes = lanes
        self._ruling = ruling
        self._faults = faults
        self._time = time
        self._told: SetStatus | None = None
        self._stands: dict[str, Standing] = {}

    def of(self, lane: Lane) -> Standing:
        """How one access point stands now."""
        if lane.door.state in ALARMS:
            return Standing.ALARM
        if lane.door.state is State.FREE_PASSAGE:
            return Standing.FREE_PASSAGE
        if lane.door.mode is Mode.LOCKED_DOWN:
            return Standing.LOCKED_DOWN
        if self._ruling.out_of_order(lane):
            return Standing.OUT_OF_ORDER
        if self._ruling.walk_test.holds(lane.settings.access_point):
            return Standing.WALK_TEST
        return Standing.READY

    def changed(self) -> list[Stand]:
        """How each access point stands, where that has changed."""
        changed = []
        for lane in self._lanes:
            point, standing = lane.settings.access_point, self.of(lane)
            if self._stands.get(point, Standing.READY) is not standing:
                changed.append(Stand(point, standing))
            self._stands[point] = standing
        return changed

    def tell_again(self) -> None:
        """The next status is told whatever was told before."""
        self._told = None

    def status(self, risks: Mapping[str, Mapping[str, Any]]) -> list[SetStatus]:
        """What stands now, where it is not what was told last."""
        status = SetStatus(
            self._faults.details(),
            {lane.settings.access_point: lane.door.state.value for lane in self._lanes},
            {lane.settings.access_point: lane.door.mode.value for lane in self._lanes},
            {
                lane.settings.access_point: lane.door.cause.value
                for lane in self._lanes
                if lane.door.cause is not None
            },
            risks,
            self._ruling.walk_test.walking,
            self._time.snapshot,
        )
        told = self._told
        if told is not None and status == told and status.time is told.time:
            return []
        self._told = status
        return [status]
