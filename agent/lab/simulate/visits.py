"""Who stands before a simulated gate, and the street that they come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.controller.inputs import Input
from agent.domain.credential.presented import Presented
from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.track import Candidate, FaceSample
from agent.lab.simulate.checker import Checker
from agent.lab.simulate.truth import Person


class Street(Protocol):
    """What people need of the world around them."""

    checker: Checker

    @property
    def now_s(self) -> float:
        """Seconds on the monotonic clock."""

    @property
    def revision(self) -> int:
        """Of the gallery that faces are compared with."""

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        """Call something after so many seconds."""

    def post(self, happened: Input) -> None:
        """What vision says, to the agent that there is."""

    def claimed(self, camera: str) -> int | None:
        """The presentation whose holder faces before this camera are compared with, 1:1."""

    def measure(self) -> None:
        """The thermometer's turn."""

    def is_free(self, output: str) -> bool:
        """Whether this door or turnstile lets somebody through, as its relay stands."""

    def put(self, line: str, *, active: bool) -> None:
        """A contact or button."""


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """Somebody who comes with a purpose of their own.

    ``face`` is whom a search finds, ``like`` how like they are to whomever a credential names.
    ``shows`` gives what they hold up so many seconds after they came. ``hurries``: the next one
    treads on their heels. ``waits``: for as long as ``stays_s``, whatever the kiosk answers.
    """

    person: Person
    stays_s: float
    face: Candidate | None = None
    like: float = -0.95
    shows: Callable[[float], Sequence[Presented]] = lambda _after_s: ()
    way: str = "goes"
    hurries: bool = False
    waits: bool = False


@dataclass(slots=True, eq=False)
class Visit:
    """Somebody who stands before an access point."""

    person: Person
    point: str
    track: int
    patience_s: float
    score: float
    way: str
    guest: Guest | None = None
    shown: set[int] = field(default_factory=set)
    samples: tuple[FaceSample, ...] = ()
    began_s: float = 0.0
    over: bool = False
    hindrance: Hindrance | None = None
    clear_s: float = float("-inf")
    """Until then its hindrance keeps it from being compared."""
    stays_s: float = 0.35
