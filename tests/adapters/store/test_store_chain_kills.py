"""The chain of what a backend got holds whatever kills the writer, and whichever file comes back.

As a program it is what the tests kill: ``python test_store_chain_kills.py``, a deed a line.
"""

import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from store_parts import event, forked_kills, killed_at, kills_of, lines_of, process, set_aside

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.message import payload
from agent.domain.record.published import Trace
from agent.operations.verification import Report, Verification

HERE = "/gate/lakeside/g3/north-1"


def journal_at(path: Path) -> SqliteJournal:
    return SqliteJournal(path, set_aside, source=HERE)


@contextmanager
def opened(path: Path) -> Iterator[SqliteJournal]:
    with closing(journal_at(path)) as journal:
        yield journal


class Backend:
    """Takes what is durable, as an outbox hands it over, and remembers every byte of it."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.epochs: set[str] = set()

    def fetch(self, path: Path) -> None:
        with opened(path) as journal:
            while rows := journal.unpublished(500):
                for row in rows:
                    self.got.append(payload(row.event, row.place(HERE), Trace.MINIMAL).decode())
                    self.epochs.add(row.epoch)
                journal.mark_published([row.row for row in rows])

    def judged(self) -> Report:
        verification = Verification({})
        for line in self.got:
            body: dict[str, Any] = json.loads(line)
            verification.take(body)
        return verification.finish(lambda _place, _first, _last: False)

    def is_whole(self) -> bool:
        report = self.judged()
        assert report.findings == []
        assert report.repeats == 0
        return True


def test_a_writer_killed_at_any_call_leaves_a_whole_chain(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite"
    with opened(path) as journal:
        journal.append(event())
    backend = Backend()
    with kills_of(tmp_path / "log", Path(__file__), "append") as ask:
        calls = ask("append", path, 1_000_000)
        assert calls is not None
        killed = [ask("append", path, at) for at in range(1, calls, max(1, calls // 40))]
        assert killed.count(None) > 30
        for number, at in enumerate(range(7, calls, max(1, calls // 12))):
            ask("append", path, at)
            if number % 3 == 0:
                backend.fetch(path)
    backend.fetch(path)
    # The first two, and those that were killed when the row was there already.
    assert len(backend.got) > 3
    assert backend.is_whole()


def test_writers_killed_at_random_leave_a_whole_chain(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite"
    chance, backend = random.Random(12), Backend()
    for _ in range(5):
        with process("append", path, 0) as one, process("append", path, 0) as other:
            assert lines_of(one).readline()
            assert lines_of(other).readline()
            time.sleep(chance.uniform(0.0, 0.2))
        backend.fetch(path)
    assert len(backend.epochs) == 1
    assert len(backend.got) > 10
    assert backend.is_whole()


def test_power_failures_give_no_place_twice(tmp_path: Path) -> None:
    """The disk keeps the files as they were at some moment, the newest rows not among them."""
    path, kept = tmp_path / "state" / "journal.sqlite", tmp_path / "kept"
    chance, backend, number = random.Random(7), Backend(), 0
    for _ in range(6):
        with opened(path) as journal:
            for _ in range(chance.randint(1, 6)):
                journal.append(event(number := number + 1))
            rows = journal.unpublished(500)
            for row in rows:
                backend.got.append(payload(row.event, row.place(HERE), Trace.MINIMAL).decode())
            journal.mark_published([row.row for row in rows])
            os.sync()
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(path.parent, kept)
            for _ in range(chance.randint(0, 3)):
                journal.append(event(number := number + 1))
        shutil.rmtree(path.parent)
        shutil.copytree(kept, path.parent)
        (path.parent / "journal.sqlite-shm").unlink(missing_ok=True)
    backend.fetch(path)
    assert backend.is_whole()


def test_older_and_partial_copies_begin_another_epoch(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite"
    backend = Backend()
    with opened(path) as journal:
        for number in range(5):
            journal.append(event(number))
        # Of a living journal without its log: what was carried into the database by then.
        shutil.copy(path, tmp_path / "partial")
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        shutil.copy(path, tmp_path / "older")
        for number in range(5, 9):
            journal.append(event(number))
    backend.fetch(path)
    for copy in ("older", "partial", "older"):
        for file in path.parent.iterdir():
            if not file.name.endswith("-stream"):
                file.unlink()
        shutil.copy(tmp_path / copy, path)
        with opened(path) as journal:
            for number in range(3):
                journal.append(event(number))
        again = Backend()
        again.fetch(path)
        # What an older file still holds as unsent comes once more, to the byte.
        backend.got += [line for line in again.got if line not in backend.got]
        backend.epochs |= again.epochs
    assert len(backend.epochs) == 4
    assert backend.is_whole()


def _do(_deed: str, calls: str, path: str) -> None:
    journal = journal_at(Path(path))
    killed_at(calls, lambda: journal.append(event()))
    journal.close()


if __name__ == "__main__":
    forked_kills(_do)
