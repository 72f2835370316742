"""One output and the door behind it: conditions, timers and passages around the state table.

Conditions, the strongest first; what the table enters when the door comes to rest:

    fire > fault > no file to go by > mode by command > mode by schedule

Passages: each release lets one person through, a ``Passage``, for as long as the window is open.

    what is there              a passage is used by              the window ends
    door contact               the door opening (all waiting)    unused ones are not taken
    passage sensor             one rotation, the oldest first    unused ones are not taken
    neither                    nobody can tell                   nothing is said

A rotation that no passage waits for is tailgating. What happened beside effects is handed over as
notes: events are the kiosk's to make.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from agent.controller.effects import Effect, Hold, Release, Secure
from agent.domain.credential.holder import HolderId
from agent.domain.door.access_point import ALARMS, DoorInput, Output, State, step
from agent.domain.door.door_mode import Cause, Mode
from agent.domain.hours.schedule import Schedule

_MOST_WAITING = 16
_FEEDBACK_S = 0.5
_RENEWALS = 3.0
"""A held output is renewed so often within its maximum: one that comes late opens no gap."""


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """One output as the controller knows it; all times in seconds.

    ``window_s`` is how long a release may be used, None for as long as its pulse. ``contact``,
    ``passage_sensor`` and ``feedback`` say what is wired. The schedules open it, or lock it down.
    """

    door: str
    pulse_s: float = 3.0
    max_pulse_s: float = 10.0
    window_s: float | None = None
    held_open_s: float = 30.0
    contact: bool = False
    passage_sensor: bool = False
    feedback: bool = False
    free_passage: Schedule | None = None
    lockdown: Schedule | None = None

    @property
    def monitored(self) -> bool:
        """Whether anybody can tell if a release was used."""
        return self.contact or self.passage_sensor


@dataclass(frozen=True, slots=True)
class Passage:
    """One person who was let through at an access point; no holder by REX or command.

    ``id`` is its own among those of a process: what is taken back or not taken is this one, whoever
    was let through since.
    """

    access_point: str
    direction: str
    holder: HolderId | None = None
    granted: bool = False
    id: int = 0


class Happened(Enum):
    """What a door has to say beside its effects."""

    TAKEN = auto()
    NOT_TAKEN = auto()
    TAILGATED = auto()
    FORCED = auto()
    HELD_OPEN = auto()
    ALARM_OVER = auto()


@dataclass(frozen=True, slots=True)
class Note:
    """Something happened at the door; ``passage`` whose, where it is somebody's."""

    what: Happened
    passage: Passage | None = None


