"""The kiosk as one state machine without I/O: ``handle(input, now) -> effects``.

    observation --> attempts ------due--> judge --> Record, then Release
    credential ---> combination --due-->   |   or wait for what is missing
    reading -----> kept, with its age
    fault -------> latched until it is cleared; denies what depends on the part
    tick --------> pulses end, attempts and combinations whose time is up are judged

One thread owns it. Time comes with every input, so a test replays a day in a second.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from agent.controller.effects import Effect, Record, Secure, SetStatus
from agent.controller.inputs import (
    CredentialShown,
    FaultCleared,
    FaultRaised,
    Input,
    Observed,
    RegistryChanged,
    Stop,
    TemperatureRead,
    Tick,
)
from agent.controller.judge import Judge, KioskSettings
from agent.controller.lane import Lane
from agent.domain import access_point
from agent.domain.events import EventDraft, EventType
from agent.domain.evidence import Observation
from agent.domain.gate_pass import PassId
from agent.domain.instant import Instant
from agent.domain.registry import Registry


class Kiosk:
    """Everything that one kiosk knows between two inputs."""

    def __init__(
        self,
        settings: KioskSettings,
        registry: Registry,
        *,
        uses: Mapping[PassId, int] | None = None,
        latest_utc: datetime | None = None,
    ) -> None:
        """Begin with what outlives a process: ``uses`` of passes, and a time that surely was."""
        self._judge = Judge(settings, registry, dict(uses or {}), latest_utc)
        self._lanes = [Lane(lane, settings.pace, settings.requirements) for lane in settings.lanes]
        self._faults: dict[str, str] = {}

    @property
    def faults(self) -> dict[str, str]:
        """Latched faults by part."""
        return dict(self._faults)

    @property
    def deadline_s(self) -> float | None:
        """When to send the next ``Tick``, on the monotonic clock; None while nothing is due."""
        moments = [lane.deadline_s for lane in self._lanes]
        return min((moment for moment in moments if moment is not None), default=None)

    def handle(self, happened: Input, now: Instant) -> tuple[Effect, ...]:
        """What follows from ``happened``; ticks every lane, so no deadline is missed for long."""
        self._judge.note_time(now)
        effects = self._handle(happened, now)
        if isinstance(happened, Stop):
            return tuple(effects)
        for lane in self._lanes:
            before = lane.state
            effects += lane.tick(now.monotonic_s)
            effects += self._judge.due(lane, self._faults, now)
            if lane.state is not before:
                effects.append(self._status())
        return tuple(effects)

    def start(self) -> tuple[Effect, ...]:
        """The first effects: every output secured, and the status as it stands."""
        return (*(Secure(lane.settings.door) for lane in self._lanes), self._status())

    def _handle(self, happened: Input, now: Instant) -> list[Effect]:
        match happened:
            case Observed(observation):
                self._observe(observation)
                return []
            case CredentialShown():
                return self._shown(happened, now)
            case TemperatureRead(reading):
                self._judge.reading = reading
                return []
            case RegistryChanged(registry):
                self._judge.registry = registry
                for lane in self._lanes:
                    # What was compared with the gallery before opens nothing by this one.
                    lane.attempts.observe(None, registry.operating.threshold)
                return [self._status()]
            case FaultRaised(part, detail):
                return self._raise_fault(part, detail, now)
            case FaultCleared(part, by):
                return self._clear_fault(part, by, now)
            case Tick():
                return []
            case Stop():
                return self._each_lane(access_point.Input.STOP, now)
            case _:  # pragma: no cover
                assert_never(happened)

    def _observe(self, observation: Observation) -> None:
        registry = self._judge.registry
        for lane in self._lanes:
            if lane.settings.camera != observation.camera:
                continue
            track = observation.track
            if observation.gallery_revision != registry.revision:
                track = None  # compared with references that are no longer the gallery
            lane.attempts.observe(track, registry.operating.threshold)
            self._judge.stage_ms[observation.camera] = dict(observation.stage_ms)

    def _shown(self, shown: CredentialShown, now: Instant) -> list[Effect]:
        effects: list[Effect] = []
        for lane in self._lanes:
            if lane.settings.access_point == shown.access_point:
                effects += self._judge.shown(lane, shown.presented, self._faults, now)
        return effects

    def _raise_fault(self, part: str, detail: str, now: Instant) -> list[Effect]:
        if part in self._faults:
            return []  # latched already; securing a failed output again would only fail again
        self._faults[part] = detail
        effects: list[Effect] = []
        for lane in self._lanes_of(part):
            effects += lane.apply(access_point.Input.OUTPUT_FAILED, now.monotonic_s)
        if part == "thermometer":
            self._judge.reading = None
        data = {"part": part, "detail": detail}
        effects.append(self._record(EventType.FAULT_RAISED, now, data))
        effects.append(self._status())
        return effects

    def _clear_fault(self, part: str, by: str, now: Instant) -> list[Effect]:
        if self._faults.pop(part, None) is None:
            return []
        effects: list[Effect] = []
        for lane in self._lanes_of(part):
            effects += lane.apply(access_point.Input.FAULT_CLEARED, now.monotonic_s)
        effects.append(self._record(EventType.FAULT_CLEARED, now, {"part": part, "by": by}))
        effects.append(self._status())
        return effects

    def _lanes_of(self, part: str) -> Sequence[Lane]:
        return [lane for lane in self._lanes if part == f"door:{lane.settings.door}"]

    def _each_lane(self, happened: access_point.Input, now: Instant) -> list[Effect]:
        effects: list[Effect] = []
        for lane in self._lanes:
            effects += lane.apply(happened, now.monotonic_s)
        return effects

    def _record(self, kind: EventType, now: Instant, data: dict[str, str]) -> Record:
        return Record(EventDraft(kind, now.utc, now.utc_trusted, None, data))

    def _status(self) -> SetStatus:
        states = {lane.settings.access_point: lane.state.value for lane in self._lanes}
        return SetStatus(dict(self._faults), states)
