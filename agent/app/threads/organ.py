"""What a running agent is made of: organs, each with its threads, its ears and its outlets.

    organ --tasks-----> threads beside the control loop
          --listeners-> topics of the broker that it hears
          --outlets---> effects of the controller that it takes

The agent loops over its organs and knows none of them by what it does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.adapters.broker.listener import Listener

Outlet = Callable[[Any], None]
"""Takes effects of one type, in the controller's thread: it never blocks and never raises."""


@dataclass(frozen=True, slots=True)
class Task:
    """A thread's name, what it does until it is stopped, and what stops it.

    ``last_words`` marks what is stopped last: it carries away what the others still said.
    ``within_s`` is how long a round of it may take where its hanging would show nowhere else,
    unless ``told`` says that its fault was told (``rounds``).
    """

    name: str
    work: Callable[[], None]
    stop: Callable[[], None]
    last_words: bool = False
    within_s: float | None = None
    told: Callable[[], bool] = lambda: False


class Organ:
    """A part of the agent; each overrides what it has."""

    def tasks(self) -> Iterable[Task]:
        """Its threads, in the order in which they start; asked once."""
        return ()

    def listeners(self) -> Mapping[str, Listener]:
        """What it hears from the broker, by topic; nothing of it moves an output."""
        return {}

    def outlets(self) -> Mapping[type, Outlet]:
        """Which effects it takes, each by its type; an effect has one taker in the whole agent."""
        return {}

    def started(self) -> None:
        """Its threads run."""

    def connected(self) -> None:
        """The broker has accepted this kiosk; called from the broker's thread, never blocks."""

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered a message, of whichever organ; called like ``connected``."""
