"""The kiosk as one state machine without I/O: ``handle(input, now) -> effects``.

    observation --> attempts --due--> decide --> Record, then Release
    reading -----> kept, with its age
    fault -------> latched until it is cleared; denies what depends on the part
    tick --------> pulses end, attempts whose time is up are judged

One thread owns it. Time comes with every input, so a test replays a day in a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from agent.controller.attempts import Pace
from agent.controller.effects import Effect, Record, Secure, SetStatus, Settle
from agent.controller.inputs import (
    FaultCleared,
    FaultRaised,
    Input,
    Observed,
    RegistryChanged,
    Stop,
    TemperatureRead,
    Tick,
)
from agent.controller.lane import Lane, LaneSettings
from agent.controller.trace import access_event
from agent.domain import access_point
from agent.domain.agreement import Requirements
from agent.domain.events import EventDraft, EventType
from agent.domain.evidence import Evidence, FaceEvidence, Observation, TemperatureReading
from agent.domain.instant import Instant
from agent.domain.policy import Situation, decide
from agent.domain.registry import Registry
from agent.domain.rule import Rule, find_rule


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """What the config says, as the controller needs it."""

    lanes: tuple[LaneSettings, ...]
    rules: tuple[Rule, ...]
    boot_id: str
    accept_no_pad: bool = False
    pace: Pace = field(default_factory=Pace)
    requirements: Requirements = field(default_factory=Requirements)


class Kiosk:
    """Everything that one kiosk knows between two inputs."""

    def __init__(self, settings: KioskSettings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._lanes = [Lane(lane, settings.pace, settings.requirements) for lane in settings.lanes]
        self._reading: TemperatureReading | None = None
        self._faults: dict[str, str] = {}
        self._stage_ms: dict[str, dict[str, float]] = {}

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
        effects = self._handle(happened, now)
        if isinstance(happened, Stop):
            return tuple(effects)
        for lane in self._lanes:
            before = lane.state
            effects += lane.tick(now.monotonic_s)
            effects += self._judge(lane, now)
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
            case TemperatureRead(reading):
                self._reading = reading
                return []
            case RegistryChanged(registry):
                self._registry = registry
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
        for lane in self._lanes:
            if lane.settings.camera != observation.camera:
                continue
            track = observation.track
            if observation.gallery_revision != self._registry.revision:
                track = None  # compared with references that are no longer the gallery
            lane.attempts.observe(track, self._registry.operating.threshold)
            self._stage_ms[observation.camera] = dict(observation.stage_ms)

    def _judge(self, lane: Lane, now: Instant) -> list[Effect]:
        face = lane.attempts.due(now.monotonic_s)
        if face is None:
            return []
        evidence = Evidence(face, self._reading, self._stages(lane, face, now))
        holder = self._registry.holders.get(face.holder) if face.holder is not None else None
        rule = (
            find_rule(self._settings.rules, holder.category, lane.settings.access_point)
            if holder is not None
            else None
        )
        decision = decide(evidence, holder, rule, self._situation(lane, face), now)
        track = lane.attempts.judged(granted=decision.granted, now_s=now.monotonic_s)
        event = access_event(
            decision,
            evidence,
            lane.settings,
            self._registry,
            now,
            boot_id=self._settings.boot_id,
        )
        effects: list[Effect] = [Record(event)]
        if decision.granted:
            effects += lane.apply(access_point.Input.GRANT, now.monotonic_s)
        if track is not None:
            effects.append(Settle(lane.settings.camera, track))
        return effects

    def _stages(self, lane: Lane, face: FaceEvidence, now: Instant) -> dict[str, float]:
        stages = dict(self._stage_ms.get(lane.settings.camera, {}))
        stages["capture_to_decision"] = (now.monotonic_s - face.newest_s) * 1000.0
        return stages

    def _situation(self, lane: Lane, face: FaceEvidence) -> Situation:
        parts = (f"camera:{lane.settings.camera}", f"door:{lane.settings.door}")
        failed = any(part in self._faults for part in parts)
        return Situation(
            sensor_fault=failed or lane.state is access_point.State.FAULT,
            face_alone_suffices=self._registry.operating.sufficient,
            accept_no_pad=self._settings.accept_no_pad,
            too_close=face.holder in self._registry.too_close,
            requirements=self._settings.requirements,
        )

    def _raise_fault(self, part: str, detail: str, now: Instant) -> list[Effect]:
        if part in self._faults:
            return []  # latched already; securing a failed output again would only fail again
        self._faults[part] = detail
        effects: list[Effect] = []
        for lane in self._lanes_of(part):
            effects += lane.apply(access_point.Input.OUTPUT_FAILED, now.monotonic_s)
        if part == "thermometer":
            self._reading = None
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
