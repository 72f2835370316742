"""The access point as a state machine: what the output may do, whoever asks.

It belongs to one output: a door with its relay, or one direction of a turnstile.

    secured        at rest, the door closed as far as anybody can tell
    released       free for a passage: by a grant, the exit button, or a command
    open           opened in order; the time until it is an alarm runs
    held_open      open for too long: an alarm until it closes
    forced         opened without a release: an alarm until it closes
    locked_down    nothing opens it but fire and the way out
    free_passage   held released: fire, a schedule, or a command
    fault          the output failed

What lasts (fire, a latched fault, lockdown, free passage) is a condition: the strongest that holds
is entered whenever the door comes to rest, so an alarm or the way out may interrupt it, never undo
it. ``controller.door`` keeps conditions and timers; here is only what follows from what.

Total: every state answers every input. Only these move an output out of its rest:

    GRANT and REX   pulse it; GRANT never while locked down or in fault
    FREE, FIRE      hold it; FREE never while locked down or in fault

The way out is never refused here, and never depends on this: the wiring frees the door by itself.
The table is drawn in docs/access-point.md.
"""

from enum import StrEnum


class State(StrEnum):
    """Where the access point is; the value is the word in the status."""

    SECURED = "secured"
    RELEASED = "released"
    OPEN = "open"
    HELD_OPEN = "held_open"
    FORCED = "forced"
    LOCKED_DOWN = "locked_down"
    FREE_PASSAGE = "free_passage"
    FAULT = "fault"


class DoorInput(StrEnum):
    """What can happen to it."""

    GRANT = "grant"
    """A decision, or an operator, lets one person through."""
    REX = "rex"
    OPENED = "opened"
    CLOSED = "closed"
    USED_UP = "used_up"
    """As many have passed as were let through."""
    PULSE_ENDED = "pulse_ended"
    """The output was free for as long as it may; while it is held: say it again."""
    WINDOW_ENDED = "window_ended"
    """Nobody may use the release any more."""
    HELD_TOO_LONG = "held_too_long"
    LOCK_DOWN = "lock_down"
    FREE = "free"
    FIRE = "fire"
    RESUME_CLOSED = "resume_closed"
    """No condition holds any more, and the door is closed."""
    RESUME_OPEN = "resume_open"
    OUTPUT_FAILED = "output_failed"
    STOP = "stop"


class Output(StrEnum):
    """What the door is told."""

    NOTHING = "nothing"
    RELEASE = "release"
    HOLD = "hold"
    SECURE = "secure"


_Row = dict[DoorInput, tuple[State, Output]]
_KEEP, _RELEASE, _HOLD, _SECURE = Output.NOTHING, Output.RELEASE, Output.HOLD, Output.SECURE


def _row(state: State, **answers: tuple[State, Output]) -> _Row:
    """What all states answer alike, and ``answers`` where this one differs."""
    alike: _Row = {
        DoorInput.GRANT: (state, _RELEASE),
        DoorInput.REX: (state, _RELEASE),
        DoorInput.OPENED: (state, _KEEP),
        DoorInput.CLOSED: (state, _KEEP),
        DoorInput.USED_UP: (state, _SECURE),
        DoorInput.PULSE_ENDED: (state, _SECURE),
        DoorInput.WINDOW_ENDED: (state, _KEEP),
        DoorInput.HELD_TOO_LONG: (state, _KEEP),
        DoorInput.LOCK_DOWN: (State.LOCKED_DOWN, _SECURE),
        DoorInput.FREE: (State.FREE_PASSAGE, _HOLD),
        DoorInput.FIRE: (State.FREE_PASSAGE, _HOLD),
        DoorInput.RESUME_CLOSED: (State.SECURED, _SECURE),
        DoorInput.RESUME_OPEN: (State.OPEN, _SECURE),
        DoorInput.OUTPUT_FAILED: (State.FAULT, _SECURE),
        DoorInput.STOP: (State.SECURED, _SECURE),
    }
    return alike | {DoorInput[name.upper()]: answer for name, answer in answers.items()}


def _alarm(state: State) -> _Row:
    """An alarm lasts until the door closes; conditions wait for that, but for those that free."""
    return _row(
        state,
        closed=(State.SECURED, _SECURE),
        lock_down=(state, _SECURE),
        resume_open=(state, _SECURE),
        output_failed=(state, _SECURE),
    )


_ROWS: dict[State, _Row] = {
    State.SECURED: _row(
        State.SECURED,
        grant=(State.RELEASED, _RELEASE),
        rex=(State.RELEASED, _RELEASE),
        opened=(State.FORCED, _SECURE),
    ),
    State.RELEASED: _row(
        State.RELEASED,
        opened=(State.OPEN, _KEEP),
        used_up=(State.SECURED, _SECURE),
        window_ended=(State.SECURED, _SECURE),
    ),
    State.OPEN: _row(
        State.OPEN,
        closed=(State.SECURED, _SECURE),
        held_too_long=(State.HELD_OPEN, _SECURE),
    ),
    State.HELD_OPEN: _alarm(State.HELD_OPEN),
    State.FORCED: _alarm(State.FORCED),
    State.LOCKED_DOWN: _row(
        State.LOCKED_DOWN,
        grant=(State.LOCKED_DOWN, _KEEP),
        rex=(State.RELEASED, _RELEASE),
        opened=(State.FORCED, _SECURE),
        held_too_long=(State.HELD_OPEN, _SECURE),
        free=(State.LOCKED_DOWN, _KEEP),
        stop=(State.LOCKED_DOWN, _SECURE),
    ),
    State.FREE_PASSAGE: _row(
        State.FREE_PASSAGE,
        grant=(State.FREE_PASSAGE, _KEEP),
        rex=(State.FREE_PASSAGE, _KEEP),
        used_up=(State.FREE_PASSAGE, _KEEP),
        pulse_ended=(State.FREE_PASSAGE, _HOLD),
    ),
    State.FAULT: _row(
        State.FAULT,
        grant=(State.FAULT, _KEEP),
        rex=(State.RELEASED, _RELEASE),
        opened=(State.FORCED, _SECURE),
        held_too_long=(State.HELD_OPEN, _SECURE),
        lock_down=(State.FAULT, _SECURE),
        free=(State.FAULT, _KEEP),
        fire=(State.FAULT, _HOLD),
        stop=(State.FAULT, _SECURE),
    ),
}

TABLE: dict[tuple[State, DoorInput], tuple[State, Output]] = {
    (state, happened): answer for state, row in _ROWS.items() for happened, answer in row.items()
}
ALARMS = frozenset({State.HELD_OPEN, State.FORCED})


def step(state: State, happened: DoorInput) -> tuple[State, Output]:
    """The next state, and what the door is told on the way there."""
    return TABLE[state, happened]
