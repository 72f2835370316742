"""All doors of a kiosk: what is wired to them, what operators and schedules want, and its events.

    contact, passage, feedback --> their door          REX --> the door, never refused
    fire --> its door, or all of them                  tamper --> a fault that a person clears
    duress --> an event, and nothing that anybody sees

A release is recorded before the output moves; a mode is written down (``Latch``) before that.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from agent.controller.door import DoorControl, DoorSettings, Happened, Note, Passage
from agent.controller.effects import Effect, Latch, Record
from agent.controller.ends import Ends
from agent.controller.inputs import Commanded
from agent.controller.lane import LaneSettings
from agent.controller.passback import Passback
from agent.domain.access.part import Part, PartKind
from agent.domain.credential.holder import HolderId
from agent.domain.door.access_point import DoorInput, Output, State, step
from agent.domain.door.door_mode import Cause, Command, DoorLatch, Latches, Mode
from agent.domain.door.signal import InputChange, Signal, Wiring
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.record.events import EventDraft, EventType

_SCHEDULE_EVERY_S = 1.0
_LETS_OPEN = frozenset({State.RELEASED, State.OPEN, State.FREE_PASSAGE})
_NOTED = {
    Happened.TAILGATED: EventType.DOOR_TAILGATED,
    Happened.FORCED: EventType.DOOR_FORCED,
    Happened.HELD_OPEN: EventType.DOOR_HELD_OPEN,
    Happened.ALARM_OVER: EventType.DOOR_ALARM_OVER,
}
_COMMANDED = {
    Command.LOCK_DOWN: Mode.LOCKED_DOWN,
    Command.FREE_PASSAGE: Mode.FREE_PASSAGE,
    Command.RESUME: None,
}


class Doors:
    """The doors by the name of their output."""

    def __init__(
        self,
        settings: Iterable[DoorSettings],
        lanes: Sequence[LaneSettings],
        wirings: Sequence[Wiring],
        passback: Passback,
        latches: Latches,
    ) -> None:
        self._doors = {one.door: DoorControl(one) for one in settings}
        self._lanes = lanes
        self._wirings = wirings
        self._passback = passback
        self._active: set[str] = set()
        self._restored = latches
        self._latches = latches
        self._ends = Ends(passback.boot_id, latches.doors)
        self._next_look_s = float("-inf")
        self._trouble: list[tuple[Part, str]] = []
        self._passages = count(1)

    def __getitem__(self, name: str) -> DoorControl:
        return self._doors[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Every output."""
        return tuple(self._doors)

    @property
    def deadline_s(self) -> float | None:
        """When a door's ``tick`` is due next."""
        moments = [door.deadline_s for door in self._doors.values()]
        return min((moment for moment in moments if moment is not None), default=None)

    def trouble(self) -> list[tuple[Part, str]]:
        """Faults found since the last call: the part, and what is wrong with it."""
        trouble, self._trouble = self._trouble, []
        return trouble

    def restore(self, now: Instant) -> list[Effect]:
        """Enter the modes that held when the last agent ended; free passage by schedule waits."""
        effects: list[Effect] = []
        for name, door in self._doors.items():
            was = self._restored.doors.get(name, DoorLatch())
            commanded = was.commanded
            if (over := self._ends.over(name, now)) is not False:
                # Over, or nobody knows: it waits for the hour as one by schedule does.
                commanded = None
                if over:
                    self._ends.forget(name)
            locked = was.scheduled is Mode.LOCKED_DOWN and door.settings.lockdown is not None
            scheduled = Mode.LOCKED_DOWN if locked else None
            effects += self._set_modes(door, commanded, scheduled, now, Cause.RESTART, "agent")
        # Written once for all: door by door, the file would lack the modes of those still to come.
        self._latches = self._restored
        moves = [effect for effect in effects if not isinstance(effect, Latch)]
        return [*self.latch(self._restored.faults), *moves]

    def changed(self, change: InputChange, now: Instant) -> list[Effect]:
        """What follows from a contact or button."""
        if change.active:
            self._active.add(change.input)
        else:
            self._active.discard(change.input)
        effects: list[Effect] = []
        for wiring in self._wirings:
            if wiring.input != change.input:
                continue
            if wiring.signal is Signal.TAMPER and change.active:
                self._trouble.append((PartKind.TAMPER.part(wiring.input), "the housing is open"))
            for name, door in self._doors.items():
                if wiring.door in (None, name):
                    effects += self._signalled(wiring.signal, door, change, now)
                    effects += self._told(door, now)
        return effects

    def commanded(self, asked: Commanded, lane: LaneSettings, now: Instant) -> list[Effect]:
        """What an operator asks for; a release is refused while the door is not in order."""
        door = self._doors[lane.door]
        if asked.command is not Command.RELEASE:
            self._ends.forget(lane.door)
            if asked.command is Command.FREE_PASSAGE and asked.for_s is not None:
                self._ends.begin(lane.door, asked.for_s, now)
            wanted = _COMMANDED[asked.command]
            effects = self._set_modes(door, wanted, door.scheduled, now, Cause.COMMAND, asked.by)
            # The mode may stay, and its end be another.
            effects = effects or self.latch(self._latches.faults)
        else:
            passage = self.passage(lane)
            effects = self._released(door, passage, now, Cause.COMMAND, asked.by, asked.reason)
        return effects + self._told(door, now)

    def passage(
        self, lane: LaneSettings | None, holder: HolderId | None = None, *, granted: bool = False
    ) -> Passage:
        """One person who goes through at ``lane``, or at none that has a name."""
        point, direction = (lane.access_point, lane.direction) if lane else ("", "")
        return Passage(point, direction, holder, granted, next(self._passages))

    def not_counted(self, lane: LaneSettings, passage: int, now: Instant) -> list[Effect]:
        """The grant of this passage was not carried out: nobody is let through by it."""
        self._passback.take_back(passage)
        return self._doors[lane.door].take_back(passage, now.monotonic_s)

    def failed(self, part: Part, now: Instant, *, cleared: bool = False) -> list[Effect]:
        """The part ``door:NAME`` or ``feedback:NAME`` failed, or works again."""
        effects: list[Effect] = []
        for name, door in self._doors.items():
            if part in (PartKind.DOOR.part(name), PartKind.FEEDBACK.part(name)):
                effects += door.set_conditions(
                    now.monotonic_s,
                    failed=None if cleared else part,
                    mended=part if cleared else None,
                )
                effects += self._told(door, now)
        return effects

    def withhold(self, now: Instant, *, on: bool) -> list[Effect]:
        """The file of the modes cannot be relied on: every door is locked down until it can."""
        effects: list[Effect] = []
        cause = Cause.STATE if on else Cause.RESTART
        for door in self._doors.values():
            before = door.mode
            moves = door.withhold(now.monotonic_s, on=on)
            effects += moves
            if door.mode is not before:
                data = {"mode": door.mode.value, "cause": cause.value, "by": "agent"}
                effects.append(self._event(EventType.DOOR_MODE_CHANGED, door, now, data))
            effects += self._told(door, now)
        return effects

    def clearable(self, part: Part) -> bool:
        """Whether what made this fault has gone, as far as the inputs tell."""
        return part not in {PartKind.TAMPER.part(name) for name in self._active}

    def tick(self, now: Instant) -> list[Effect]:
        """What is due at any door, and what the schedules say at this hour."""
        effects: list[Effect] = []
        look = now.monotonic_s >= self._next_look_s
        if look:
            self._next_look_s = now.monotonic_s + _SCHEDULE_EVERY_S
        for name, door in self._doors.items():
            if look:
                scheduled = self._scheduled(door, now)
                effects += self._ended(name, door, now)
                effects += self._set_modes(
                    door, door.commanded, scheduled, now, Cause.SCHEDULE, "agent"
                )
            effects += door.tick(now.monotonic_s)
            wrong = door.feedback_fault(now.monotonic_s)
            if wrong is not None:
                self._trouble.append((PartKind.FEEDBACK.part(name), wrong))
            effects += self._told(door, now)
        return effects

    def latch(self, faults: Mapping[str, str]) -> list[Effect]:
        """Write down what must survive, where it differs from what is written."""
        doors = {
            name: DoorLatch(
                door.commanded or (Mode.FREE_PASSAGE if self._ends.of(name) else None),
                door.scheduled,
                self._ends.of(name),
            )
            for name, door in self._doors.items()
            if door.commanded or door.scheduled or self._ends.of(name)
        }
        latches = Latches(doors, dict(faults))
        if latches == self._latches:
            return []
        self._latches = latches
        return [Latch(latches)]

    def stop(self, now_s: float) -> list[Effect]:
        """The agent ends: every output rests."""
        return [effect for door in self._doors.values() for effect in door.stop(now_s)]

    def granted(self, name: str, passage: Passage, now: Instant) -> list[Effect]:
        """A decision lets somebody through; whether they went is told later, where it can be.

        Until then they count as inside: the same credential does not let a second person in.
        """
        door = self._doors[name]
        counted = not door.settings.monitored and door.state is not State.FREE_PASSAGE
        moved = self._moved(passage, now) if counted else []
        if door.settings.monitored and passage.holder is not None:
            self._passback.reserve(passage.id, passage.holder, self._lane(passage))
        effects = [*moved, *door.release(passage, now.monotonic_s), *self._told(door, now)]
        if not door.waits_for(passage.id):
            self._passback.give_back(passage.id)  # free for everybody, refused, or through already
        return effects

    def _ended(self, name: str, door: DoorControl, now: Instant) -> list[Effect]:
        """What follows from the end of a free passage that was commanded for a while."""
        if self._ends.of(name) is None:
            return []
        if self._ends.over(name, now):
            self._ends.forget(name)
            ended = self._set_modes(door, None, door.scheduled, now, Cause.ENDED, "agent")
            return ended or self.latch(self._latches.faults)
        if self._ends.over(name, now) is False and door.commanded is None:
            free = Mode.FREE_PASSAGE
            return self._set_modes(door, free, door.scheduled, now, Cause.RESTART, "agent")
        return []

    def _signalled(
        self, signal: Signal, door: DoorControl, change: InputChange, now: Instant
    ) -> list[Effect]:
        now_s, active = now.monotonic_s, change.active
        match signal:
            case Signal.CONTACT:
                beside = active and self._opened_beside(door, change.input)
                return door.contact(now_s, is_open=active, initial=change.initial, beside=beside)
            case Signal.FEEDBACK:
                door.feedback(now_s, active=active)
            case Signal.PASSAGE if active and not change.initial:
                return door.passed(now_s)
            case Signal.REX if active and not change.initial:
                passage = self.passage(self._lane_out(door))
                return self._released(door, passage, now, Cause.REX, "agent")
            case Signal.FIRE:
                return self._fire(door, now, active=active)
            case Signal.DURESS if active and not change.initial:
                return [self._event(EventType.DURESS_SIGNALLED, door, now)]
            case _:
                pass
        return []

    def _opened_beside(self, door: DoorControl, contact: str) -> bool:
        """Whether another output of the same gate let it open: one contact, two directions."""
        return any(
            self._doors[wiring.door].state in _LETS_OPEN
            for wiring in self._wirings
            if (wiring.input, wiring.signal) == (contact, Signal.CONTACT)
            and wiring.door not in (None, door.settings.door)
            and wiring.door in self._doors
        )

    def _released(
        self,
        door: DoorControl,
        passage: Passage,
        now: Instant,
        cause: Cause,
        by: str,
        reason: str | None = None,
    ) -> list[Effect]:
        happened = DoorInput.REX if cause is Cause.REX else DoorInput.GRANT
        if cause is Cause.COMMAND and not door.lets_in:
            return []
        if step(door.state, happened)[1] is not Output.RELEASE:
            return []  # free already, or out of order
        data = {"cause": cause.value, "by": by} | ({} if reason is None else {"reason": reason})
        record = self._event(EventType.DOOR_RELEASED, door, now, data, passage.access_point)
        let = door.rex if cause is Cause.REX else door.release
        return [record, *let(passage, now.monotonic_s)]

    def _fire(self, door: DoorControl, now: Instant, *, active: bool) -> list[Effect]:
        """Each of several fire inputs keeps the door free by itself."""
        active = active or any(
            wiring.signal is Signal.FIRE and wiring.door in (None, door.settings.door)
            for wiring in self._wirings
            if wiring.input in self._active
        )
        if active is door.fire:
            return []
        mode = Mode.FREE_PASSAGE if active else door.mode
        data = {"mode": mode.value, "cause": Cause.FIRE.value, "by": "agent"}
        record = self._event(EventType.DOOR_MODE_CHANGED, door, now, data)
        return [record, *door.set_conditions(now.monotonic_s, fire=active)]

    def _set_modes(
        self,
        door: DoorControl,
        commanded: Mode | None,
        scheduled: Mode | None,
        now: Instant,
        cause: Cause,
        by: str,
    ) -> list[Effect]:
        if (commanded, scheduled) == (door.commanded, door.scheduled):
            return []
        before = door.mode
        moves = door.set_modes(commanded, scheduled, now.monotonic_s)
        latch = self.latch(self._latches.faults)
        if door.mode is before:
            return [*latch, *moves]
        data = {"mode": door.mode.value, "cause": cause.value, "by": by}
        end = self._ends.of(door.settings.door)
        if end is not None and door.commanded is Mode.FREE_PASSAGE:
            data["until"] = utc_text(end.utc)
        record = self._event(EventType.DOOR_MODE_CHANGED, door, now, data)
        if door.mode is Mode.LOCKED_DOWN:
            return [*moves, *latch, record]  # no disk keeps a door open
        return [*latch, record, *moves]

    def _scheduled(self, door: DoorControl, now: Instant) -> Mode | None:
        """By the hour; while that is not known a lockdown stays as it was, and nothing is free."""
        settings = door.settings
        if not now.utc_trusted:
            return door.scheduled if door.scheduled is Mode.LOCKED_DOWN else None
        if settings.lockdown is not None and settings.lockdown.holds(now.utc):
            return Mode.LOCKED_DOWN
        if settings.free_passage is not None and settings.free_passage.holds(now.utc):
            return Mode.FREE_PASSAGE
        return None

    def _told(self, door: DoorControl, now: Instant) -> list[Effect]:
        """The events of what happened at the door."""
        effects: list[Effect] = []
        for note in door.notes():
            if note.passage is None:
                effects.append(self._event(_NOTED[note.what], door, now))
            elif note.passage.granted and door.settings.monitored:
                effects += self._passage_over(door, note, note.passage, now)
        return effects

    def _passage_over(
        self, door: DoorControl, note: Note, passage: Passage, now: Instant
    ) -> list[Effect]:
        taken = note.what is Happened.TAKEN
        kind = EventType.ACCESS_TAKEN if taken else EventType.ACCESS_NOT_TAKEN
        data = {"holder": passage.holder, "direction": passage.direction}
        event = self._event(kind, door, now, data, passage.access_point)
        theirs = self._passback.give_back(passage.id)
        return [event, *(self._moved(passage, now) if taken and theirs else [])]

    def _moved(self, passage: Passage, now: Instant) -> list[Effect]:
        if passage.holder is None:
            return []
        return [*self._passback.move(passage.holder, self._lane(passage), now, passage.id)]

    def _lane(self, passage: Passage) -> LaneSettings:
        return next(one for one in self._lanes if one.access_point == passage.access_point)

    def _lane_out(self, door: DoorControl) -> LaneSettings | None:
        """Through which of the door's access points somebody leaves."""
        here = [lane for lane in self._lanes if lane.door == door.settings.door]
        out = [lane for lane in here if lane.direction == "exit"]
        return next(iter(out or here), None)

    def _event(
        self,
        kind: EventType,
        door: DoorControl,
        now: Instant,
        data: Mapping[str, str | None] | None = None,
        access_point: str | None = None,
    ) -> Record:
        name = door.settings.door
        if access_point is None:
            here = (lane.access_point for lane in self._lanes if lane.door == name)
            access_point = next(here, None)
        whole = {"door": name, **(data or {})}
        return Record(EventDraft(kind, now.utc, now.utc_trusted, access_point or None, whole))
