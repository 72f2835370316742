"""One suite for every ``ports.Journal``."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from store_parts import event, open_journal

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.chain import link
from agent.domain.record.events import Event, EventType
from agent.domain.record.message import message
from agent.ports import Journal, Tip

Open = Callable[[], Journal]


@pytest.fixture(params=["sqlite", "simulated"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the journal of this test; a second call opens it anew."""
    simulated = request.param == "simulated"
    opened: list[SqliteJournal] = []

    def make() -> Journal:
        while opened:
            opened.pop().close()
        opened.append(open_journal(tmp_path / "journal.sqlite", simulated=simulated))
        return opened[-1]

    yield make
    while opened:
        opened.pop().close()


@pytest.fixture
def journal(reopen: Open) -> Journal:
    return reopen()


def test_sequence_numbers_rise_by_one_from_one(journal: Journal) -> None:
    assert [journal.append(event()) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_numbers_go_on_after_reopening(journal: Journal, reopen: Open) -> None:
    journal.append(event(1))
    before = journal.unpublished(10)
    journal = reopen()
    assert journal.append(event(2)) == 2
    rows = journal.unpublished(10)
    assert rows[0] == before[0]
    assert rows[1].epoch == rows[0].epoch


def test_an_event_is_there_once_by_its_id(journal: Journal, reopen: Open) -> None:
    first, second = event(1), event(2)
    assert [journal.append(one) for one in (first, second, first)] == [1, 2, 1]
    assert reopen().append(second) == 2
    assert len(reopen().unpublished(10)) == 2


def test_a_published_event_appended_again_is_not_sent_again(journal: Journal) -> None:
    one = event()
    journal.append(one)
    journal.mark_published([row.row for row in journal.unpublished(10)])
    journal.append(one)
    assert journal.unpublished(10) == []


def test_a_callable_is_asked_once_and_its_event_stored(journal: Journal) -> None:
    asked = [event(7)]
    assert journal.append(asked.pop) == 1
    assert journal.unpublished(10)[0].event.data == {"number": 7}


def test_a_callable_that_raises_takes_no_number(journal: Journal) -> None:
    def fail() -> Event:
        raise RuntimeError("no event")

    with pytest.raises(RuntimeError, match="no event"):
        journal.append(fail)
    assert journal.append(event()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"access_point": None},
        {"clock_synced": False},
        {"type": EventType.HOLDER_CHANGED},
        {"time": datetime(1970, 1, 1, 0, 0, 1, 250_000, tzinfo=UTC)},
        {"time": datetime(2026, 5, 6, 20, tzinfo=timezone(timedelta(hours=8)))},
        {"data": {"text": "门禁 \0 \"'", "list": [1, None, True], "score": -0.1234567890123}},
        {"data": {}},
    ],
)
def test_an_event_comes_back_as_it_went_in(journal: Journal, reopen: Open, changes) -> None:
    one = event(**changes)
    journal.append(one)
    assert [row.event for row in reopen().unpublished(10)] == [one]


def test_unpublished_rows_come_oldest_first_and_no_more_than_asked(journal: Journal) -> None:
    for number in range(10):
        journal.append(event(number))
    rows = journal.unpublished(4)
    assert [row.event.data["number"] for row in rows] == [0, 1, 2, 3]
    assert [row.sequence for row in rows] == [1, 2, 3, 4]
    assert not any(row.published for row in rows)


def test_marked_rows_are_gone_and_the_others_stay(journal: Journal, reopen: Open) -> None:
    for number in range(5):
        journal.append(event(number))
    rows = journal.unpublished(10)
    journal.mark_published([rows[1].row, rows[3].row])
    journal.mark_refused(rows[0].row, "Packet too large")
    journal.mark_published([])
    left = [row.event.data["number"] for row in journal.unpublished(10)]
    assert left == [2, 4]
    assert [row.event.data["number"] for row in reopen().unpublished(10)] == left


def test_making_durable_may_be_asked_for_at_any_time(journal: Journal) -> None:
    journal.make_durable()
    journal.append(event())
    journal.make_durable()
    journal.make_durable()
    assert len(journal.unpublished(1)) == 1


def test_the_tip_is_where_the_next_event_joins(journal: Journal, reopen: Open) -> None:
    assert journal.tip() is None
    for number in range(3):
        journal.append(event(number, data={"holder": "anna", "number": number}))
    tip, (*_, last) = journal.tip(), journal.unpublished(10)
    assert tip is not None
    assert (tip.epoch, tip.sequence) == (last.epoch, 3)
    assert tip.link.hex() == link(message(last.event, last.place(tip.source)))
    journal = reopen()
    assert journal.tip() == tip
    journal.append(event())
    chained = journal.unpublished(1, after_row=last.row)[0].chained
    assert chained is not None
    assert chained.previous == tip.link


def test_a_callable_is_told_the_tip_that_its_event_stands_behind(journal: Journal) -> None:
    journal.append(event(1))
    before = journal.tip()
    seen: list[Tip | None] = []

    def make() -> Event:
        seen.append(journal.tip())
        return event(2)

    journal.append(make)
    assert seen == [before]


def test_several_threads_may_append_and_read(journal: Journal) -> None:
    given: list[int] = []

    def work() -> None:
        for number in range(40):
            given.append(journal.append(event(number)))
            journal.unpublished(3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(given) == list(range(1, 161))
    assert [row.sequence for row in journal.unpublished(200)] == list(range(1, 161))
