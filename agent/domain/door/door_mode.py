"""What lasts at a door until somebody, or the hour, ends it; it outlives the agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Mode(StrEnum):
    """What a door is in, whoever stands before it; the value is the word in the status."""

    NORMAL = "normal"
    LOCKED_DOWN = "locked_down"
    FREE_PASSAGE = "free_passage"


class Cause(StrEnum):
    """What a door's mode or release comes from."""

    COMMAND = "command"
    SCHEDULE = "schedule"
    FIRE = "fire"
    REX = "rex"
    RESTART = "restart"
    """A mode from before the agent's start, entered again."""
    STATE = "state"
    """Nobody knows which mode held: the file that says so is missing, older or another's."""
    ENDED = "ended"
    """The time for which a free passage was commanded is over."""


class Command(StrEnum):
    """What an operator may ask of a door; the value is the word on the control socket."""

    LOCK_DOWN = "lockdown"
    FREE_PASSAGE = "free-passage"
    RESUME = "resume"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class End:
    """When a commanded free passage ends, on both clocks; the monotonic one is of that boot."""

    utc: datetime
    monotonic_s: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class DoorLatch:
    """A door's modes as they were left: by command, and by the schedule; None for neither.

    ``end`` is that of a commanded free passage; one without goes on until it is resumed.
    """

    commanded: Mode | None = None
    scheduled: Mode | None = None
    end: End | None = None


@dataclass(frozen=True, slots=True)
class Latches:
    """What of a kiosk survives its restart, beside where its holders are.

    ``doors`` by output; ``faults`` are those that only a person clears, with their detail.
    """

    doors: Mapping[str, DoorLatch] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
