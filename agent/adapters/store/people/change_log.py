"""The registry's log of changes: each waits there, beside what it changed, for the journal.

A change and the event about it are one transaction. The event's id makes a repeat harmless: killed
at any point, neither a change without its event nor an event without its change is left.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent.adapters.store.people.rows.marked_rows import MarkedRows
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.sqlite import stored_moment
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventType
from agent.ports import Journal


class ChangeLog(MarkedRows):
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
        """Move logged changes into the journal; how many. Safe to repeat and to be killed in.

        One that is damaged stays where it is, and holds up none that came after it.
        """
        moved = 0
        for row, event in self._logged():
            if event is not None:
                journal.append(event)
                self._write(partial(self._forget_change, row), counts=False)
                moved += 1
        return moved

    def _logged(self) -> list[tuple[int, Event | None]]:
        """What waits for the journal, by row; None for what cannot be read."""
        query = "SELECT row, id, type, time, clock_synced, data FROM change_log ORDER BY row"
        return [(row, _event(columns)) for row, *columns in self._rows(query)]

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


def _event(columns: Sequence[Any]) -> Event | None:
    event_id, kind, time, synced, text = columns
    if not all(map(intact, (event_id, kind, time, text))):
        return None
    try:
        moment, data = stored_moment(time), read_json(text)
        kind = EventType(kind)
    except (ValueError, TypeError):
        return None
    if not isinstance(data, dict):
        return None
    return Event(event_id, kind, moment, bool(synced), None, data)
