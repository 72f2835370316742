"""The journal is pruned once a day, by a trusted clock only."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from store_parts import event, set_aside

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.threads.watch.retention import Retention
from agent.errors import StoreError

START = datetime(2026, 5, 6, tzinfo=UTC)


def test_a_day_lies_between_two_prunings():
    clock = ManualClock(utc=START)
    pruned: list[datetime] = []
    retention = Retention(pruned.append, clock, 90)
    for _ in range(49):
        retention.tend()
        clock.advance(3600.0)
    assert pruned == [START + timedelta(days=day - 90) for day in (0, 1, 2)]


def test_a_clock_that_nobody_trusts_makes_nobody_forget():
    clock = ManualClock(utc=START)
    pruned: list[datetime] = []
    clock.step_utc(0, trusted=False)
    retention = Retention(pruned.append, clock, 90)
    retention.tend()
    retention.tend()
    # Nothing is older than that: the journal is held to its size, for the disk is finite.
    assert pruned == [datetime(1, 1, 1, tzinfo=UTC)]
    clock.step_utc(0, trusted=True)
    retention.tend()
    assert len(pruned) == 2


def test_while_no_clock_is_trusted_the_latest_sure_time_counts():
    clock = ManualClock(utc=START)
    clock.step_utc(9e8, trusted=False)
    pruned: list[datetime] = []
    latest = START - timedelta(days=3)
    Retention(pruned.append, clock, 90, lambda: latest).tend()
    assert pruned == [latest - timedelta(days=90)]


def test_a_journal_that_cannot_be_pruned_is_asked_again_the_next_day():
    asked: list[datetime] = []

    def prune(before: datetime) -> None:
        asked.append(before)
        raise StoreError("locked")

    clock = ManualClock(utc=START)
    retention = Retention(prune, clock, 90)
    retention.tend()
    retention.tend()
    assert len(asked) == 1
    clock.advance(86_400.0)
    retention.tend()
    assert len(asked) == 2


def test_a_journal_of_a_clock_that_was_never_trusted_keeps_to_its_size(tmp_path: Path) -> None:
    clock = ManualClock(utc=START)
    clock.step_utc(0, trusted=False)
    with closing(SqliteJournal(tmp_path / "journal.sqlite", set_aside)) as journal:
        for number in range(400):
            journal.append(event(number, clock_synced=False, data={"x": "y" * 4000}))
        prune = partial(journal.prune, most_bytes=400_000, published_only=False)
        Retention(prune, clock, 90).tend()
        left = len(list(journal.read()))
    assert left < 400


def test_the_bounds_are_looked_after_at_each_turn_whatever_the_clock_is() -> None:
    clock, held = ManualClock(utc=START), list[int]()
    clock.step_utc(0, trusted=False)

    def hold() -> None:
        held.append(1)
        raise StoreError("locked")

    pruned: list[datetime] = []
    retention = Retention(pruned.append, clock, 90, hold=hold)
    for _ in range(3):
        retention.tend()
        clock.advance(60.0)
    assert len(held) == 3
    assert len(pruned) == 1
