"""What the tests of the store share: events, holders, references, and the journal's own note."""

import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from agent.adapters.store.journal import SqliteJournal
from agent.domain.events import Event, EventType
from agent.domain.holder import Holder, HolderId
from agent.domain.instant import Instant
from agent.domain.uuid7 import Uuid7Source
from agent.ports import Reference

IDS = Uuid7Source(os.urandom)
NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
NOW = Instant(100.0, NOON, utc_trusted=True)


def event(
    number: int = 0,
    *,
    kind: EventType = EventType.ACCESS_DENIED,
    hours: float = 0.0,
    synced: bool = True,
    **data: Any,
) -> Event:
    time = NOON + timedelta(hours=hours)
    return Event(IDS.make(time), kind, time, synced, "north-entry", {"number": number, **data})


def set_aside_note(name: str) -> Event:
    """What the agent says about a journal that it set aside as ``name``."""
    return event(kind=EventType.JOURNAL_SET_ASIDE, file=name)


def open_journal(path: Path) -> SqliteJournal:
    return SqliteJournal(path, set_aside_note)


def holder(name: str = "ann", **fields: Any) -> Holder:
    return Holder(HolderId(name), **{"name": f"{name} of flat 3", "category": "resident", **fields})


def references(
    owner: str, *seeds: int, pack: str = "dlib", version: str = "1", components: int = 16
) -> list[Reference]:
    return [
        Reference(
            HolderId(owner),
            pack,
            version,
            np.random.default_rng(seed).normal(size=components).astype(np.float32),
        )
        for seed in seeds
    ]


def places(journal: SqliteJournal) -> list[tuple[str, int]]:
    """Every row's place in the stream, in the order of the rows."""
    return [(row.epoch, row.sequence) for row in journal.read()]


def numbers(journal: SqliteJournal) -> list[int]:
    """The ``number`` of every event but the notes about files."""
    return [
        row.event.data["number"]
        for row in journal.read()
        if row.event.type is not EventType.JOURNAL_SET_ASIDE
    ]


def notes(journal: SqliteJournal) -> list[str]:
    """The files that the journal says were set aside."""
    found = journal.read(kind=EventType.JOURNAL_SET_ASIDE.value)
    return [row.event.data["file"] for row in found]


def aside(journal: Path) -> list[Path]:
    """The databases that were set aside beside ``journal``."""
    found = journal.parent.glob(f"{journal.name}.broken-*Z-????")
    return sorted(found)


def publish_all(journal: SqliteJournal, rows: Sequence[int] | None = None) -> None:
    """As if the broker had acknowledged everything, or these rows."""
    if rows is None:
        rows = [row.row for row in journal.unpublished(1_000_000)]
    journal.mark_published(rows)


class Crew:
    """Threads that tell how they failed."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - shown by ``finish``
                self.failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(60)
        assert self.failures == []
        assert not any(thread.is_alive() for thread in self._threads)