class DoorControl:
    """The state of one output; every method answers with effects and touches nothing."""

    def __init__(self, settings: DoorSettings) -> None:
        self.settings = settings
        self.state = State.SECURED
        self.commanded: Mode | None = None
        self.scheduled: Mode | None = None
        self.withheld = False
        """Nobody knows which mode held last: locked down, whatever is commanded or scheduled."""
        self.fire = False
        self._failures: set[str] = set()
        self._is_open = False
        self._fed_back = False
        self._waiting: deque[Passage] = deque()
        self._notes: list[Note] = []
        self._free_since_s: float | None = None
        self._secure_at_s: float | None = None
        self._window_ends_s: float | None = None
        self._held_at_s: float | None = None
        self._feedback_due_s: float | None = None

    @property
    def mode(self) -> Mode:
        """What lasts here by command or schedule; a command is the stronger."""
        if self.withheld:
            return Mode.LOCKED_DOWN
        return self.commanded or self.scheduled or Mode.NORMAL

    @property
    def cause(self) -> Cause | None:
        """What keeps it from being an ordinary door; None where nothing does."""
        if self.fire:
            return Cause.FIRE
        if self.withheld:
            return Cause.STATE
        if self.commanded:
            return Cause.COMMAND
        return Cause.SCHEDULE if self.scheduled else None

    @property
    def deadline_s(self) -> float | None:
        """When ``tick`` is due next, on the monotonic clock."""
        moments = (
            self._secure_at_s,
            self._window_ends_s,
            self._held_at_s,
            self._feedback_due_s,
        )
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def lets_in(self) -> bool:
        """Whether a grant or an operator may let anybody through; an alarm may hide that none may.

        The state says so only where neither an alarm nor the way out stands in its place.
        """
        return self._strongest not in _ADMITS_NOBODY

    def notes(self) -> list[Note]:
        """What happened since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def release(self, passage: Passage, now_s: float) -> list[Effect]:
        """Let one person through, by a grant or an operator; never in a lockdown or fault."""
        if not self.lets_in:
            return []
        return self._let(DoorInput.GRANT, passage, now_s)

    def waits_for(self, passage: int) -> bool:
        """Whether the passage of this id may still be used."""
        return any(one.id == passage for one in self._waiting)

    def take_back(self, passage: int, now_s: float) -> list[Effect]:
        """The release for the passage of this id was not carried out; no other is touched."""
        if not self.waits_for(passage):
            return []
        self._waiting = deque(one for one in self._waiting if one.id != passage)
        if self._waiting or self.state is not State.RELEASED:
            return []
        self._window_ends_s = None
        return self._apply(DoorInput.WINDOW_ENDED, now_s)

    def rex(self, passage: Passage, now_s: float) -> list[Effect]:
        """Somebody inside wants to leave; never refused."""
        return self._let(DoorInput.REX, passage, now_s)

    def contact(
        self, now_s: float, *, is_open: bool, initial: bool = False, beside: bool = False
    ) -> list[Effect]:
        """The door opened or closed; how it was found at the start is no alarm.

        ``beside``: another output of the same gate let it open, so nobody forced it.
        """
        self._is_open = is_open
        self._held_at_s = now_s + self.settings.held_open_s if is_open else None
        if not is_open:
            return self._apply(DoorInput.CLOSED, now_s)
        if not self.settings.passage_sensor:
            while self._waiting:
                self._note(Happened.TAKEN, self._waiting.popleft())
        at_rest = self.state is State.SECURED
        if (initial and at_rest) or (beside and (at_rest or self.state is State.LOCKED_DOWN)):
            return self._apply(DoorInput.RESUME_OPEN, now_s)
        return self._apply(DoorInput.OPENED, now_s)

    def passed(self, now_s: float) -> list[Effect]:
        """One person went through."""
        if not self._waiting:
            if self.state is not State.FREE_PASSAGE:
                self._note(Happened.TAILGATED)
            return self._apply(DoorInput.USED_UP, now_s)
        self._note(Happened.TAKEN, self._waiting.popleft())
        # A turnstile wants a pulse for each of them.
        return self._apply(DoorInput.GRANT if self._waiting else DoorInput.USED_UP, now_s)

    def feedback(self, now_s: float, *, active: bool) -> None:
        """The relay's own contact says whether it releases."""
        self._fed_back = active
        if self._feedback_due_s is None and active is not self._free:
            self._feedback_due_s = now_s + _FEEDBACK_S

    def set_conditions(
        self,
        now_s: float,
        *,
        fire: bool | None = None,
        failed: str | None = None,
        mended: str | None = None,
    ) -> list[Effect]:
        """Fire or a fault of the output begins or ends; None leaves it.

        An output may fail in two ways, each by its part: it works again once neither is left.
        """
        before = self._strongest
        self.fire = self.fire if fire is None else fire
        if failed is not None:
            self._failures.add(failed)
        self._failures -= {mended}
        if failed is not None and not self.fire:
            # Said again even where it is known: whatever the output did, it rests now.
            return self._apply(DoorInput.OUTPUT_FAILED, now_s)
        return self._changed(before, now_s)

    def set_modes(
        self, commanded: Mode | None, scheduled: Mode | None, now_s: float
    ) -> list[Effect]:
        """Lockdown or free passage begins or ends."""
        before = self._strongest
        self.commanded, self.scheduled = commanded, scheduled
        return self._changed(before, now_s)

    def withhold(self, now_s: float, *, on: bool) -> list[Effect]:
        """The latched modes cannot be relied on, or somebody says that they can again."""
        before = self._strongest
        self.withheld = on
        return self._changed(before, now_s)

    def stop(self, now_s: float) -> list[Effect]:
        """The agent ends."""
        self.state, output = step(self.state, DoorInput.STOP)
        return self._command(output, now_s)

    def tick(self, now_s: float) -> list[Effect]:
        """End what has lasted long enough."""
        effects: list[Effect] = []
        window_over = self._window_ends_s is not None and now_s >= self._window_ends_s
        pulse_over = self._secure_at_s is not None and now_s >= self._secure_at_s
        # The end of the window secures as well.
        if pulse_over and not (window_over and self.state is State.RELEASED):
            effects += self._apply(DoorInput.PULSE_ENDED, now_s)
        if window_over:
            self._window_ends_s = None
            self._forget_waiting()
            effects += self._apply(DoorInput.WINDOW_ENDED, now_s)
        if self._held_at_s is not None and now_s >= self._held_at_s:
            self._held_at_s = None
            effects += self._apply(DoorInput.HELD_TOO_LONG, now_s)
        return effects

    def feedback_fault(self, now_s: float) -> str | None:
        """What the relay's contact gives away, once it has had the time to follow."""
        if self._feedback_due_s is None or now_s < self._feedback_due_s:
            return None
        self._feedback_due_s = None
        if not self.settings.feedback or self._fed_back is self._free:
            return None
        return "the relay does not follow" if self._free else "the relay stays released"

    def _let(self, by: DoorInput, passage: Passage, now_s: float) -> list[Effect]:
        effects = self._apply(by, now_s)
        if not any(isinstance(effect, Release) for effect in effects):
            return effects  # refused, or free for everybody
        window_s = self.settings.window_s
        if window_s is None:
            self._window_ends_s = self._secure_at_s
        else:
            self._window_ends_s = now_s + max(window_s, self.settings.pulse_s)
        if self._is_open:
            self._held_at_s = now_s + self.settings.held_open_s
            if not self.settings.passage_sensor:
                self._note(Happened.TAKEN, passage)
                return effects
        if len(self._waiting) == _MOST_WAITING:
            self._note(Happened.NOT_TAKEN, self._waiting.popleft())
        self._waiting.append(passage)
        return effects

    def _changed(self, before: DoorInput | None, now_s: float) -> list[Effect]:
        strongest = self._strongest
        if strongest is before:
            return []
        effects: list[Effect] = []
        # An alarm, or somebody on the way out, is interrupted by no end of a condition.
        if before is not None and self.state is _ENTERS[before]:
            resume = DoorInput.RESUME_OPEN if self._is_open else DoorInput.RESUME_CLOSED
            effects += self._apply(resume, now_s)
        if strongest is not None and self.state is not _ENTERS[strongest]:
            effects += self._apply(strongest, now_s)
        return effects

    def _apply(self, happened: DoorInput, now_s: float) -> list[Effect]:
        """Walk the table, and enter what lasts where the door has come to rest."""
        before = self.state
        self.state, output = step(before, happened)
        effects = self._command(output, now_s)
        if self.state is State.SECURED and (strongest := self._strongest) is not None:
            self.state, output = step(self.state, strongest)
            effects += self._command(output, now_s)
        self._tell_alarm(before)
        if self.state is State.OPEN and before is not State.OPEN and self._held_at_s is None:
            self._held_at_s = now_s + self.settings.held_open_s
        # Also where an alarm hides it: who was let in before must not open it any more.
        if self.state in _ENDS_PASSAGES or happened in _ADMITS_NOBODY:
            self._window_ends_s = None
            self._forget_waiting()
        return effects

    def _command(self, output: Output, now_s: float) -> list[Effect]:
        settings = self.settings
        was_free = self._free
        effect: Effect
        match output:
            case Output.NOTHING:
                return []
            case Output.RELEASE:
                if self._free_since_s is None:
                    self._free_since_s = now_s
                # However many releases follow each other, the output rests at its maximum.
                longest_s = self._free_since_s + settings.max_pulse_s
                self._secure_at_s = min(now_s + settings.pulse_s, longest_s)
                effect = Release(settings.door, max(self._secure_at_s - now_s, 0.0))
            case Output.HOLD:
                self._free_since_s = now_s
                self._secure_at_s = now_s + settings.max_pulse_s / _RENEWALS
                effect = Hold(settings.door, settings.max_pulse_s)
            case Output.SECURE:
                self._free_since_s = self._secure_at_s = None
                effect = Secure(settings.door)
        if settings.feedback and self._free is not was_free:
            self._feedback_due_s = now_s + _FEEDBACK_S
        return [effect]

    def _forget_waiting(self) -> None:
        while self._waiting:
            self._note(Happened.NOT_TAKEN, self._waiting.popleft())

    def _tell_alarm(self, before: State) -> None:
        if self.state is before:
            return
        if self.state is State.FORCED:
            self._note(Happened.FORCED)
        elif self.state is State.HELD_OPEN:
            self._note(Happened.HELD_OPEN)
        elif before in ALARMS:
            self._note(Happened.ALARM_OVER)

    def _note(self, what: Happened, passage: Passage | None = None) -> None:
        self._notes.append(Note(what, passage))

    @property
    def _free(self) -> bool:
        return self._free_since_s is not None

    @property
    def _strongest(self) -> DoorInput | None:
        if self.fire:
            return DoorInput.FIRE
        if self._failures:
            return DoorInput.OUTPUT_FAILED
        return _BY_MODE[self.mode]


_BY_MODE = {
    Mode.NORMAL: None,
    Mode.LOCKED_DOWN: DoorInput.LOCK_DOWN,
    Mode.FREE_PASSAGE: DoorInput.FREE,
}
_ENTERS = {
    DoorInput.FIRE: State.FREE_PASSAGE,
    DoorInput.FREE: State.FREE_PASSAGE,
    DoorInput.LOCK_DOWN: State.LOCKED_DOWN,
    DoorInput.OUTPUT_FAILED: State.FAULT,
}
_ADMITS_NOBODY = frozenset({DoorInput.OUTPUT_FAILED, DoorInput.LOCK_DOWN})
_ENDS_PASSAGES = frozenset({State.SECURED, State.LOCKED_DOWN, State.FAULT})
