"""Watching the running agent from outside: its status and its journal, each second."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.app.desk.asking import AgentSocket, answered
from agent.app.desk.following import JournalFollower
from agent.app.open.control import NoRightError
from agent.app.open.site import Site
from agent.errors import GateAgentError, StoreError
from agent.operations.decisions import DECISIONS
from agent.ports import EventLog, StoredEvent

_EVERY_S = 1.0
_KEPT = 50


@dataclass(slots=True)
class Seen:
    """What is known of the agent by now, and what of it cannot be known.

    ``away`` says why the agent does not answer, since when; ``fix`` what to do where it may be
    there and this user has no right to ask it. ``unread`` says why its journal cannot be read.
    """

    status: Mapping[str, Any] | None = None
    away: str | None = None
    away_since_s: float = 0.0
    fix: str | None = None
    unread: str | None = None
    decisions: deque[StoredEvent] = field(default_factory=lambda: deque(maxlen=_KEPT))
    last: dict[str, StoredEvent] = field(default_factory=dict)
    """The last decision by access point."""

    def take(self, new: Iterable[StoredEvent]) -> None:
        """Keep the decisions among these events, which come in order."""
        for one in new:
            if one.event.type in DECISIONS:
                self.decisions.append(one)
                self.last[one.event.access_point or ""] = one

    def holders(self) -> set[str]:
        """Who any of the decisions is about."""
        named = (one.event.data.get("holder") for one in (*self.decisions, *self.last.values()))
        return {str(holder) for holder in named if holder is not None}


Round = tuple[Seen, list[StoredEvent]]
"""What is known, and the events that are new."""
First = Callable[[EventLog], Iterable[StoredEvent]]
"""Of a journal the events to begin with."""
Ask = Callable[[], Mapping[str, Any]]


def status_of(config: Path | None, state: Path) -> Ask:
    """Asks the agent of this config and state directory for its status, as often as it is called.

    It raises what ``answered`` and ``AgentSocket.path`` raise.
    """
    socket = AgentSocket(config, state)

    def ask() -> Mapping[str, Any]:
        status: Mapping[str, Any] = answered(socket.path(), {"command": "status"})["status"]
        return status

    return ask


def rounds(
    site: Site,
    ask: Ask | None,
    first: First,
    pause: Callable[[], None] = lambda: time.sleep(_EVERY_S),
) -> Iterator[Round]:
    """A round a second, for ever, the first with the ``first`` events of the journal.

    ``ask`` gives the agent's status or says why not by an error; None: it is not asked. Whatever
    cannot be had is said in ``Seen``, and tried again in the next round.
    """
    seen = Seen()
    with JournalFollower(site, first) as journal:
        while True:
            if ask is not None:
                _ask(seen, ask)
            new: list[StoredEvent] = []
            try:
                new = journal.read()
                seen.unread = None
            except StoreError as error:
                seen.unread = str(error)
            seen.take(new)
            yield seen, new
            pause()


def _ask(seen: Seen, ask: Ask) -> None:
    try:
        seen.status = ask()
        seen.away = seen.fix = None
    except GateAgentError as error:
        # A refusal, or a config that is being written, is over by the next second.
        if seen.away is None:
            seen.away_since_s = time.time()
        seen.away = str(error).partition("\n")[0]
        seen.fix = error.fix if isinstance(error, NoRightError) else None
