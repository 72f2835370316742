"""What the page asks of the kiosk: values as JSON has them; ``app.desk.console`` has them all.

Nothing here is a name, a stored picture, a template or a secret.
"""

from collections.abc import Mapping
from typing import Any, Protocol

Told = Mapping[str, Any]


class Desk(Protocol):
    """Asked by the page's threads, several at a time; a ``GateAgentError`` says why not."""

    def state(self) -> Told:
        """How it stands: the running agent or why none answers, and the last decisions."""

    def look(self, camera: str | None) -> Told:
        """What the senses said last; with a camera the newest picture and what is seen in it."""

    def release(self, point: object, reason: object) -> Told:
        """Let one person through at an access point, for a reason that stands in the event."""

    def try_out(self, point: object, outcome: object) -> Told:
        """Show and say an outcome at an access point; no door moves by it."""

    def begin_walk_test(self, point: object, minutes: object) -> Told:
        """From now on nothing opens there by a decision, while somebody asks for the ``state``."""

    def end_walk_test(self) -> Told:
        """The gate is as ever, whoever began it."""

    def left(self) -> None:
        """Somebody leaves: a walk test that was begun here ends."""

    def config(self) -> Told:
        """The config without secrets, what is wrong with it, and what is to be meant."""

    def check_config(self, text: object) -> Told:
        """The same of a text that is to stand in its place; it is written nowhere."""

    def examination(self) -> Told:
        """The doctor's newest checks, and whether it looks just now."""

    def examine(self) -> Told:
        """Have the doctor look; the answer as of ``examination``, before it is done."""
