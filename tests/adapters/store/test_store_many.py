"""A journal in which very many events wait: what is asked all the time costs no more for it."""

import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from outbox_parts import Silent, outbox_of
from store_parts import NOW, connection_of, event, open_journal

from agent.adapters.store.record.rows import EVENT_COLUMNS
from agent.errors import StoreError
from agent.lab.bench.journal import FilledJournal, journal_in, press

NEVER = datetime(1, 1, 1, tzinfo=UTC)
FEW, MANY = 500, 20_000


class Steps:
    """How many instructions SQLite's machine takes for what is asked of a journal."""

    def __init__(self, journal: FilledJournal) -> None:
        self._connection = connection_of(journal)

    def of(self, deed: Callable[[], object]) -> int:
        count = 0

        def one() -> int:
            nonlocal count
            count += 1
            return 0

        self._connection.set_progress_handler(one, 1)
        deed()
        self._connection.set_progress_handler(None, 0)
        return count


def asked(journal: FilledJournal) -> dict[str, Callable[[], object]]:
    """What the agent asks at its start, with each heartbeat and each status, and to send."""
    return {
        "pending": journal.pending,
        "newest": journal.newest_row,
        "stream": lambda: (journal.epoch, journal.last_sequence(), journal.tip()),
        "first": lambda: journal.unpublished(1),
        "window": lambda: journal.unpublished(100),
        "prune": lambda: journal.prune(NEVER),
        "bounds": lambda: journal.hold(10**12, 10**9),
        "room": lambda: journal.make_room(0),
        "append": lambda: journal.append(press()),
        "mark": lambda: journal.mark_published([row.row for row in journal.unpublished(5)]),
    }


@contextmanager
def filled(folder: Path, count: int):
    with journal_in(folder) as journal:
        journal.fill(press(number) for number in range(count))
    with journal_in(folder) as journal:
        yield journal


def test_nothing_that_is_asked_all_the_time_looks_at_every_row_that_waits(tmp_path):
    found = []
    for count in (FEW, MANY):
        with filled(tmp_path / str(count), count) as journal:
            assert journal.pending() == count  # counted once
            steps = Steps(journal)
            found.append({name: steps.of(deed) for name, deed in asked(journal).items()})
            assert journal.pending() == count + 1 - 5
    few, many = found
    # Two pages more on the way down a tree, and no row more.
    assert {name: many[name] for name in many if many[name] > 1.2 * few[name] + 20} == {}


def test_the_first_count_lets_an_append_in_between_its_steps(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.adapters.store.record.tally._STEP_ROWS", 1_000)
    with filled(tmp_path, 5_000) as journal:
        steps = []
        do = journal._file.do

        def counted(work):
            steps.append(1)
            if len(steps) == 3:
                do(lambda connection: journal._add(connection, [press()]))
                journal.mark_published([10, 4_990])
            return do(work)

        monkeypatch.setattr(journal._file, "do", counted)
        assert journal.pending() == 5_000 + 1 - 2
        assert len(steps) >= 5


def test_what_waits_is_known_whatever_becomes_of_it(tmp_path):
    journal, other = (open_journal(tmp_path / "journal.sqlite") for _ in range(2))

    def really() -> int:
        return sum(not row.published for row in journal.read())

    for number in range(20):
        journal.append(event(number, time=NOW.utc + timedelta(days=number)))
    assert journal.pending() == really() == 20
    for number in range(5):
        other.append(event(number))
    assert journal.pending() == really() == 25
    journal.mark_published([1, 2, 3, 22])
    assert journal.pending() == really() == 21
    journal.mark_published([1, 2])
    assert journal.pending() == 21
    journal.mark_refused(5, "Topic name invalid")
    assert journal.pending() == really() - 1 == 20
    connection = connection_of(journal)
    with pytest.raises(StoreError, match="NOT NULL"):
        journal._file.do(_fails)
    assert not connection.in_transaction
    assert journal.pending() == 20
    assert journal.prune(NOW.utc + timedelta(days=10)) == 4
    assert journal.pending() == 20
    assert journal.prune(NOW.utc + timedelta(days=10), published_only=False) > 5
    assert journal.pending() == really()


def _fails(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("UPDATE event SET state = 1")
        connection.execute("INSERT INTO event (row) VALUES (1)")
    finally:
        connection.execute("ROLLBACK")


def test_old_rows_that_wait_are_laid_bare_in_bounded_steps(tmp_path, monkeypatch):
    """Rows of a clock that nobody trusted wait for the next trusted one, however many they are."""
    with journal_in(tmp_path) as journal:
        old = NOW.utc - timedelta(days=200)
        untrusted = [event(n, time=old, clock_synced=False, data={"by": "x"}) for n in range(3000)]
        journal.fill(iter([*untrusted, event(1, time=old, data={"by": "x"}), event(2)]))
        sizes: list[int] = []
        do = journal._file.do

        def watched(work):
            found = do(work)
            sizes.append(len(found) if isinstance(found, list) else 0)
            return found

        monkeypatch.setattr(journal._file, "do", watched)
        journal.prune(NOW.utc - timedelta(days=90))
        assert max(sizes) <= 500
        assert sum("by" in row.event.data for row in journal.read()) == 0


def clone(journal: FilledJournal, count: int) -> None:
    """``count`` rows of the one that is there: to make a million of them takes many minutes.

    Neither what the agent asks at its start nor the way to the broker looks at a link.
    """
    other = {"sequence": "n", "id": "printf('%08x-%d', n * 2654435761 % 4294967296, n)"}
    columns = ", ".join(other.get(name, name) for name in EVENT_COLUMNS.split(", "))
    connection = connection_of(journal)
    connection.execute(
        "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
        f" INSERT INTO event ({EVENT_COLUMNS}) SELECT {columns} FROM number,"
        " (SELECT * FROM event WHERE row = 1)",
        (count,),
    )
    connection.execute("UPDATE stream SET last_sequence = ?", (count,))


@pytest.mark.slow
def test_a_million_waiting_events_start_and_drain_in_bounded_memory(tmp_path):
    count, first, whole = 1_000_000, 10_000, 60_000
    with journal_in(tmp_path) as journal:
        journal.append(press())
        clone(journal, count)
    with journal_in(tmp_path) as journal:
        begun_s = time.perf_counter()
        assert journal.pending() == count
        for deed in asked(journal).values():
            deed()
        print(f"start with {count} waiting: {time.perf_counter() - begun_s:.2f} s")  # noqa: T201 - for whoever runs it
        broker, outbox = Silent(window=100), outbox_of(journal, [])
        sent, answered, at_first = 0, 0, 0
        while sent < whole:
            outbox.round(broker)
            for mid in range(answered + 1, answered + len(broker.sent) + 1):
                outbox.acknowledged(mid, None)
            answered += len(broker.sent)
            sent += len(broker.sent)
            broker.sent.clear()
            if not at_first and sent > first:
                at_first = _most_kb()
        outbox.round(broker)
        assert journal.pending() == count - 4 - sent
        assert _most_kb() - at_first < 20_000


def _most_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
