"""A broken journal is set aside whole, a new one begins, and the gate goes on."""

import random
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import store_parts
from store_parts import asides, connection_of, event, kills_of, lines_of, open_journal, process
from structlog.testing import capture_logs

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.events import EventType
from agent.errors import StoreError

EVENTS, PUBLISHED = 120, 40
SUFFIXES = ("", "-wal", "-shm")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def filled(path):
    """A journal of 120 events, the first 40 published, as a clean close leaves it."""
    journal = open_journal(path)
    for number in range(EVENTS):
        journal.append(event(number, data={"number": number, "fill": "x" * 200}))
    journal.mark_published([row.row for row in journal.unpublished(PUBLISHED)])
    epoch = journal.epoch
    journal.close()
    return epoch


def write(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def accesses(rows):
    return [r.event.data["number"] for r in rows if r.event.type is EventType.ACCESS_DENIED]


def notes(journal):
    return [row.event.data["file"] for row in journal.read(kind="journal.set_aside")]


def test_no_database_at_all(path, filled):
    path.write_bytes(b"\0" * 8192)
    journal = open_journal(path)
    (aside,) = asides(path)
    assert aside.read_bytes() == b"\0" * 8192
    assert notes(journal) == [aside.name]
    assert journal.epoch != filled
    assert journal.append(event()) == 2
    journal.close()
    assert asides(path) == [aside]
    journal = open_journal(path)
    assert notes(journal) == [aside.name]


def test_unpublished_rows_come_along_with_their_place(path, filled):
    # The last page in use holds published or unpublished rows, or an index; the rest is sound.
    write(path, path.stat().st_size - 4096, b"\xff" * 4096)
    journal = open_journal(path)
    rows = journal.unpublished(1000)
    salvaged = [row for row in rows if row.epoch == filled]
    assert len(salvaged) >= EVENTS - PUBLISHED - 20
    assert all(row.sequence == row.event.data["number"] + 1 for row in salvaged)
    assert min(row.sequence for row in salvaged) > PUBLISHED
    assert [row.row for row in rows] == sorted(row.row for row in rows)
    (note,) = [row for row in rows if row.epoch != filled]
    assert (note.sequence, note.event.type) == (1, EventType.JOURNAL_SET_ASIDE)


@pytest.mark.parametrize("seed", range(60))
def test_bytes_broken_anywhere_lose_no_file_and_stop_no_event(path, filled, seed):
    chance = random.Random(seed)  # a fixed seed: the same breakage each time
    size = path.stat().st_size
    for _ in range(chance.choice([1, 1, 3])):
        # Beyond the words that say whose file it is: of those, a stranger's file must be left.
        start = chance.randrange(96, size)
        write(path, start, chance.randbytes(chance.choice([1, 16, 512, 6000]))[: size - start])
    broken = path.read_bytes()
    journal = open_journal(path)
    place = (journal.epoch, journal.append(event(1000)))
    rows = journal.unpublished(1000)
    assert accesses(rows)[-1] == 1000
    journal.mark_published([row.row for row in rows])
    journal.append(event(1001))
    assert accesses(journal.unpublished(10)) == [1001]
    known = [(row.epoch, row.sequence) for row in journal.read()]
    assert len(set(known)) == len(known)
    assert place[0] != filled or place[1] > EVENTS
    if asides(path):
        assert asides(path)[0].read_bytes() == broken
        assert notes(journal) == [aside.name for aside in asides(path)]
        assert journal.epoch != filled
    journal.close()


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 20))]
)
def test_a_broken_log_repeats_no_number(path, seed):
    """What SQLite silently drops of a damaged log was numbered, and maybe published."""
    with process("append", path, 0) as child:
        given = {tuple(lines_of(child).readline().split()[:2]) for _ in range(40)}
        child.send_signal(signal.SIGKILL)
        given |= {tuple(line.split()[:2]) for line in lines_of(child) if line.endswith("\n")}
        child.wait(60)
    log = path.with_name("journal.sqlite-wal")
    chance = random.Random(seed)
    write(log, chance.randrange(32, log.stat().st_size - 64), chance.randbytes(64))
    journal = open_journal(path)
    again = {(journal.epoch, str(journal.append(event(number)))) for number in range(60)}
    assert not again & given
    journal.close()


def test_damage_met_while_running(path, filled):
    journal = open_journal(path)
    connection_of(journal).execute("PRAGMA cache_size = 1")
    write(path, 4096, random.Random(1).randbytes(path.stat().st_size - 4096))
    for number in range(1000, 1003):
        journal.append(event(number))
    assert asides(path)
    assert accesses(journal.unpublished(1000))[-3:] == [1000, 1001, 1002]
    assert notes(journal) == [aside.name for aside in asides(path)]
    journal.close()


