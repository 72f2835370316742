"""The journal's chain: kept in each append, by every process, in each file that follows another."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from store_parts import NOW, connection_of, event, lines_of, process, set_aside

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record import chain
from agent.domain.record.chain import ORIGIN, Check
from agent.domain.record.events import EventType
from agent.domain.record.message import message, payload
from agent.domain.record.published import PERSONAL, THINNED, Trace
from agent.ports import StoredEvent

COVERED = PERSONAL | THINNED
HERE, THERE = "/gate/lakeside/g3/north-1", "/gate/lakeside/g3/north-2"
SAYS = {"holder": "anna-0815", "pass": None, "score": 0.731234, "frames": 3, "reason": None}

Open = Callable[..., SqliteJournal]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def open_journal(path: Path) -> Iterable[Open]:
    opened: list[SqliteJournal] = []

    def make(source: str | None = HERE, at: Path = path) -> SqliteJournal:
        opened.append(SqliteJournal(at, set_aside, source=source))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def attempt(number: int = 0, **changes: Any):
    return event(number, data={"number": number, **SAYS}, **changes)


def messages(rows: Iterable[StoredEvent], trace: Trace = Trace.FULL) -> list[dict[str, Any]]:
    return [json.loads(payload(row.event, row.place(HERE), trace)) for row in rows]


def unbroken(events: list[dict[str, Any]], before: str = ORIGIN) -> bool:
    for one in events:
        if chain.check(one) is not Check.WHOLE or not chain.follows(one, before):
            return False
        before = chain.link(one)
    return True


def test_each_event_carries_the_link_of_the_one_before(open_journal: Open) -> None:
    journal = open_journal()
    for number in range(5):
        journal.append(attempt(number))
    for trace in Trace:
        assert unbroken(messages(journal.read(), trace))
    full = messages(journal.read())
    assert full[0]["data"]["commitments"].keys() == {"holder", "pass", "score", "frames"}
    assert full[0]["data"]["salts"].keys() == full[0]["data"]["commitments"].keys()
    minimal = messages(journal.read(), Trace.MINIMAL)
    assert minimal[0]["data"]["salts"].keys() == {"holder", "pass"}
    assert full[0]["data"]["salts"] != full[1]["data"]["salts"]


def test_the_bytes_of_a_row_are_the_same_each_time(open_journal: Open) -> None:
    journal = open_journal()
    journal.append(attempt())
    (row,) = journal.unpublished(10)
    first = payload(row.event, row.place(HERE), Trace.MINIMAL)
    journal.mark_published([row.row])
    journal.close()
    (again,) = open_journal(THERE).read()
    assert payload(again.event, again.place(THERE), Trace.MINIMAL) == first
    assert json.loads(first) == message(again.event, again.place(THERE), Trace.MINIMAL)


def test_the_chain_goes_on_after_reopening_and_across_processes(
    open_journal: Open, path: Path
) -> None:
    open_journal().append(attempt())
    with process("append", path, 60) as one, process("append", path, 60) as other:
        for child in (one, other):
            lines_of(child).read()
            assert child.wait(60) == 0
    journal = open_journal(None)
    journal.append(attempt())
    events = messages(journal.read())
    assert len(events) == 122
    assert unbroken(events)
    assert {one["source"] for one in events} == {HERE}


def test_a_kiosk_that_stands_elsewhere_begins_an_epoch(open_journal: Open) -> None:
    here = open_journal()
    here.append(attempt(1))
    here.append(attempt(2))
    epoch = here.epoch
    there = open_journal(THERE)
    assert list(there.read())[-1].epoch == epoch, "to look at it begins none"
    assert there.append(attempt(3)) == 1
    rows = list(there.read())
    assert [row.sequence for row in rows] == [1, 2, 1]
    assert rows[2].epoch != epoch
    events = messages(rows)
    assert [one["source"] for one in events] == [HERE, HERE, THERE]
    assert unbroken(events[:2])
    assert unbroken(events[2:])
    there.close()
    again = open_journal(THERE)
    assert (again.epoch, again.append(attempt(4))) == (rows[2].epoch, 2)


def test_who_does_not_know_where_it_stands_joins_what_is_there(open_journal: Open) -> None:
    open_journal().append(attempt(1))
    journal = open_journal(None)
    assert journal.append(attempt(2)) == 2
    assert {one["source"] for one in messages(journal.read())} == {HERE}


def test_what_was_said_before_the_kiosk_had_a_place_is_said_from_where_it_stands(
    open_journal: Open,
) -> None:
    open_journal(None).append(attempt(1))
    journal = open_journal()
    assert [journal.append(attempt(number)) for number in (2, 3)] == [2, 3]
    events = messages(journal.read())
    assert {one["source"] for one in events} == {HERE}
    assert chain.check(events[0]) is Check.UNCHAINED
    assert unbroken(events[1:])


def test_an_event_that_is_there_already_changes_no_link(open_journal: Open) -> None:
    journal = open_journal()
    one = attempt(1)
    for again in (one, attempt(2), one):
        journal.append(again)
    journal.append(attempt(3))
    assert unbroken(messages(journal.read()))


@pytest.mark.parametrize(
    ("data", "read"),
    [
        ({"by": "uid:7 \udcff"}, {"by": "uid:7 ?"}),
        ({"list": ["\ud800"]}, {"list": '["\\ud800"]'}),
        ({"\ud800": 1}, {"?": 1}),
        ({"big": 10**400}, {"big": "1" + "0" * 400}),
        ({"exact": 2**60 + 1, "least": 5e-324}, {"exact": 2**60 + 1, "least": 5e-324}),
        ({"list": (1, 2), 3: True}, {"list": [1, 2], "3": True}),
    ],
    ids=str,
)
def test_whatever_an_event_says_it_is_written_and_chained(
    open_journal: Open, data: dict[Any, Any], read: dict[str, Any]
) -> None:
    journal = open_journal()
    journal.append(event(type=EventType.TRUST_CHANGED, data=data))
    journal.append(attempt())
    first, second = journal.read()
    assert first.event.data == read
    assert unbroken(messages([first, second]))


# --- from before the chain ------------------------------------------------------------------------

OLD = """
CREATE TABLE stream (epoch TEXT NOT NULL, last_sequence INTEGER NOT NULL);
CREATE TABLE event (
    row INTEGER PRIMARY KEY AUTOINCREMENT, epoch TEXT NOT NULL, sequence INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, time TEXT NOT NULL, clock_synced INTEGER NOT NULL,
    access_point TEXT, data TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, refusal TEXT,
    UNIQUE (epoch, sequence)
);
CREATE INDEX pending ON event (row) WHERE state = 0;
PRAGMA application_id = 0x67416A6C;
PRAGMA user_version = 1;
"""


def from_before(path: Path, rows: int = 3) -> None:
    """A journal as the agent before the chain left it."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(OLD)
        for number in range(1, rows + 1):
            one = attempt(number)
            columns = (one.id, one.type.value, one.time.isoformat(), 1, one.access_point)
            old.execute(
                "INSERT INTO event VALUES (NULL, '00ff', ?, ?, ?, ?, ?, ?, ?, 0, NULL)",
                (number, *columns, json.dumps(one.data)),
            )
        old.execute("INSERT INTO stream VALUES ('00ff', ?)", (rows,))


