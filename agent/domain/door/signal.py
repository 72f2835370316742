"""What is wired to a kiosk beside its sensors: contacts and buttons, each either active or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SignalKind:
    """What inputs of one kind say, and what they need.

    ``active`` and ``inactive`` are their levels in words, ``rests`` whether they are inactive while
    nobody does anything. ``needs_door`` says whether they belong to a door, ``needs_direction``
    whether a turnstile has one for each direction, ``one_an_output`` whether there may be no second
    one. ``denies`` says that what goes wrong with them is a fault that may keep the gate closed.

    A cut wire of what ``guards`` is to read as the alarm, that of the others as no wish;
    ``cut_wrong`` is what it reads as where it is wired the other way, None where that is a fault
    by itself.
    """

    active: str
    inactive: str
    rests: bool = True
    needs_door: bool = True
    needs_direction: bool = False
    one_an_output: bool = False
    denies: bool = False
    guards: bool = False
    cut_wrong: str | None = None


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

    @property
    def traits(self) -> SignalKind:
        """What inputs of this kind say and need."""
        return _KINDS[self]


_KINDS: Mapping[Signal, SignalKind] = {
    Signal.CONTACT: SignalKind(
        "door open",
        "door closed",
        rests=False,
        one_an_output=True,
        guards=True,
        cut_wrong="a closed door: nobody would notice",
    ),
    Signal.REX: SignalKind(
        "pressed",
        "not pressed",
        needs_direction=True,
        cut_wrong="pressed: it would free the door",
    ),
    Signal.PASSAGE: SignalKind(
        "somebody passes",
        "clear",
        needs_direction=True,
        cut_wrong="somebody who passes: it would end a grant",
    ),
    Signal.TAMPER: SignalKind(
        "housing open",
        "housing closed",
        rests=False,
        needs_door=False,
        denies=True,
        guards=True,
        cut_wrong="a closed housing: nobody would notice",
    ),
    Signal.FIRE: SignalKind(
        "FIRE ALARM",
        "no alarm",
        needs_door=False,
        guards=True,
        cut_wrong="no alarm: the doors would stay shut",
    ),
    Signal.FEEDBACK: SignalKind(
        "relay releases",
        "relay at rest",
        needs_direction=True,
        one_an_output=True,
        denies=True,
    ),
    Signal.DURESS: SignalKind(
        "pressed",
        "not pressed",
        cut_wrong="pressed: somebody would come for nothing",
    ),
}


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
