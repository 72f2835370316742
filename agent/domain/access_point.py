"""The access point as a state machine: what the output may do, whoever asks.

    state      GRANT            PULSE_ENDED      OUTPUT_FAILED    FAULT_CLEARED    STOP
    secured    released,release secured          fault,secure     secured          secured,secure
    released   released,release secured,secure   fault,secure     released         secured,secure
    fault      fault            fault,secure     fault,secure     secured,secure   fault,secure

Total: every state answers every input, and nothing but GRANT releases. A fault latches: it denies
until somebody clears it.
"""

from enum import StrEnum


class State(StrEnum):
    """Where the access point is."""

    SECURED = "secured"
    RELEASED = "released"
    FAULT = "fault"


class Input(StrEnum):
    """What can happen to it."""

    GRANT = "grant"
    PULSE_ENDED = "pulse_ended"
    OUTPUT_FAILED = "output_failed"
    FAULT_CLEARED = "fault_cleared"
    STOP = "stop"


class Output(StrEnum):
    """What the door is told."""

    NOTHING = "nothing"
    RELEASE = "release"
    SECURE = "secure"


_SECURED, _RELEASED, _FAULT = State.SECURED, State.RELEASED, State.FAULT

TABLE: dict[tuple[State, Input], tuple[State, Output]] = {
    (_SECURED, Input.GRANT): (_RELEASED, Output.RELEASE),
    (_SECURED, Input.PULSE_ENDED): (_SECURED, Output.NOTHING),
    (_SECURED, Input.OUTPUT_FAILED): (_FAULT, Output.SECURE),
    (_SECURED, Input.FAULT_CLEARED): (_SECURED, Output.NOTHING),
    (_SECURED, Input.STOP): (_SECURED, Output.SECURE),
    (_RELEASED, Input.GRANT): (_RELEASED, Output.RELEASE),
    (_RELEASED, Input.PULSE_ENDED): (_SECURED, Output.SECURE),
    (_RELEASED, Input.OUTPUT_FAILED): (_FAULT, Output.SECURE),
    (_RELEASED, Input.FAULT_CLEARED): (_RELEASED, Output.NOTHING),
    (_RELEASED, Input.STOP): (_SECURED, Output.SECURE),
    (_FAULT, Input.GRANT): (_FAULT, Output.NOTHING),
    (_FAULT, Input.PULSE_ENDED): (_FAULT, Output.SECURE),
    (_FAULT, Input.OUTPUT_FAILED): (_FAULT, Output.SECURE),
    (_FAULT, Input.FAULT_CLEARED): (_SECURED, Output.SECURE),
    (_FAULT, Input.STOP): (_FAULT, Output.SECURE),
}


def step(state: State, happened: Input) -> tuple[State, Output]:
    """The next state, and what the door is told on the way there."""
    return TABLE[state, happened]
