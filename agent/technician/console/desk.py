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

    def examination(self) -> Told:
        """The doctor's newest checks, and whether it looks just now."""

    def examine(self) -> Told:
        """Have the doctor look; the answer as of ``examination``, before it is done."""
