"""Following the journal from outside, whatever becomes of its file: each event once, none lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.app.desk.following import JournalFollower
from agent.app.open.files.state import JOURNAL
from agent.app.open.files.stores import open_journal
from agent.app.open.site import Site, instant, make_event, site_of
from agent.domain.record.events import EventType
from agent.errors import StoreError
from agent.ports import StoredEvent


@pytest.fixture
def site(tmp_path: Path) -> Site:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    return site_of(state, None)


@pytest.fixture
def follower(site: Site) -> Iterator[JournalFollower]:
    with JournalFollower(site, lambda log: log.read(newest=2)) as follower:
        yield follower


def note(site: Site, *reasons: str) -> None:
    with open_journal(site, may_set_aside=True) as journal:
        for reason in reasons:
            event = make_event(EventType.ACCESS_DENIED, {"reason": reason}, instant(site))
            journal.append(event)


def reasons(found: list[StoredEvent]) -> list[str]:
    return [one.event.data["reason"] for one in found if "reason" in one.event.data]


def test_it_begins_with_the_newest_and_tells_each_once(
    site: Site, follower: JournalFollower
) -> None:
    note(site, "1", "2", "3")
    assert reasons(follower.read()) == ["2", "3"]
    assert follower.read() == []
    note(site, "4", "5", "6")
    assert reasons(follower.read()) == ["4", "5", "6"]


def test_what_is_begun_while_it_looks_is_told_whole(site: Site, follower: JournalFollower) -> None:
    assert follower.read() == []
    assert not JOURNAL.at(site.state).exists()
    note(site, "1", "2", "3")
    assert reasons(follower.read()) == ["1", "2", "3"]


def test_a_journal_that_was_taken_away_is_begun_anew(site: Site, follower: JournalFollower) -> None:
    note(site, *"123456789")
    follower.read()
    for file in site.state.glob("journal.sqlite*"):
        file.rename(file.with_name(f"old-{file.name}"))
    assert follower.read() == []
    assert not JOURNAL.at(site.state).exists()
    # Its rows have the numbers of rows that were told.
    note(site, "a", "b")
    assert reasons(follower.read()) == ["a", "b"]
    assert follower.read() == []


def test_what_the_agent_brings_along_is_told_once(site: Site, follower: JournalFollower) -> None:
    note(site, "1", "2", "3")
    follower.read()
    note(site, "4")
    spoil_the_table_of(site)
    note(site, "5")
    assert len(list(site.state.glob("journal.sqlite.broken-*"))) >= 1
    # In the new file stand 1 to 4 as well, which the broker does not have.
    assert reasons(follower.read()) == ["4", "5"]
    assert follower.read() == []


def spoil_the_table_of(site: Site) -> None:
    """The stream's own page is lost; the rows of events can still be read."""
    with closing(sqlite3.connect(JOURNAL.at(site.state))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'stream'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with JOURNAL.at(site.state).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_one_that_is_empty_is_said_to_be_and_read_again(
    site: Site, follower: JournalFollower
) -> None:
    note(site, "1")
    follower.read()
    kept = JOURNAL.at(site.state).rename(site.state / "kept")
    JOURNAL.at(site.state).touch()
    for _ in range(2):
        with pytest.raises(StoreError, match="empty"):
            follower.read()
    kept.rename(JOURNAL.at(site.state))
    assert follower.read() == []
    note(site, "2")
    assert reasons(follower.read()) == ["2"]
