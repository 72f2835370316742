"""What is wired to a kiosk beside its sensors: contacts and buttons, each either active or not."""

from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """What an input means; the value is the word in config."""

    CONTACT = "contact"
    """Door contact: active while the door is open, so that a cut wire reads as open."""
    REX = "rex"
    """Request to exit: active while pressed."""
    PASSAGE = "passage"
    """One rotation of a turnstile, or one person through a light barrier: each rise is one."""
    TAMPER = "tamper"
    """Active while the kiosk's housing is open."""
    FIRE = "fire"
    """Active while the fire alarm calls."""
    FEEDBACK = "feedback"
    """A relay's own auxiliary contact: active while the relay releases."""
    DURESS = "duress"
    """A hidden button: whoever presses it is threatened."""


@dataclass(frozen=True, slots=True)
class InputChange:
    """An input became active or inactive, debounced.

    ``at_s`` is when the new level began, on the monotonic clock; ``initial`` marks the level that
    the agent found when it started.
    """

    input: str
    active: bool
    at_s: float
    initial: bool = False


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an input is for: ``door`` names the output whose door it watches, None the kiosk."""

    input: str
    signal: Signal
    door: str | None = None
