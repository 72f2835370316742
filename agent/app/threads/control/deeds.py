"""What a verb is made of: looked at first, which changes nothing, and then carried out.

    asked --plan--> refused (DeedRefused): nothing has changed
                `-> Plan --run--> done, or failed (DeedRefused, or another fault of the agent's)

The control socket and the broker ask for the same deeds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from agent.domain.record.command import CommandReason
from agent.errors import RefusedError

MAY_LOOSEN_S = 300
"""What may let somebody in is not to be kept back until a person at the gate said otherwise."""
Result = Mapping[str, Any]
"""JSON values; nothing of them names a person who was not named by whoever asked."""


class DeedRefused(RefusedError):  # noqa: N818 - an answer, as a denial is
    """It is not done; ``word`` says why, the message is for people."""

    def __init__(self, word: CommandReason, message: str) -> None:
        super().__init__(word.value, message)
        self.word = word


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for; ``access_points`` is where they may, None everywhere.

    ``id`` is unique, ``expires`` is UTC in seconds; ``nonce`` is what proves that it is fresh.
    ``issued`` is when it was signed, None where somebody here asks; by then it is no later than
    ``latest_s``, None where nobody knows.
    """

    arguments: Mapping[str, Any] = field(repr=False)
    by: str
    id: str
    expires: int
    access_points: frozenset[str] | None = None
    nonce: bytes | None = None
    issued: int | None = None
    latest_s: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done; ``subjects`` is what it is about, and what a later one outdates.

    ``late`` of what outdates nothing itself. ``afterwards`` follows once the answer is stored. What
    takes long is begun by ``later`` in place of ``run``, and calls back with how it ended.
    """

    run: Callable[[], Result]
    subjects: tuple[str, ...] = ()
    late: bool = False
    afterwards: Callable[[], None] | None = None
    later: Callable[[Callable[[Result | DeedRefused], None]], None] | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """A verb's: ``plan`` looks, ``arguments`` are the names it knows.

    A command may be valid for ``longest_s`` at most. ``timeless``: it also runs while no time is
    trusted, for it is on the stricter side.
    """

    plan: Callable[[Asked], Plan]
    arguments: frozenset[str]
    longest_s: int
    timeless: bool = False


def bad(message: str) -> DeedRefused:
    """What was asked says nothing that could be done."""
    return DeedRefused(CommandReason.BAD_ARGUMENTS, message)


def known_arguments(asked: Asked, deed: Deed) -> None:
    """Refuse what the deed does not know: it may be what limits the rest.

    Raises:
        DeedRefused: ``bad_arguments``.
    """
    if not asked.arguments.keys() <= deed.arguments:
        known = ", ".join(sorted(deed.arguments)) or "none"
        raise bad(f"an argument that is not known; there are: {known}")


def superseded() -> DeedRefused:
    """It was signed before what holds now was said."""
    return DeedRefused(CommandReason.SUPERSEDED, "somebody at the kiosk said otherwise since")


@contextmanager
def lateness() -> Iterator[None]:
    """What was said while this was on its way to the registry is found there."""
    try:
        yield
    except RefusedError as error:
        raise superseded() if error.reason == "superseded" else error from None
