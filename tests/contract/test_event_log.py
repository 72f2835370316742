"""One suite for every ``ports.EventLog``, ``ports.Stream`` and ``ports.AgingStream``.

What is stored and read is the journal's own business, so one adapter is all of them.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from store_parts import NOW, event, numbers, open_journal

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.events import EventType
from agent.ports import AgingStream, EventLog, Journal, StoredEvent, Stream


@pytest.fixture(params=["sqlite", "simulated"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteJournal:
    return open_journal(tmp_path / "journal.sqlite", simulated=request.param == "simulated")


@pytest.fixture
def journal(opened: SqliteJournal) -> Journal:
    return opened


@pytest.fixture
def log(opened: SqliteJournal) -> EventLog:
    return opened


@pytest.fixture
def stream(opened: SqliteJournal) -> Stream:
    return opened


@pytest.fixture
def aging(opened: SqliteJournal) -> AgingStream:
    return opened


def publish(journal: Journal) -> list[StoredEvent]:
    rows = list(journal.unpublished(100))
    journal.mark_published([row.row for row in rows])
    return rows


def test_an_empty_journal_has_nothing_to_read(log: EventLog, stream: Stream) -> None:
    assert list(log.read()) == []
    assert list(log.read(newest=3)) == []
    assert (stream.last_sequence(), stream.pending()) == (0, 0)


def test_events_are_read_in_order_published_or_not(log: EventLog, journal: Journal) -> None:
    for number in range(4):
        journal.append(event(number))
    publish(journal)
    journal.append(event(4))
    rows = list(log.read())
    assert numbers(rows) == [0, 1, 2, 3, 4]
    assert [row.published for row in rows] == [True] * 4 + [False]


def test_the_newest_are_the_last_of_those_that_fit(log: EventLog, journal: Journal) -> None:
    for number in range(6):
        kind = EventType.ACCESS_GRANTED if number % 2 else EventType.FAULT_RAISED
        journal.append(event(number, type=kind))
    assert numbers(log.read(newest=2)) == [4, 5]
    assert numbers(log.read(newest=2, kind=EventType.FAULT_RAISED.value)) == [2, 4]
    assert numbers(log.read(kind="access.*")) == [1, 3, 5]
    assert numbers(log.read(newest=100)) == list(range(6))


def test_reading_goes_on_behind_a_row(log: EventLog, journal: Journal) -> None:
    for number in range(4):
        journal.append(event(number))
    row = _row_of(log.read(), 1)
    assert numbers(log.read(after_row=row)) == [2, 3]
    assert numbers(log.read(after_row=row, newest=1)) == [3]


def test_reading_begins_at_a_moment_that_belongs_to_it(log: EventLog, journal: Journal) -> None:
    for number in range(4):
        journal.append(event(number, time=NOW.utc + timedelta(hours=number)))
    assert numbers(log.read(since=NOW.utc + timedelta(hours=2))) == [2, 3]
    assert numbers(log.read(since=NOW.utc + timedelta(hours=2, microseconds=1))) == [3]


def test_a_slow_reader_keeps_nobody_from_writing(log: EventLog, journal: Journal) -> None:
    journal.append(event(0))
    journal.append(event(1))
    slow = log.read()
    next(slow)
    journal.append(event(2))
    assert numbers(slow) == [1]


def test_the_stream_tells_how_far_it_is_and_what_the_broker_lacks(
    stream: Stream, journal: Journal
) -> None:
    assert [journal.append(event(number)) for number in range(3)] == [1, 2, 3]
    assert (stream.last_sequence(), stream.pending()) == (3, 3)
    rows = publish(journal)
    assert {row.epoch for row in rows} == {stream.epoch}
    journal.append(event(3))
    journal.mark_refused(journal.unpublished(1)[0].row, "Packet too large")
    assert (stream.last_sequence(), stream.pending()) == (4, 0)


def test_what_is_old_and_published_is_forgotten_and_nothing_else(
    aging: AgingStream, log: EventLog, journal: Journal
) -> None:
    for number in range(3):
        journal.append(event(number, time=NOW.utc + timedelta(days=number)))
    publish(journal)
    journal.append(event(3))
    assert aging.prune(NOW.utc - timedelta(days=1)) == 0
    assert aging.prune(NOW.utc + timedelta(days=1)) == 1
    assert aging.prune(NOW.utc + timedelta(days=9)) == 2
    assert numbers(log.read()) == [3]
    assert (aging.last_sequence(), aging.pending()) == (4, 1)


def _row_of(rows: Iterable[StoredEvent], number: int) -> int:
    return next(row.row for row in rows if row.event.data["number"] == number)
