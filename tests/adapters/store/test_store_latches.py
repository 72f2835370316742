"""What outlives the agent: written before it counts, whole after a kill, and never half."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.adapters.store.latches import SqliteLatches
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import DoorLatch, Latches, Mode
from agent.domain.skin.baseline import Baseline
from agent.errors import StoreError

ANNA, LIN = HolderId("anna"), HolderId("lin.2")
WHEN = datetime(2026, 5, 6, 12, tzinfo=UTC)
INSIDE = Position("garden", 1000.5, "boot", WHEN, utc_trusted=True)
LOCKED = Latches(
    {"lane.entry": DoorLatch(Mode.LOCKED_DOWN, None), "gate": DoorLatch(None, Mode.FREE_PASSAGE)},
    {"door:gate": "stuck"},
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "latches.sqlite"


def latches_of(path):
    """As the next agent would find them."""
    with closing(SqliteLatches(path)) as store:
        return store.latches()


def positions_of(path):
    with closing(SqliteLatches(path)) as store:
        return store.positions()


def baseline_of(path):
    with closing(SqliteLatches(path)) as store:
        return store.baseline()


def test_a_new_one_is_empty(path):
    store = SqliteLatches(path)
    assert store.latches() == Latches()
    assert store.positions() == {}
    store.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_saved_is_read_by_the_next_and_replaces_what_was(path):
    store = SqliteLatches(path)
    store.save(LOCKED)
    store.save(Latches({"gate": DoorLatch(Mode.FREE_PASSAGE)}, {}))
    store.save(LOCKED)
    store.close()
    assert latches_of(path) == LOCKED


def test_positions_are_moved_forgotten_and_cleared(path):
    store = SqliteLatches(path)
    store.move(ANNA, INSIDE)
    store.move(LIN, INSIDE)
    assert positions_of(path) == {ANNA: INSIDE, LIN: INSIDE}
    store.move(ANNA, None)
    assert positions_of(path) == {LIN: INSIDE}
    store.move(None, None)
    assert positions_of(path) == {}
    store.close()


MOVES = st.lists(
    st.tuples(
        st.sampled_from([ANNA, LIN, None]),
        st.one_of(st.none(), st.sampled_from(["garden", "garage"])),
    ),
    max_size=12,
)


@given(MOVES)
def test_the_disk_follows_any_moves(tmp_path_factory, moves):
    store = SqliteLatches(tmp_path_factory.mktemp("latches") / "latches.sqlite")
    known: dict[HolderId, Position] = {}
    for holder, area in moves:
        position = None if area is None else Position(area, 1.0, "boot", WHEN, utc_trusted=False)
        store.move(holder, position)
        if holder is None:
            known.clear()
        elif position is None:
            known.pop(holder, None)
        else:
            known[holder] = position
    assert store.positions() == known
    store.close()


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE door SET commanded = 'ajar'",
        "UPDATE position SET utc = 'noon'",
        "UPDATE position SET monotonic_s = 'x'",
    ],
)
def test_what_is_damaged_is_told_with_the_fix_and_never_taken_for_nothing(path, spoil):
    store = SqliteLatches(path)
    store.save(LOCKED)
    store.move(ANNA, INSIDE)
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(spoil)
    connection.close()
    with pytest.raises(StoreError, match="damaged") as failure:
        SqliteLatches(path)
    assert failure.value.fix


def test_one_that_cannot_be_written_says_so(path):
    store = SqliteLatches(path)
    store.save(LOCKED)
    store.close()
    for deed in (lambda: store.save(LOCKED), lambda: store.move(ANNA, INSIDE), store.latches):
        with pytest.raises(StoreError):
            deed()


PROGRAM = """
import sys
from pathlib import Path
from agent.adapters.store.latches import SqliteLatches
from agent.domain.skin.baseline import Baseline
from agent.domain.door.door_mode import DoorLatch, Latches, Mode
store = SqliteLatches(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    mode = Mode.LOCKED_DOWN if number % 2 else Mode.FREE_PASSAGE
    store.save(Latches({"a": DoorLatch(mode), "b": DoorLatch(mode)}, {"tamper:x": str(number)}))
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    "kills", [5, pytest.param(100, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_kill_9_at_any_point_leaves_the_last_word_or_the_one_before(path, kills):
    for after in range(kills):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for _ in range(3 + after % 7):
                last = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            rest = process.stdout.read().split()
        last = int(rest[-1]) if rest else last
        store = SqliteLatches(path)
        found = store.latches()
        store.close()
        number = int(found.faults["tamper:x"])
        assert number in (last, last + 1)
        assert found.doors["a"] == found.doors["b"]
        assert (found.doors["a"].commanded is Mode.LOCKED_DOWN) is bool(number % 2)


def test_the_baseline_is_learnt_and_what_is_no_baseline_is_none(path):
    learnt = Baseline(((1000.0, 36.2), (1001.0, 36.4)))
    store = SqliteLatches(path)
    assert store.baseline() == Baseline()
    store.learn(Baseline())
    store.learn(learnt)
    assert baseline_of(path) == learnt
    store.close()
    for text in ("no json", "[[1, 2, 3]]", '{"a": 1}', "[" * 100_000):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE baseline SET people = ?", (text,))
        connection.close()
        assert baseline_of(path) == Baseline()


def test_a_strangers_lock_is_not_waited_for_by_the_thread_that_moves_the_doors(path):
    latches = SqliteLatches(path)
    waits_ms = latches._connection.execute("PRAGMA busy_timeout").fetchone()[0]
    assert waits_ms <= 20
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        latches.move(HolderId("anna"), None)
    stranger.execute("ROLLBACK")
    latches.move(HolderId("anna"), None)
    stranger.close()
    latches.close()
