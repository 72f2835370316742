"""The kiosk as one state machine without I/O: ``handle(input, now) -> effects``.

    observation --> attempts ------due--> judge --> Record, then Release
    credential ---> combination --due-->   |   or wait for what is missing
    reading -----> kept for whoever stands there, as one sample of several
    input -------> its door, by what it is wired for
    command -----> the door's mode, or one release; anti-passback forgives
    walk test ---> for a while, nothing opens by what is decided there
    fault -------> latched until it is cleared; denies what depends on the part
    tick --------> pulses end, attempts and combinations whose time is up are judged

One thread owns it. Time comes with every input, so a test replays a day in a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from agent.controller.doors import Doors
from agent.controller.effects import (
    Effect,
    Indicate,
    KeepBudgets,
    Learn,
    Record,
    Secure,
)
from agent.controller.false_grants import FalseGrants
from agent.controller.faults import Faults
from agent.controller.inputs import (
    ClockTold,
    CodeUnread,
    Commanded,
    CredentialShown,
    FaultCleared,
    FaultRaised,
    Forgiven,
    Input,
    InputChanged,
    NotCounted,
    Observed,
    RegistryChanged,
    Stop,
    TemperatureRead,
    Tick,
    TriedOut,
    WalkTestBegun,
    WalkTestEnded,
    WalkTestHeld,
)
from agent.controller.judge import Judge
from agent.controller.lane import Lane
from agent.controller.passback import Passback
from agent.controller.settings import KioskSettings
from agent.controller.signs import Signs
from agent.controller.standings import Standings
from agent.controller.timekeeping import PART, Timekeeping
from agent.domain.access.indication import Indication
from agent.domain.access.part import STATE_LATCHES, Part, PartKind
from agent.domain.access.registry import Registry
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Latches
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventDraft, EventType
from agent.domain.sight.grant_budget import GrantBudget
from agent.domain.sight.track import Observation
from agent.domain.skin.baseline import Baseline

_LEARN_EVERY_S, _AT_ONCE = 60.0, 0.0
_MUCH_LEFT = 0.97


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives a process: uses of passes, a time that surely was, latches, whereabouts."""

    uses: Mapping[PassId, int] = field(default_factory=dict)
    latest_utc: datetime | None = None
    latches: Latches = field(default_factory=Latches)
    positions: Mapping[HolderId, Position] = field(default_factory=dict, repr=False)
    baseline: Baseline = field(default_factory=Baseline)
    budgets: Mapping[str, float] = field(default_factory=dict)
    state_faults: Mapping[Part, str] = field(default_factory=dict)
    """Files of all this that are missing, older or foreign; they keep the stricter side."""


