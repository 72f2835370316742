"""``ports.CommandStore``: each runs once, over restarts, kills, restored copies and clock steps."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.adapters.store.commands import (
    KEPT_S,
    MOST_REPLIES_OF_A_KEY,
    SqliteCommands,
)
from agent.domain.record.command import CommandReason, Outcome
from agent.ports import Horizon, Noted

NOW = 1_800_000_000
KEY, OTHER = b"k" * 8, b"o" * 8
TOPIC = "gate/lakeside/g3/north-1/replies"
DAY = 86_400


def one(number: int = 1, issued: int = NOW, key_id: bytes = KEY) -> Noted:
    return Noted(number.to_bytes(16), key_id, "unlock", issued, issued + 8, TOPIC, b"c")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteCommands]:
    with closing(SqliteCommands(path)) as made:
        begun(made)
        yield made


def begun(store: SqliteCommands, epoch: str = "e1", **changes: bool) -> list[Noted]:
    running = store.begin(epoch, doubtful=False, at_least=NOW - 99, **changes)
    store.raise_horizon(NOW - 60)
    return running


def test_a_command_runs_once(store: SqliteCommands, path: Path) -> None:
    assert store.note(one(), []) is None
    assert store.note(one(), []) is CommandReason.REPLAYED
    store.end(one(), Outcome.DONE, b"done")
    assert store.note(one(), []) is CommandReason.REPLAYED
    assert store.outcome(one().id) is Outcome.DONE
    with closing(SqliteCommands(path)) as next_start:
        assert begun(next_start) == []
        assert next_start.note(one(), []) is CommandReason.REPLAYED


def test_one_that_was_killed_is_told_at_the_next_start_and_never_runs(path: Path) -> None:
    child = os.fork()
    if child == 0:
        store = SqliteCommands(path)
        begun(store)
        store.note(one(), [])
        os._exit(0)
    os.waitpid(child, 0)
    with closing(SqliteCommands(path)) as store:
        assert begun(store) == [one()]
        assert store.note(one(), []) is CommandReason.REPLAYED
        store.end(one(), Outcome.INTERRUPTED, b"interrupted")
        assert begun(store) == []
        assert store.outcome(one().id) is Outcome.INTERRUPTED


def test_a_restored_copy_runs_nothing_of_before(store: SqliteCommands, path: Path) -> None:
    copy = path.with_name("copy.sqlite")
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    store.note(one(), [])
    # The journal beside it begins another epoch, for its file is another one too.
    with closing(SqliteCommands(copy)) as restored:
        restored.begin("e2", doubtful=False, at_least=NOW)
        assert restored.horizon() == Horizon(NOW, True)
        restored.raise_horizon(NOW + 5)
        assert restored.horizon() == Horizon(NOW + 5, False)
        assert restored.note(one(), []) is CommandReason.BEFORE_RESTORE
        assert restored.note(one(2, NOW + 5), []) is None


def test_a_file_in_fault_begins_anew_with_each_start(store: SqliteCommands) -> None:
    store.begin("e1", doubtful=True, at_least=0)
    store.raise_horizon(NOW)
    assert store.note(one(2, NOW - 1), []) is CommandReason.BEFORE_RESTORE


def test_the_horizon_never_falls(store: SqliteCommands) -> None:
    store.begin("e2", doubtful=False, at_least=0)
    store.raise_horizon(NOW - DAY)
    assert store.horizon() == Horizon(NOW - 60, False)
    store.raise_horizon(NOW + 9)
    assert store.horizon() == Horizon(NOW - 60, False)


def test_what_is_forgotten_does_not_run_again_whatever_the_clock_says(store) -> None:
    store.note(one(), ["door:a"])
    store.end(one(), Outcome.DONE, b"")
    store.prune(NOW + 8 + KEPT_S, 31 * DAY)
    assert store.outcome(one().id) is Outcome.DONE
    store.prune(NOW + 9 + KEPT_S, 31 * DAY)
    assert store.outcome(one().id) is None
    assert store.note(one(), []) is CommandReason.REPLAYED
    assert store.note(one(2), []) is CommandReason.REPLAYED
    assert store.note(one(3, NOW + 1), []) is None


def test_one_that_runs_is_not_forgotten(store: SqliteCommands) -> None:
    store.note(one(), [])
    store.prune(NOW + 9 * DAY, 31 * DAY)
    assert begun(store) == [one()]


def test_an_older_one_about_the_same_undoes_nothing(store: SqliteCommands) -> None:
    assert store.note(one(1, NOW), ["door:a"]) is None
    assert store.note(one(2, NOW - 1), ["door:a", "door:b"]) is CommandReason.SUPERSEDED
    assert store.note(one(3, NOW - 1), ["door:b"]) is None
    assert store.note(one(4, NOW), ["door:a"]) is None


def test_one_that_may_come_late_makes_no_other_late(store: SqliteCommands) -> None:
    assert store.note(one(1, NOW + 5), ["door:a"], late=True) is None
    assert store.note(one(2, NOW), ["door:a"]) is None
    assert store.note(one(3, NOW - 1), ["door:a"], late=True) is CommandReason.SUPERSEDED


def test_a_key_that_asks_too_much_costs_no_other(store, monkeypatch) -> None:
    monkeypatch.setattr("agent.adapters.store.commands.MOST_OF_A_KEY", 2)
    assert [store.note(one(number), []) for number in (1, 2, 3)] == [None, None, CommandReason.BUSY]
    assert store.note(one(4, key_id=OTHER), []) is None


def test_replies_wait_until_they_are_acknowledged(store: SqliteCommands, path: Path) -> None:
    store.note(one(), [])
    store.end(one(), Outcome.DONE, b"done")
    store.owe(KEY, TOPIC, None, b"refused")
    with closing(SqliteCommands(path)) as next_start:
        first, second = next_start.owed()
        assert (first.topic, first.correlation, first.payload) == (TOPIC, b"c", b"done")
        assert (second.correlation, second.payload) == (None, b"refused")
        next_start.acknowledged(first.number)
        assert next_start.owed() == [second]


def test_the_replies_of_a_key_are_bounded_and_cost_no_other(store: SqliteCommands) -> None:
    store.owe(OTHER, TOPIC, None, b"other")
    for number in range(MOST_REPLIES_OF_A_KEY + 3):
        store.owe(KEY, TOPIC, None, str(number).encode())
    payloads = [owed.payload for owed in store.owed()]
    assert len(payloads) == MOST_REPLIES_OF_A_KEY + 1
    assert payloads[:2] == [b"other", b"3"]


def test_nobody_is_named_in_the_file(store: SqliteCommands, path: Path) -> None:
    store.note(replace(one(), correlation=None), ["holder:anna"])
    text = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"anna" not in text