def test_a_row_that_sqlite_does_not_see_is_broken_stops_no_other(path, filled):
    journal = open_journal(path)
    row = journal.unpublished(10)[5]
    connection = connection_of(journal)
    connection.execute("UPDATE event SET data = CAST(x'ff' AS TEXT) WHERE row = ?", (row.row,))
    left = accesses(journal.unpublished(1000))
    assert left == [n for n in range(PUBLISHED, EVENTS) if n != row.event.data["number"]]
    assert len(asides(path)) == 1
    journal.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("data", b"[1]"),
        ("data", b"{"),
        ("data", b"{\xff"),
        ("time", b"yesterday"),
        ("time", b"2026-01-01T00:00:00"),
        ("type", b"access.dancing"),
        ("access_point", b"secret\xff"),
    ],
)
def test_reading_leaves_a_broken_row_out_and_quotes_nothing_of_it(path, column, value):
    journal = open_journal(path)
    for number in range(3):
        journal.append(event(number))
    connection = connection_of(journal)
    connection.execute(f"UPDATE event SET {column} = CAST(? AS TEXT) WHERE row = 2", (value,))
    with capture_logs() as logs:
        assert accesses(journal.read()) == [0, 2]
    said = " ".join(str(word) for entry in logs for word in entry.values())
    assert "row 2" in said
    assert value.decode(errors="replace") not in said
    journal.close()


def test_a_late_acknowledgement_marks_no_other_events_row(path, filled):
    journal = open_journal(path)
    under_way = journal.unpublished(10)
    journal._file._set_aside()
    for number in range(1000, 1000 + EVENTS):
        journal.append(event(number))
    journal.mark_published([row.row for row in under_way])
    waiting = accesses(journal.unpublished(1000))
    assert waiting[-EVENTS:] == list(range(1000, 1000 + EVENTS))
    journal.close()


def test_an_empty_file_beside_its_log_is_set_aside_with_it(path):
    with process("append", path, 0) as child:
        lines_of(child).readline()
        child.send_signal(signal.SIGKILL)
        child.wait(60)
    log = path.with_name("journal.sqlite-wal").read_bytes()
    write(path, 0, b"")
    path.open("wb").close()
    journal = open_journal(path)
    (aside,) = asides(path)
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == log
    assert notes(journal) == [aside.name]
    journal.close()


def test_one_who_may_not_move_the_file_leaves_it(path, filled):
    def forbid(_name):
        raise StoreError("damaged", "restart the agent")

    owner = open_journal(path)
    reader = SqliteJournal(path, forbid)
    connection_of(reader).execute("UPDATE event SET data = '{' WHERE row = 50")
    with pytest.raises(StoreError, match="damaged"):
        reader.unpublished(1000)
    assert asides(path) == []
    assert len(list(reader.read())) == EVENTS - 1
    reader.close()
    owner.close()
    path.write_bytes(b"\0" * 8192)
    with pytest.raises(StoreError, match="restart"):
        SqliteJournal(path, forbid)
    assert path.read_bytes() == b"\0" * 8192
    assert [p.name for p in path.parent.glob("*.broken-*")] == []


def test_another_process_follows_to_the_new_file(path, filled):
    agent, command = open_journal(path), open_journal(path)
    agent._file._set_aside()
    agent.append(event(1000))
    command.append(event(1001))
    command.close()
    assert accesses(agent.unpublished(1000))[-2:] == [1000, 1001]
    agent.append(event(1002))
    agent.close()
    rows = list(open_journal(path).read())
    assert accesses(rows) == [*range(PUBLISHED, EVENTS), 1000, 1001, 1002]


def _break_and_keep(path, keep):
    keep.mkdir()
    write(path, path.stat().st_size - 4096, b"\xff" * 4096)
    shutil.copy(path, keep)
    shutil.copy(path.with_name(f"{path.name}-stream"), keep)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    log = tmp_path_factory.mktemp("killed") / "log"
    with kills_of(log, Path(store_parts.__file__), "open") as ask:
        yield ask


def _killed_at(killed, path, keep, call):
    """What the agent finds after an opening of the broken file that was killed at ``call``."""
    for file in path.parent.glob("journal.sqlite*"):
        file.unlink()
    for file in keep.iterdir():
        shutil.copy(file, path.parent)
    was_killed = killed("journal", path, call) is None
    journal = open_journal(path)
    waiting = accesses(journal.unpublished(1000))
    (aside,) = asides(path)
    assert aside.read_bytes() == (keep / path.name).read_bytes()
    assert notes(journal) == [aside.name]
    assert not list(path.parent.glob("*.unfinished"))
    journal.close()
    return was_killed, waiting


@pytest.fixture
def broken(path, filled, tmp_path, killed):
    keep = tmp_path / "keep"
    _break_and_keep(path, keep)
    return keep, killed("journal", path, 1_000_000)


def test_killed_anywhere_while_setting_aside_the_next_start_goes_on(path, broken, killed):
    keep, calls = broken
    _, expected = _killed_at(killed, path, keep, calls + 1000)
    assert len(expected) > 40
    chance = random.Random(7)
    for call in sorted(chance.sample(range(1, calls), 14)):
        assert _killed_at(killed, path, keep, call) == (True, expected)


@pytest.mark.slow
def test_killed_at_two_hundred_places_while_setting_aside(path, broken, killed):
    keep, calls = broken
    _, expected = _killed_at(killed, path, keep, calls + 1000)
    for call in range(1, calls, max(1, calls // 200)):
        assert _killed_at(killed, path, keep, call) == (True, expected)


def test_sqlite_opens_what_was_set_aside(path, filled):
    """Nothing is lost to a technician: the file is as it was, under its new name."""
    journal = open_journal(path)
    journal._file._set_aside()
    journal.append(event())
    journal.close()
    (aside,) = asides(path)
    with closing(sqlite3.connect(aside)) as connection, connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (EVENTS,)
    connection.close()
