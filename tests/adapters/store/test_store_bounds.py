"""What goes when the journal may not grow: published rows first, and nothing else unsaid."""

import itertools
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from places import ROOT
from store_parts import IDS, NOW, connection_of, event, open_journal

from agent.app.threads.record.losses import forgotten
from agent.domain.record.chain import follows, link
from agent.domain.record.events import EventType
from agent.domain.record.message import message
from agent.errors import StoreError
from agent.ports import Lost

FILL = "x" * 300


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def lost(what: Lost):
    return forgotten(what, NOW, lambda draft: IDS.make(draft.time))


def fill(journal, count, first=0):
    for number in range(first, first + count):
        moment = NOW.utc + timedelta(seconds=number)
        journal.append(event(number, time=moment, data={"number": number, "fill": FILL}))


def publish(journal, count):
    journal.mark_published([row.row for row in journal.unpublished(count)])


def kept(journal):
    return [row.event.data["number"] for row in journal.read() if "number" in row.event.data]


def told(journal):
    return [row.event for row in journal.read(kind=EventType.JOURNAL_EVENTS_LOST.value)]


def test_published_rows_go_first_the_oldest_of_them(journal):
    fill(journal, 1000)
    publish(journal, 600)
    assert journal.hold(10**9, 1000, lost=lost) == 0
    assert journal.hold(10**9, 800, lost=lost) == 500  # a step is 500 rows
    assert kept(journal) == list(range(500, 1000))
    assert journal.pending() == 400
    assert told(journal) == []


def test_without_a_word_for_it_what_nobody_got_stays(journal):
    fill(journal, 1000)
    publish(journal, 100)
    assert journal.hold(10**9, 500) == 100
    assert journal.pending() == 900
    assert journal.make_room(10**9) == 0


def test_where_there_is_no_broker_the_oldest_go_and_nobody_is_told(journal):
    fill(journal, 2000)
    assert journal.hold(10**9, 1800, published_only=False, lost=lost) == 500
    assert journal.make_room(800_000, lost, published_only=False) > 0
    assert told(journal) == []
    assert kept(journal)[-1] == 1999


def test_what_nobody_got_goes_last_and_the_journal_says_which(journal):
    fill(journal, 1000)
    publish(journal, 100)
    epoch = journal.epoch
    rows = {row.row: row for row in journal.read()}
    assert journal.hold(10**9, 500, lost=lost) > 500
    left = kept(journal)
    gone = [number for number in range(100, 1000) if number not in left]
    assert gone == list(range(100, 100 + len(gone)))
    events = told(journal)
    assert sum(one.data["total"] for one in events) == len(gone)
    assert {one.data["cause"] for one in events} == {"no_room"}
    assert [one.data["ranges"][0]["epoch"] for one in events] == [epoch] * len(events)
    spans = [
        (int(one.data["ranges"][0]["first"]), int(one.data["ranges"][0]["last"])) for one in events
    ]
    assert spans[0][0] == 101
    assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]
    assert spans[-1][1] == 100 + len(gone)
    assert events[0].time == NOW.utc
    assert len(rows) == 1000
    assert journal.pending() == len(journal.unpublished(10_000))
    # What tells of it stands in the chain like any other.
    bodies = [message(row.event, row.place("")) for row in journal.read()]
    for before, after in itertools.pairwise(bodies):
        assert follows(after, link(before))


def test_what_told_of_a_loss_and_is_lost_itself_is_told_of(journal):
    fill(journal, 1000)
    journal.hold(10**9, 500, lost=lost)
    for round_ in range(4):
        fill(journal, 400, 1000 + 400 * round_)
        journal.hold(10**9, 500, lost=lost)
    counts = sum((Counter(one.data["counts"]) for one in told(journal)), Counter())
    assert counts["access.denied"] == 2600 - len(kept(journal))
    assert min(int(one.data["ranges"][0]["first"]) for one in told(journal)) == 1


def test_a_full_file_takes_events_again_once_there_is_room_in_it(journal):
    """The disk gives no more: SQLite's own limit on the file."""
    fill(journal, 300)
    publish(journal, 100)
    connection = connection_of(journal)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    number = 300
    with pytest.raises(StoreError, match="full"):  # noqa: PT012 - some append fails
        while True:
            fill(journal, 1, number)
            number += 1
    assert journal.make_room(20_000) > 0
    assert told(journal) == []
    fill(journal, 20, number)
    number += 20
    with pytest.raises(StoreError, match="full"):  # noqa: PT012 - some append fails
        for _ in range(10):
            journal.make_room(20_000)
            fill(journal, 40, number)
            number += 40
    journal.make_room(20_000, lost)
    assert told(journal)
    fill(journal, 10, number)
    assert kept(journal)[-10:] == list(range(number, number + 10))


LIMITED = """
import resource, sys
from pathlib import Path
from store_parts import open_journal
from test_store_bounds import fill, kept, lost, publish, told
from agent.app.threads.watch.disk import DiskWatch
from agent.errors import StoreError
path, watched = Path(sys.argv[1]), sys.argv[2] == "watched"
journal = open_journal(path)
fill(journal, 3000)
publish(journal, 1000)
limit = path.stat().st_size + 2_500_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
said = []
watch = DiskWatch(path.parent, 1_500_000, said.append,
    lambda _: limit - path.stat().st_size,
    lambda of_unsent: journal.make_room(600_000, lost if of_unsent else None))
number = fails = 0
while number < 6000 and not fails:
    if watched and number % 10 == 0:
        watch.look()
    try:
        fill(journal, 1, 3000 + number)
        number += 1
    except StoreError:
        fails += 1
assert path.stat().st_size <= limit
if fails:  # the trap: what is in the log has no place in the file. It heals with the disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    fill(journal, 1, 3000 + number)
    number += 1
gone = sum(one.data["counts"].get("access.denied", 0) for one in told(journal))
print(fails, 3000 + number, len(kept(journal)), gone, len(said))
"""


@pytest.mark.parametrize("way", ["watched", "alone"])
def test_a_process_whose_files_may_not_grow_goes_on(tmp_path, way):
    """A limit of the kernel's on the size of files, as a disk that has no block left."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LIMITED, str(tmp_path / "journal.sqlite"), way],
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/tests/parts:{ROOT}/tests/adapters/store"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fails, given, left, gone, faults = map(int, done.stdout.splitlines()[-1].split())
    if way == "watched":
        assert (fails, faults) == (0, 1)
        # The published ones went unsaid, and of the others as many as are told of.
        assert left + gone == given - 1000
        assert gone > 0
    else:
        assert fails == 1
        assert (left, gone) == (given, 0)
