"""The journal's file: whose it is, what is durable, what is read and what forgotten."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store_parts import NOW, asides, connection_of, event, lines_of, numbers, open_journal, process

from agent.adapters.store import sqlite as store_sqlite
from agent.domain.record.events import EventType
from agent.errors import StoreError

HOLD_LOCK = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(path):
    journal = open_journal(path)
    yield journal
    journal.close()


def test_files_are_for_their_owner_only(path):
    before = os.umask(0)
    try:
        journal = open_journal(path)
        journal.append(event())
        modes = {p.name: p.stat().st_mode & 0o777 for p in path.parent.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {"journal.sqlite", "journal.sqlite-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_another_programs_database_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="of something else") as failure:
        open_journal(path)
    assert failure.value.fix
    assert path.read_bytes() == before
    assert asides(path) == []


def test_a_journal_of_a_newer_agent_is_left_alone(path):
    open_journal(path).close()
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match="newer agent") as failure:
        open_journal(path)
    assert "99" in str(failure.value)
    assert asides(path) == []


def test_a_closed_journal_takes_nothing_and_harms_nothing(path):
    journal = open_journal(path)
    journal.append(event(1))
    journal.close()
    journal.close()
    for call in (lambda: journal.append(event(2)), journal.pending, journal.make_durable):
        with pytest.raises(StoreError, match="closed"):
            call()
    assert asides(path) == []
    assert numbers(open_journal(path).read()) == [1]


@pytest.fixture
def locked(path, monkeypatch):
    """The journal while another process is in a write transaction; called, it ends that."""
    monkeypatch.setattr(store_sqlite, "BUSY_TIMEOUT_S", 0.2)
    open_journal(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert lines_of(child) is not None
        assert child.stdin is not None
        assert lines_of(child).readline() == "held\n"
        yield lambda: (child.stdin.close(), child.wait(60))
        if not child.stdin.closed:
            child.stdin.close()


def test_a_locked_journal_is_said_to_be_locked_and_works_afterwards(path, locked):
    journal = open_journal(path)
    with pytest.raises(StoreError, match="locked") as failure:
        journal.append(event(1))
    assert "fuser" in str(failure.value.fix)
    assert list(journal.read()) == []
    locked()
    assert journal.append(event(1)) == 1
    journal.close()
    assert asides(path) == []


def test_a_full_disk_loses_nothing_that_was_stored_and_heals(path, journal):
    journal.append(event(0))
    connection = connection_of(journal)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    stored = 1
    with pytest.raises(StoreError, match="full") as failure:  # noqa: PT012 - some append fails
        for stored in range(1, 10_000):
            journal.append(event(stored, data={"number": stored, "fill": "x" * 500}))
    assert "free space" in str(failure.value.fix)
    assert numbers(journal.read()) == list(range(stored))
    connection.execute(f"PRAGMA max_page_count = {pages * 100}")
    assert journal.append(event(stored)) == stored + 1
    assert asides(path) == []


@pytest.mark.parametrize("user", ["any", "not root"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, user):
    if user == "any":
        folder = Path("/proc/gate-agent")
    elif os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    else:
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=str(folder)) as failure:
        open_journal(folder / "journal.sqlite")
    assert "writable" in str(failure.value.fix)


def test_two_processes_append_to_one_stream(path):
    with process("append", path, 200) as one, process("append", path, 200) as other:
        lines = [[line.split() for line in lines_of(child)] for child in (one, other)]
        assert (one.wait(60), other.wait(60)) == (0, 0)
    given = [[int(sequence) for _, sequence, _ in mine] for mine in lines]
    assert sorted(given[0] + given[1]) == list(range(1, 401))
    assert all(mine == sorted(mine) for mine in given)
    rows = list(open_journal(path).read())
    assert [row.sequence for row in rows] == list(range(1, 401))
    assert {row.event.id for row in rows} == {line[2] for mine in lines for line in mine}


def test_what_is_unpublished_survives_a_power_failure(path, journal, tmp_path, monkeypatch):
    """The disk keeps what was flushed and nothing else: the files as they were at the flush."""
    kept = tmp_path / "kept"
    flush = os.fdatasync

    def flushed(descriptor):
        flush(descriptor)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(path.parent, kept)

    monkeypatch.setattr(os, "fdatasync", flushed)
    for start in range(0, 30, 3):
        for number in range(start, start + 3):
            journal.append(event(number))
        rows = journal.unpublished(100)
        assert len(rows) == start + 3
        after = open_journal(kept / path.name)
        assert [row.event.id for row in after.read()] == [row.event.id for row in rows]
        after.close()


def test_what_cannot_be_flushed_is_not_published(journal, monkeypatch):
    def fail(_descriptor):
        raise OSError(5, "Input/output error")

    journal.append(event(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreError, match="flushed"):
            journal.unpublished(10)
    assert numbers(journal.unpublished(10)) == [1]


def test_reading_by_time_kind_and_number(journal):
    kinds = [EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED, EventType.HOLDER_CHANGED]
    for number in range(12):
        moment = NOW.utc + timedelta(minutes=number)
        journal.append(event(number, type=kinds[number % 3], time=moment))
    rows = list(journal.read())
    assert numbers(rows) == list(range(12))
    assert numbers(journal.read(since=NOW.utc + timedelta(minutes=9))) == [9, 10, 11]
    beijing = (NOW.utc + timedelta(minutes=9)).astimezone(tz=None)
    assert numbers(journal.read(since=beijing)) == [9, 10, 11]
    assert numbers(journal.read(kind="access.denied")) == [1, 4, 7, 10]
    assert numbers(journal.read(kind="access.*", newest=3)) == [7, 9, 10]
    assert numbers(journal.read(newest=2)) == [10, 11]
    assert numbers(journal.read(newest=2, after_row=rows[10].row)) == [11]
    assert numbers(journal.read(after_row=rows[8].row, kind="access.granted")) == [9]
    assert list(journal.read(after_row=rows[-1].row, newest=5)) == []


def test_reading_ends_and_holds_nothing_while_others_write(path, journal):
    for number in range(1200):
        journal.append(event(number))
    reader = journal.read()
    first = next(reader)
    writer = sqlite3.connect(path, isolation_level=None)
    busy = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    writer.close()
    assert busy == 0
    rest = []
    for row in reader:
        rest.append(row)
        journal.append(event(-1))
    assert numbers([first, *rest]) == list(range(1200))


def fill(journal, moments, *, synced=True):
    for number, moment in enumerate(moments):
        journal.append(event(number, time=moment, clock_synced=synced))


def publish_all(journal):
    journal.mark_published([row.row for row in journal.unpublished(10_000)])


def file_bytes(journal):
    pages, size = (journal._scalar(f"PRAGMA {name}") for name in ("page_count", "page_size"))
    return pages * size


def test_pruning_forgets_old_published_rows_only(journal):
    fill(journal, [NOW.utc + timedelta(days=day) for day in range(10)])
    rows = journal.unpublished(100)
    journal.mark_published([row.row for row in rows if row.event.data["number"] not in (1, 2)])
    journal.mark_refused(rows[2].row, "Packet too large")
    assert journal.prune(NOW.utc + timedelta(days=5)) == 3
    assert numbers(journal.read()) == [1, 2, 5, 6, 7, 8, 9]
    assert numbers(journal.unpublished(10)) == [1]
    assert journal.append(event()) == 11


def test_where_nobody_is_there_to_get_them_old_rows_are_forgotten_whatever_they_wait_for(journal):
    fill(journal, [NOW.utc + timedelta(days=day) for day in range(10)])
    rows = journal.unpublished(100)
    journal.mark_published([rows[1].row])
    journal.mark_refused(rows[2].row, "Packet too large")
    assert journal.prune(NOW.utc + timedelta(days=5), published_only=False) == 5
    assert numbers(journal.read()) == [5, 6, 7, 8, 9]
    assert journal.append(event()) == 11


def test_without_a_broker_the_file_has_a_bound_as_well(journal):
    for number in range(3000):
        journal.append(event(number, data={"number": number, "fill": "x" * 300}))
    half = file_bytes(journal) // 2
    assert journal.prune(NOW.utc - timedelta(days=1), half) == 0
    assert journal.prune(NOW.utc - timedelta(days=1), half, published_only=False) > 1000
    assert numbers(journal.read())[-1] == 2999


def test_pruning_reaches_beyond_one_step(journal):
    fill(journal, [NOW.utc] * 1300 + [NOW.utc + timedelta(days=2)] * 10)
    publish_all(journal)
    assert journal.prune(NOW.utc + timedelta(days=1)) == 1300
    assert journal.prune(NOW.utc + timedelta(days=1)) == 0


def test_a_row_of_an_untrusted_clock_is_as_old_as_the_next_trusted_one(journal):
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    fill(journal, [epoch], synced=False)
    fill(journal, [NOW.utc])
    fill(journal, [epoch], synced=False)
    fill(journal, [NOW.utc + timedelta(days=9)])
    fill(journal, [epoch], synced=False)
    publish_all(journal)
    assert journal.prune(NOW.utc + timedelta(days=5)) == 2
    assert [row.sequence for row in journal.read()] == [3, 4, 5]


def test_pruning_by_size_takes_the_oldest_published(journal):
    for number in range(3000):
        journal.append(event(number, data={"number": number, "fill": "x" * 300}))
    kept = journal.unpublished(10)[0]
    journal.mark_published([row.row for row in journal.unpublished(10_000) if row != kept])
    before = file_bytes(journal)
    assert journal.prune(NOW.utc - timedelta(days=1), before) == 0
    assert journal.prune(NOW.utc - timedelta(days=1), before // 2) > 1000
    left = numbers(journal.read())
    assert left[0] == 0
    assert left[1:] == list(range(left[1], 3000))
    assert journal.prune(NOW.utc - timedelta(days=1), 1) == len(left) - 1
    assert numbers(journal.unpublished(10)) == [0]


@pytest.mark.parametrize("way", ["copied over", "moved in"])
def test_a_copy_put_back_never_repeats_a_number(path, way):
    journal = open_journal(path)
    journal.append(event(1))
    journal.close()
    backup = path.with_name("backup")
    shutil.copy(path, backup)
    journal = open_journal(path)
    given = {(journal.epoch, journal.append(event(number))) for number in range(2, 5)}
    journal.close()
    if way == "copied over":
        shutil.copy(backup, path)
    else:
        backup.rename(path)
    journal = open_journal(path)
    assert numbers(journal.read()) == [1]
    again = {(journal.epoch, journal.append(event(number))) for number in range(2, 5)}
    assert not given & again
    epoch = journal.epoch
    journal.close()
    journal = open_journal(path)
    assert (journal.epoch, journal.append(event(9))) == (epoch, 4)


def test_a_journal_taken_away_under_the_agent_loses_no_unpublished_row(path, journal):
    journal.append(event(0))
    journal.mark_published([row.row for row in journal.unpublished(10)])
    journal.append(event(1))
    under_way = journal.unpublished(10)
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"):
        (path.parent / name).unlink()
    journal.append(event(2))
    rows = journal.unpublished(10)
    assert numbers(rows) == [1, 2]
    assert (rows[0].epoch, rows[0].sequence) == (under_way[0].epoch, under_way[0].sequence)
    assert (rows[1].epoch, rows[1].sequence) not in [(row.epoch, row.sequence) for row in under_way]
    journal.close()
    assert numbers(open_journal(path).unpublished(10)) == [1, 2]
