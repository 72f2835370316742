"""One suite for every ``ports.RangeLog``: events by their numbers, and none that is not durable."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_parts import event, open_journal

from agent.adapters.store.record.journal import SqliteJournal
from agent.ports import RangeLog


@pytest.fixture(params=["sqlite", "simulated"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteJournal]:
    """Five events of one epoch."""
    made = open_journal(tmp_path / "journal.sqlite", simulated=request.param == "simulated")
    for number in range(5):
        made.append(event(number))
    yield made
    made.close()


def numbers(log: RangeLog, epoch: str, first: int, last: int, limit: int = 9) -> list[int]:
    return [one.sequence for one in log.between(epoch, first, last, limit)]


def test_both_ends_belong_to_it_and_no_more_come_than_asked(journal: SqliteJournal) -> None:
    assert numbers(journal, journal.epoch, 2, 4) == [2, 3, 4]
    assert numbers(journal, journal.epoch, 5, 99) == [5]
    assert numbers(journal, journal.epoch, 1, 5, limit=2) == [1, 2]
    assert numbers(journal, journal.epoch, 6, 9) == []
    assert numbers(journal, "another", 1, 5) == []


def test_what_was_published_is_had_again_as_it_was(journal: SqliteJournal) -> None:
    before = journal.unpublished(9)
    journal.mark_published([one.row for one in before])
    again = journal.between(journal.epoch, 1, 5, 9)
    assert [(one.event, one.sequence) for one in again] == [
        (one.event, one.sequence) for one in before
    ]


def test_what_is_gone_is_left_out(journal: SqliteJournal) -> None:
    journal._file.do(lambda connection: connection.execute("DELETE FROM event WHERE sequence = 3"))
    assert numbers(journal, journal.epoch, 1, 5) == [1, 2, 4, 5]
