"""The watch over written bytes: the budget, what is thinned out, and the count over a restart."""

import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from store_parts import event, open_journal

from agent.adapters.manual_clock import ManualClock
from agent.adapters.written import meter
from agent.app.open.files.state import WRITTEN
from agent.app.open.files.written import keep_day, kept_day
from agent.app.threads.watch.wear import WearWatch
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.record.wear import Day, Meter

MB = 1_000_000
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
TODAY = date(2026, 11, 28)


@dataclass
class Card:
    """A meter that is set by hand, and what the watch made of it."""

    folder: Path
    written: int = 0
    logged: int = 0
    clock: ManualClock = field(default_factory=lambda: ManualClock(utc=NOON))
    posted: list[Input] = field(default_factory=list)
    thinned: list[bool] = field(default_factory=list)
    kept: list[Day] = field(default_factory=list)

    def watch(self, budget: int = 50 * MB) -> WearWatch:
        def keep(day: Day) -> None:
            self.kept.append(day)
            keep_day(self.folder, day)

        self.written = self.logged = 0
        return WearWatch(
            kept_day(self.folder),
            budget,
            self.clock,
            lambda: Meter(self.written, self.logged, None),
            keep,
            self.posted.append,
            self.thinned.append,
        )


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def test_beyond_the_budget_it_is_told_once_and_thinned_out_until_the_day_ends(card: Card) -> None:
    watch = card.watch()
    watch.look()
    assert (card.posted, card.thinned) == ([], [False])
    card.written, card.logged = 49 * MB, 2 * MB
    watch.look()
    watch.look()
    (raised,) = card.posted
    assert isinstance(raised, FaultRaised)
    assert raised.part == "wear"
    assert "51 MB" in raised.detail
    assert "50 MB" in raised.detail
    assert card.thinned == [False, True, True]
    assert watch.wear().over
    card.clock.advance(13 * 3600)
    watch.look()
    assert [type(one) for one in card.posted] == [FaultRaised, FaultCleared]
    assert card.thinned[-1] is False
    assert watch.wear().day.total == 0


def test_what_was_written_before_midnight_is_yesterdays(card: Card) -> None:
    watch = card.watch()
    watch.look()
    card.clock.advance(13 * 3600)
    card.written = 60 * MB
    watch.look()
    assert watch.wear().day.total == 0
    assert card.posted == []


def test_a_restart_forgets_nothing_and_a_kill_at_most_a_tenth_of_the_budget(card: Card) -> None:
    watch = card.watch()
    watch.look()
    for step in range(1, 31):
        card.written = step * MB
        watch.look()
        assert watch.wear().day.total - kept_day(card.folder).total < 5 * MB
    assert len(card.kept) <= 7
    # Killed here: the next one goes on where it was written down last.
    again = card.watch()
    card.written = 3 * MB
    again.look()
    assert again.wear().day.total == 33 * MB
    # One that is stopped writes down all of it.
    card.written = 4 * MB
    again.look(at_end=True)
    assert kept_day(card.folder).total == 34 * MB
    assert kept_day(card.folder).on == TODAY


def test_starts_that_follow_one_another_are_all_counted(card: Card) -> None:
    for _ in range(60):  # each is killed soon after its start, which alone wrote a megabyte
        watch = card.watch()
        card.written = MB
        watch.look()
    assert watch.wear().day.total == 60 * MB
    assert watch.wear().over


def test_the_next_day_a_kept_count_is_nothing_any_more(card: Card) -> None:
    keep_day(card.folder, Day(date(2026, 11, 27), 70 * MB))
    watch = card.watch()
    watch.look()
    assert watch.wear().day.total == 0


@pytest.mark.parametrize(
    "said",
    ["", "{", "[]", '{"date": 3}', '{"date": null, "written": -1, "logged": 0, "device": 0}'],
)
def test_a_count_that_cannot_be_read_begins_anew(card: Card, said: str) -> None:
    WRITTEN.at(card.folder).write_text(said)
    watch = card.watch()
    watch.look()
    assert watch.wear().day.total == 0
    assert kept_day(card.folder).on == TODAY


def test_a_folder_that_takes_nothing_stops_nothing(card: Card) -> None:
    watch = card.watch()
    WRITTEN.at(card.folder).mkdir()
    card.written = 60 * MB
    watch.look()
    assert watch.wear().over


def test_what_a_journal_writes_is_counted(tmp_path: Path) -> None:
    """As the agent has it: the system's own counters, and a database that is written to."""
    card = Card(tmp_path)
    journal = open_journal(tmp_path / "journal.sqlite")
    watch = WearWatch(
        Day(),
        MB,
        card.clock,
        lambda: meter(tmp_path, 0),
        card.kept.append,
        card.posted.append,
        card.thinned.append,
    )
    watch.look()
    before = watch.wear().day.total
    for number in range(50):
        journal.append(event(number, data={"number": number, "filler": os.urandom(400).hex()}))
        journal.make_durable()
    watch.look()
    if not watch.wear().measured or not meter(tmp_path, 0).written:
        pytest.skip("this system does not count what a process writes")
    # A page at least for each, since each was brought to the disk.
    assert watch.wear().day.total - before >= 50 * 4096