def break_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as one:
        size = one.execute("PRAGMA page_size").fetchone()[0]
        leaf = one.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pending'").fetchone()
    broken = bytearray(path.read_bytes())
    broken[(leaf[0] - 1) * size : leaf[0] * size] = b"\xff" * size
    path.write_bytes(broken)


def test_a_journal_from_before_the_chain_opens_and_goes_on(open_journal: Open, path: Path) -> None:
    from_before(path)
    Path(f"{path}-stream").write_text(f"00ff {path.stat().st_ino:020d} {3:020d}\n")
    journal = open_journal()
    assert journal.append(attempt(4)) == 4
    assert journal.append(attempt(5)) == 5
    rows = journal.unpublished(10)
    assert {row.epoch for row in rows} == {"00ff"}
    events = messages(rows)
    assert [chain.check(one) for one in events[:3]] == [Check.UNCHAINED] * 3
    assert "previous" not in events[0]
    assert events[0]["data"].keys() == {"number", *SAYS, "clock_synced", "access_point"}
    assert unbroken(events[3:])


def test_what_is_salvaged_from_before_the_chain_comes_along(open_journal: Open, path: Path) -> None:
    from_before(path, 40)
    break_index(path)
    journal = open_journal()
    rows = list(journal.read())
    assert rows[-1].event.type is EventType.JOURNAL_SET_ASIDE
    assert [row.sequence for row in rows[:-1]] == list(range(1, 41))
    assert {row.chained for row in rows[:-1]} == {None}


# --- files that follow another --------------------------------------------------------------------


def test_what_is_salvaged_keeps_its_place_in_the_chain(open_journal: Open, path: Path) -> None:
    journal = open_journal()
    for number in range(30):
        journal.append(attempt(number))
    journal.mark_published([row.row for row in journal.unpublished(10)])
    before = messages(journal.read())
    epoch = journal.epoch
    journal.close()
    break_index(path)
    journal = open_journal()
    journal.append(attempt())
    rows = list(journal.read())
    old = [row for row in rows if row.epoch == epoch]
    assert messages(old) == before[10:]
    new = [row for row in rows if row.epoch != epoch]
    assert [row.sequence for row in new] == [1, 2]
    assert unbroken(messages(new))


def test_a_journal_taken_away_under_the_agent_keeps_its_places(
    open_journal: Open, path: Path
) -> None:
    journal = open_journal()
    journal.append(attempt(0))
    journal.append(attempt(1))
    before = messages(journal.read())
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"):
        (path.parent / name).unlink()
    journal.append(attempt(2))
    events = messages(journal.read())
    assert events[:2] == before
    assert events[2]["epoch"] != before[0]["epoch"]
    assert unbroken(events[2:])


