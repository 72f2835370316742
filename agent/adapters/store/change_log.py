"""The registry's log of changes: each waits there, beside what it changed, for the journal.

A change and the event about it are one transaction. The event's id makes a repeat harmless: killed
at any point, neither a change without its event nor an event without its change is left.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent.adapters.store.registry_file import RegistryFile
from agent.adapters.store.sqlite import CorruptError, stored_moment
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventType
from agent.ports import Journal


class ChangeLog(RegistryFile):
    """The registry's file with its log."""

    def __init__(self, path: Path, new_id: Callable[[datetime], str]) -> None:
        """Open or make the file at ``path``; ``new_id`` makes the events' ids.

        Raises:
            StoreError: it is damaged, locked, not writable, or not ours.
        """
        super().__init__(path)
        self._new_id = new_id

    def note(self, kind: EventType, data: dict[str, Any], *, by: str, now: Instant) -> None:
        """Log a change that is no holder's (a model installed, rules changed)."""
        self._write(lambda: self._log(kind, data, by, now), counts=False)

    def transfer_changes(self, journal: Journal) -> int:
        """Move logged changes into the journal; how many. Safe to repeat and to be killed in."""
        moved = 0
        query = "SELECT row, id, type, time, clock_synced, data FROM change_log ORDER BY row"
        for row, event_id, kind, time, synced, data in self._rows(query):
            try:
                moment = stored_moment(time)
                event = Event(
                    event_id, EventType(kind), moment, bool(synced), None, json.loads(data)
                )
            except (ValueError, TypeError):
                raise CorruptError(f"change {row} of the registry is damaged") from None
            journal.append(event)
            self._write(partial(self._forget_change, row), counts=False)
            moved += 1
        return moved

    def _log(self, kind: EventType, data: dict[str, Any], by: str, now: Instant) -> None:
        self._connection.execute(
            "INSERT INTO change_log (id, type, time, clock_synced, data) VALUES (?, ?, ?, ?, ?)",
            (
                self._new_id(now.utc),
                kind.value,
                now.utc.isoformat(),
                int(now.utc_trusted),
                json.dumps({**data, "by": by}),
            ),
        )

    def _forget_change(self, row: int) -> None:
        self._connection.execute("DELETE FROM change_log WHERE row = ?", (row,))