class Kiosk:
    """Everything that one kiosk knows between two inputs."""

    def __init__(
        self, settings: KioskSettings, registry: Registry, memory: Memory | None = None
    ) -> None:
        """Begin with what the last agent left."""
        memory = memory or Memory()
        self._passback = Passback(settings.areas, memory.positions, settings.boot_id)
        self._doors = Doors(
            settings.doors, settings.lanes, settings.wirings, self._passback, memory.latches
        )
        self._faults = Faults(settings.degrade, memory.latches.faults)
        self._time = Timekeeping.of(settings, memory.latest_utc)
        self._judge = Judge(
            settings, registry, memory.uses, self._time, self._doors, self._passback, self._faults
        )
        self._walk_test = self._judge.ruling.walk_test
        self._judge.thermal.baseline = memory.baseline
        self._lanes = [
            Lane(
                lane,
                self._doors[lane.door],
                settings.pace,
                settings.requirements,
                _false_grants(settings, lane.access_point, memory),
            )
            for lane in settings.lanes
        ]
        for one in self._lanes:
            one.ruled_by(self._judge.ruling.rules)
        self._signs = Signs(self._lanes)
        self._state_faults = memory.state_faults
        self._standings = Standings(self._lanes, self._judge.ruling, self._faults, self._time)
        self._learned, self._learned_s = memory.baseline, float("-inf")
        self._budgets: dict[str, float] = {}
        self._risks: dict[str, dict[str, Any]] = {}
        self._reckoned_s = float("-inf")

    @property
    def faults(self) -> dict[str, str]:
        """Latched faults by part."""
        return self._faults.details()

    @property
    def baseline(self) -> Baseline:
        """What most people's skin had lately, to be kept beyond this process."""
        return self._judge.thermal.baseline

    def expected_false_grants(self, now_s: float) -> float:
        """What faces alone risked in this process, of its last day at most."""
        budgets = [lane.attempts.false_grants.budget for lane in self._lanes]
        return sum(budget.expected_last_day(now_s) for budget in budgets)

    @property
    def deadline_s(self) -> float | None:
        """When to send the next ``Tick``, on the monotonic clock; None while nothing is due."""
        moments = [
            self._doors.deadline_s,
            self._signs.deadline_s,
            self._walk_test.deadline_s,
            *(lane.deadline_s for lane in self._lanes),
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def handle(self, happened: Input, raw: Instant) -> tuple[Effect, ...]:
        """What follows from ``happened``; ticks every lane, so no deadline is missed for long."""
        now = self._time.heard(raw)
        # First: nothing is decided by a test whose time is up.
        effects: list[Effect] = [*self._walk_test.tick(now)]
        effects += self._handle(happened, now)
        # Once more: a person's word may have changed what the same instant is worth.
        now = self._time.heard(raw)
        if isinstance(happened, Stop):
            return (*effects, *self._learn(now, _AT_ONCE), *self._reckon(now, _AT_ONCE))
        effects += self._doors.tick(now)
        for lane in self._lanes:
            effects += self._judge.due(lane, now)
            effects += self._signs.tell(
                lane,
                effects,
                self._standings.of(lane),
                now.monotonic_s,
                face_suffices=self._judge.opens_by_face(lane),
            )
            told = lane.attempts.false_grants.tell(
                self._judge.registry, now, self._judge.settings.boot_id
            )
            effects += [Record(draft) for draft in told]
        for word in self._judge.thermal.told():
            effects += self._fault(word, now)
        for part, detail in self._doors.trouble():
            effects += self._raise_fault(part, detail, now)
        doubt = self._time.trouble(PART in self._faults)
        effects += [] if doubt is None else self._fault(doubt, now)
        return (
            *effects,
            *self._learn(now),
            *self._reckon(now),
            *self._standings.changed(),
            *self._standings.status(self._risks),
        )

    def start(self, now: Instant) -> tuple[Effect, ...]:
        """The first effects: every output secured, then what held when the last agent ended."""
        now = self._time.heard(now)
        self._passback.start(now.monotonic_s)
        self._reckon(now)
        effects: list[Effect] = [Secure(door) for door in self._doors.names]
        for part in self._faults:
            if self._judge.settings.degrade.blocks_door(part):
                effects += self._doors.failed(part, now)
        for part, detail in self._state_faults.items():
            if self._faults.latch(part, detail):
                data = {"part": part, "detail": detail}
                effects.append(self._record(EventType.FAULT_RAISED, now, data))
        if STATE_LATCHES in self._faults:
            effects += self._doors.withhold(now, on=True)
        effects += self._doors.restore(now)
        return (*effects, *self._standings.changed(), *self._standings.status(self._risks))

    def _handle(self, happened: Input, now: Instant) -> list[Effect]:
        match happened:
            case Observed(observation):
                self._observe(observation, now)
                return []
            case CredentialShown() | CodeUnread():
                return self._shown(happened, now)
            case TemperatureRead(reading):
                self._judge.thermal.read(reading)
                return []
            case RegistryChanged(registry):
                return self._enrolled(registry)
            case InputChanged(change):
                return self._doors.changed(change, now)
            case Commanded() | Forgiven() | NotCounted() | ClockTold() | TriedOut():
                return self._asked(happened, now)
            case FaultRaised() | FaultCleared():
                return self._fault(happened, now)
            case WalkTestBegun() | WalkTestHeld() | WalkTestEnded() | Tick():
                return [*self._walk_test.asked(happened, now)]
            case Stop():
                return [*self._doors.stop(now.monotonic_s), *self._walk_test.stop(now)]
            case _:  # pragma: no cover
                assert_never(happened)

    def _enrolled(self, registry: Registry) -> list[Effect]:
        # Whoever is forgotten is forgotten here too.
        gone = self._judge.registry.holders.keys() - registry.holders.keys()
        forgotten = [move for holder in sorted(gone) for move in self._passback.forget(holder)]
        self._judge.registry = registry
        for lane in self._lanes:
            # What was compared with the gallery before opens nothing by this one.
            lane.attempts.forget()
            lane.ruled_by(self._judge.ruling.rules)
        self._standings.tell_again()
        return [*forgotten]

    def _observe(self, observation: Observation, now: Instant) -> None:
        registry = self._judge.registry
        if observation.gallery_revision == registry.revision:
            registry = self._judge.registry = registry.told(observation.too_close)
        self._judge.thermal.observe(observation.camera, observation.track)
        self._signs.observed(observation, now.monotonic_s)
        for lane in self._lanes:
            if lane.settings.camera != observation.camera:
                continue
            if observation.track and observation.gallery_revision != registry.revision:
                lane.attempts.forget()  # compared with references that are no longer the gallery
            else:
                lane.attempts.observe(observation.track, registry, now.monotonic_s)
            self._judge.stage_ms[observation.camera] = dict(observation.stage_ms)

    def _shown(self, shown: CredentialShown | CodeUnread, now: Instant) -> list[Effect]:
        effects: list[Effect] = []
        if isinstance(shown, CodeUnread):
            self._signs.code_unread(shown.access_point, now.monotonic_s)
            return effects
        for lane in self._lanes:
            if lane.settings.access_point == shown.access_point:
                effects += self._judge.shown(lane, shown.presented, now)
        return effects

    def _asked(
        self, asked: Commanded | Forgiven | NotCounted | ClockTold | TriedOut, now: Instant
    ) -> list[Effect]:
        if isinstance(asked, TriedOut):
            return [Indicate(Indication(asked.access_point, asked.outcome))]
        if isinstance(asked, ClockTold):
            return self._time.told(asked)
        if isinstance(asked, Forgiven):
            data = {"holder": asked.holder, "by": asked.by}
            record = self._record(EventType.PASSBACK_FORGIVEN, now, data)
            return [*self._passback.forgive(asked.holder), record]
        if isinstance(asked, NotCounted) and asked.failed:
            self._judge.not_counted(asked.gate_pass)
        for lane in self._lanes:
            if lane.settings.access_point != asked.access_point:
                continue
            if isinstance(asked, NotCounted):
                return self._doors.not_counted(lane.settings, asked.passage, now)
            return self._doors.commanded(asked, lane.settings, now)
        return []

    def _fault(self, fault: FaultRaised | FaultCleared, now: Instant) -> list[Effect]:
        if isinstance(fault, FaultRaised):
            return self._raise_fault(fault.part, fault.detail, now)
        return self._clear_fault(fault.part, fault.by, now)

    def _raise_fault(self, part: Part, detail: str, now: Instant) -> list[Effect]:
        if not self._faults.latch(part, detail):
            return []  # latched already; securing a failed output again would only fail again
        effects: list[Effect] = []
        if self._judge.settings.degrade.blocks_door(part):
            effects += self._doors.failed(part, now)
        if part == PartKind.THERMOMETER.part():
            self._judge.thermal.failed()
        if part == STATE_LATCHES:
            effects += self._doors.withhold(now, on=True)
        data = {"part": part, "detail": detail}
        return [*effects, *self._latch(), self._record(EventType.FAULT_RAISED, now, data)]

    def _clear_fault(self, part: Part, by: str, now: Instant) -> list[Effect]:
        clearable = self._doors.clearable(part) and not (part == PART and self._time.doubtful)
        if part not in self._faults or not clearable:
            return []
        self._faults.clear(part)
        effects = self._doors.failed(part, now, cleared=True)
        if part == STATE_LATCHES:
            effects += self._doors.withhold(now, on=False)
        cleared = self._record(EventType.FAULT_CLEARED, now, {"part": part, "by": by})
        return [*effects, *self._latch(), cleared]

    def _latch(self) -> list[Effect]:
        return self._doors.latch(self._faults.lasting())

    def _learn(self, now: Instant, every_s: float = _LEARN_EVERY_S) -> list[Learn]:
        if self.baseline is self._learned or now.monotonic_s - self._learned_s < every_s:
            return []
        self._learned, self._learned_s = self.baseline, now.monotonic_s
        return [Learn(self.baseline)]

    def _reckon(self, now: Instant, every_s: float = _LEARN_EVERY_S) -> list[KeepBudgets]:
        """What faces alone risk: told by the minute, and kept at once where much of it was drawn.

        So a process that is killed forgets a thirtieth of what was left at most, each time.
        """
        lanes = {lane.settings.access_point: lane.attempts.false_grants for lane in self._lanes}
        left = {name: one.budget.left(now.monotonic_s) for name, one in lanes.items()}
        drawn = any(left[name] < _MUCH_LEFT * kept for name, kept in self._budgets.items())
        due = now.monotonic_s - self._reckoned_s >= every_s
        if due:
            self._reckoned_s = now.monotonic_s
            self._risks = {
                name: one.report(self._judge.registry, now.monotonic_s)
                for name, one in lanes.items()
            }
        if not drawn and not due:
            return []
        before, self._budgets = self._budgets, left
        return [KeepBudgets(left)] if before not in ({}, left) else []

    def _record(self, kind: EventType, now: Instant, data: Mapping[str, str | None]) -> Record:
        return Record(EventDraft(kind, now.utc, now.utc_trusted, None, data))


def _false_grants(settings: KioskSettings, access_point: str, memory: Memory) -> FalseGrants:
    """Each access point has its share: probing one leaves the others as they are.

    Where the file that kept them is not the one that was there, nothing is left at first.
    """
    share = settings.max_false_grants_per_day / max(len(settings.lanes), 1)
    lost = STATE_LATCHES in memory.state_faults
    budget = GrantBudget(share, 0.0 if lost else memory.budgets.get(access_point))
    return FalseGrants(access_point, budget)