@pytest.mark.parametrize("with_log", [True, False])
def test_an_older_copy_begins_an_epoch_with_a_chain_of_its_own(
    open_journal: Open, path: Path, tmp_path: Path, *, with_log: bool
) -> None:
    journal = open_journal()
    journal.append(attempt(0))
    copy = tmp_path / "copy"
    shutil.copytree(path.parent, copy)
    sent = messages(journal.read())
    for number in (1, 2):
        journal.append(attempt(number))
    sent += messages(journal.read())[1:]
    journal.close()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        (path.parent / name).unlink(missing_ok=True)
        if (copy / name).exists() and (with_log or not name.endswith("-wal")):
            shutil.copy(copy / name, path.parent / name)
    journal = open_journal()
    journal.append(attempt(9))
    new = [one for one in messages(journal.read()) if one["epoch"] != sent[0]["epoch"]]
    assert unbroken(sent)
    assert [one["sequence"] for one in new] == [f"{1:020d}"]
    assert unbroken(new)


@pytest.mark.parametrize("column", ["previous", "salt"])
def test_a_row_whose_place_is_damaged_is_left_out(open_journal: Open, column: str) -> None:
    journal = open_journal()
    for number in range(3):
        journal.append(attempt(number))
    connection_of(journal).execute(f"UPDATE event SET {column} = 7 WHERE sequence = 2")
    assert [row.sequence for row in journal.read()] == [1, 3]


# --- erasure --------------------------------------------------------------------------------------


def days(number: float):
    return NOW.utc + timedelta(days=number)


def test_what_is_still_to_be_sent_loses_its_values_and_keeps_its_place(open_journal: Open) -> None:
    journal = open_journal()
    for day in range(6):
        journal.append(attempt(day, time=days(day)))
    rows = journal.unpublished(10)
    journal.mark_published([rows[0].row])
    journal.mark_refused(rows[1].row, "malformed")
    before = messages(journal.read())
    assert journal.prune(days(3)) == 1
    after = messages(journal.read())
    assert [one["sequence"] for one in after] == [one["sequence"] for one in before[1:]]
    assert unbroken(after, chain.link(before[0]))
    for one, was in zip(after[:2], before[1:3], strict=True):
        assert "salts" not in one["data"]
        assert not COVERED & one["data"].keys()
        assert one["data"]["commitments"] == was["data"]["commitments"]
        assert chain.link(one) == chain.link(was)
        kept = {k: v for k, v in was["data"].items() if k not in COVERED | {"salts"}}
        assert one == {**was, "data": kept}
    assert after[2:] == before[3:]
    assert journal.prune(days(3)) == 0
    assert messages(journal.read()) == after
    assert [row.sequence for row in journal.unpublished(10)] == [3, 4, 5, 6]


def test_what_was_erased_is_gone_from_the_files(open_journal: Open, path: Path) -> None:
    journal = open_journal()
    for number in range(800):
        journal.append(attempt(number, time=days(0)))
    journal.append(event(time=days(9)))
    salts = [row.chained.salt for row in journal.read() if row.chained is not None]
    journal.prune(days(3))
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert b"anna-0815" not in content, file.name
        assert b"0.731234" not in content, file.name
        assert not [salt for salt in salts[:800] if salt is not None and salt in content], file.name


def test_a_row_from_before_the_chain_loses_its_values_too(open_journal: Open, path: Path) -> None:
    from_before(path)
    journal = open_journal()
    journal.append(attempt(4, time=days(9)))
    assert journal.prune(days(3)) == 0
    events = messages(journal.read())
    assert events[0]["data"] == {
        "number": 1,
        "reason": None,
        "clock_synced": True,
        "access_point": "north-entry",
    }
    assert unbroken(events[3:])


def test_without_a_broker_old_rows_go_and_the_chain_of_the_rest_holds(open_journal: Open) -> None:
    journal = open_journal()
    for day in range(6):
        journal.append(attempt(day, time=days(day)))
    third = chain.link(messages(journal.read())[2])
    assert journal.prune(days(3), published_only=False) == 3
    journal.append(attempt(7, time=days(7)))
    left = messages(journal.read())
    assert [int(one["sequence"]) for one in left] == [4, 5, 6, 7]
    assert unbroken(left, third)


def test_the_link_goes_on_where_every_row_is_forgotten(open_journal: Open) -> None:
    journal = open_journal()
    journal.append(attempt(1))
    link = chain.link(messages(journal.read())[0])
    journal.append(replace(attempt(2), time=days(1)))
    assert unbroken(second := messages(journal.read())[1:], link)
    assert journal.prune(days(9), published_only=False) == 2
    journal.append(attempt(3))
    assert unbroken(messages(journal.read()), chain.link(second[0]))
