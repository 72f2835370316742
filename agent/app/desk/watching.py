"""Watching the running agent from outside: its status and its journal, each second."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.app.open.files.stores import has_journal, open_journal
from agent.app.open.site import Site
from agent.errors import GateAgentError
from agent.ports import StoredEvent

_EVERY_S = 1.0
_KEPT = 50


@dataclass(slots=True)
class Seen:
    """What is known of the agent by now; ``away`` says why it does not answer, since when."""

    status: Mapping[str, Any] | None = None
    away: str | None = None
    away_since_s: float = 0.0
    decisions: deque[StoredEvent] = field(default_factory=lambda: deque(maxlen=_KEPT))


Round = tuple[Seen, list[StoredEvent]]
"""What is known, and the events that are new."""


def rounds(site: Site, ask: Callable[[], Mapping[str, Any]] | None, lines: int) -> Iterator[Round]:
    """A round a second, for ever, the first with the last ``lines`` events.

    ``ask`` gives the agent's status or says why not by an error; None: it is not asked.
    """
    seen = Seen()
    with contextlib.ExitStack() as stack:
        journal, row = None, 0
        while True:
            if ask is not None:
                _ask(seen, ask)
            new: list[StoredEvent] = []
            if journal is None and has_journal(site):
                journal = stack.enter_context(open_journal(site))
                new = list(journal.read(newest=lines)) if lines else []
                row = max((one.row for one in journal.read(newest=1)), default=0)
                # What came in the meantime comes with the next round, and not twice.
                new = [one for one in new if one.row <= row]
            elif journal is not None:
                new = list(journal.read(after_row=row))
                row = max((one.row for one in new), default=row)
            yield seen, new
            time.sleep(_EVERY_S)


def _ask(seen: Seen, ask: Callable[[], Mapping[str, Any]]) -> None:
    try:
        seen.status = ask()
        seen.away = None
    except GateAgentError as error:
        # A refusal, or a config that is being written, is over by the next second.
        if seen.away is None:
            seen.away_since_s = time.time()
        seen.away = str(error).partition("\n")[0]
