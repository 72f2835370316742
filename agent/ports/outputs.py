"""What the gate acts with: doors, and what tells people how it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from agent.domain.access.indication import Indication, Standing
from agent.domain.access.signs import Guidance


class Door(Protocol):
    """The output that frees one access point, secured whenever in doubt."""

    def release(self, pulse_s: float) -> None:
        """Free it for at most ``pulse_s``, and never longer than the door's own maximum."""

    def hold(self, for_s: float) -> None:
        """Free it until ``for_s`` from now, however long it has been free: free passage.

        Never longer than the door's own maximum at a time: whoever wants more says it again.
        """

    def secure(self) -> None:
        """Secure it now; safe to call at any time and twice."""

    def close(self) -> None:
        """Secure and let the pin go."""


class Indicator(Protocol):
    """Tells whoever stands at one access point how it stands."""

    def show(self, told: Indication | Guidance) -> None:
        """Say it now, in the place of what was said before; returns at once.

        Raises:
            UnavailableError: it cannot be said; the gate goes on.
        """

    def stand(self, standing: Standing) -> None:
        """How the access point stands while nobody is being told anything; returns at once.

        Raises:
            UnavailableError: it cannot be said; the gate goes on.
        """

    def close(self) -> None:
        """Dark and silent; safe to call twice."""


class Loudspeaker(Protocol):
    """Plays one file at a time; ``play`` belongs to one thread, ``cut`` to any."""

    def play(self, file: Path, wanted: Callable[[], bool]) -> None:
        """Play a WAV file to its end, or until it is cut; never longer than it may last.

        ``wanted`` is asked once no ``cut`` can be missed any more; where it says no, nothing plays.

        Raises:
            UnavailableError: it cannot be played.
        """

    def cut(self) -> None:
        """End what is played now; safe at any time."""
