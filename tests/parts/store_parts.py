"""What the tests of the store share; run as a program it is the process that they kill.

python store_parts.py append JOURNAL COUNT       appends, a line "epoch sequence id" for each
python store_parts.py enrol REGISTRY JOURNAL     changes holders, a line "id" for each
python store_parts.py average REGISTRY           enrols with two parts each, a line "id" for each
python store_parts.py remove REGISTRY            removes holders, a line "id" for each
python store_parts.py open JOURNAL CALLS         opens, and kills itself at that many calls
python store_parts.py read REGISTRY              reads all the while, as a running agent does
python store_parts.py ring STATE                 reads by the key on disk, whichever that is
python store_parts.py leave REGISTRY HOLDER      removes, erases nothing, and waits
"""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from places import ROOT

from agent.adapters.store.key_ring import KeyRing, keys_at
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.adapters.store.seal import Sealer
from agent.adapters.store.simulated import SimulatedJournal
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventType
from agent.domain.record.uuid7 import Uuid7Source
from agent.ports import Reference, StoredEvent

IDS = Uuid7Source(os.urandom)
NOW = Instant(100.0, datetime(2026, 5, 6, 12, tzinfo=UTC), utc_trusted=True)
KEY = bytes(range(32))
BY = "uid:0 root"
HERE = "/gate/lakeside/g3/north-1"


def event(number: int = 0, **changes) -> Event:
    fields = {
        "id": IDS.make(NOW.utc),
        "type": EventType.ACCESS_DENIED,
        "time": NOW.utc,
        "clock_synced": True,
        "access_point": "north-entry",
        "data": {"number": number},
    }
    return Event(**{**fields, **changes})


def set_aside(name: str) -> Event:
    return event(type=EventType.JOURNAL_SET_ASIDE, access_point=None, data={"file": name})


opened: list[SqliteJournal | SqliteRegistry] = []


@pytest.fixture(autouse=True)
def _closes_what_a_test_left_open() -> Iterator[None]:
    """A test may let a store go as a killed process does; the interpreter would warn of it."""
    yield
    while opened:
        opened.pop().close()


def open_journal(path: Path, *, simulated: bool = False) -> SqliteJournal:
    if simulated:
        journal: SqliteJournal = SimulatedJournal(path, set_aside, lambda: None, HERE)
    else:
        journal = SqliteJournal(path, set_aside, source=HERE)
    opened.append(journal)
    return journal


def open_registry(path: Path, key: bytes | None = KEY) -> SqliteRegistry:
    registry = SqliteRegistry(path, None if key is None else Sealer(key), IDS.make)
    opened.append(registry)
    return registry


def rekey(registry: SqliteRegistry, key: bytes) -> int:
    """Every sealed value under another key, as a rotation does it; how many."""
    new = Sealer(key)
    registry.seal_by(new.key_id)
    made = registry.reseal(new, 1_000)
    registry._sealer = new
    return made.done


def holder(name: str = "lin.2", **changes) -> Holder:
    return Holder(**{"id": HolderId(name), "name": "Lin Yu", "category": "resident", **changes})


def reference(owner: str = "lin.2", pack: str = "dlib", version: str = "1", seed: int = 0):
    template = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    return Reference(HolderId(owner), pack, version, template)


def numbers(rows: Iterable[StoredEvent]) -> list[int]:
    """The ``number`` that ``event`` put into each."""
    return [row.event.data["number"] for row in rows]


def asides(journal: Path) -> list[Path]:
    """Databases set aside, without their logs."""
    found = journal.parent.glob(f"{journal.name}.broken-*")
    return sorted(p for p in found if not p.name.endswith(("-wal", "-shm", ".unfinished")))


@contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """This file as a process of its own, gone at the end."""
    command = [sys.executable, str(Path(__file__).resolve()), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            yield child
        finally:
            child.kill()


Killed = Callable[[str, Path, int], int | None]


@contextmanager
def kills_of(log: Path, program: Path, *words: str) -> Iterator[Killed]:
    """Asks a program of ``forked_kills``: None where it was killed, else how many calls it made."""
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", str(program), *words],
            env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as server,
    ):
        stdin, stdout = server.stdin, lines_of(server)
        assert stdin is not None

        def ask(deed: str, path: Path, calls: int) -> int | None:
            stdin.write(f"{deed} {calls} {path}\n")
            stdin.flush()
            said = []
            while not (line := stdout.readline()).startswith("ended "):
                assert line, log.read_text()
                said.append(line)
            if line.split()[1] == str(-signal.SIGKILL):
                return None
            assert line == "ended 0\n", log.read_text()
            return int(said[-1])

        yield ask


def lines_of(child: subprocess.Popen[str]) -> IO[str]:
    """What the process says, line by line."""
    assert child.stdout is not None
    return child.stdout


def connection_of(journal: SqliteJournal) -> sqlite3.Connection:
    """The journal's own connection, to break what it reads."""
    assert journal._file._opened is not None
    return journal._file._opened


def _say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - the process speaks to the test


def _append(path: str, count: str) -> None:
    journal = open_journal(Path(path))
    epoch = journal.epoch
    for number in range(int(count)) if int(count) else itertools.count():
        one = event(number)
        _say(epoch, journal.append(one), one.id)
    journal.close()


def _enrol(registry_path: str, journal_path: str) -> None:
    registry, journal = open_registry(Path(registry_path)), open_journal(Path(journal_path))
    start = len(registry.holders())
    for number in itertools.count(start):
        name = f"h{number}"
        registry.enrol(holder(name), [reference(name)], by=BY, now=NOW)
        _say(name)
        if number % 3 == 0:
            registry.transfer_changes(journal)


def _average(path: str) -> None:
    registry = open_registry(Path(path))
    for number in itertools.count(len(registry.holders())):
        name = f"h{number:04}"
        parts = (reference(name, seed=1).template, reference(name, seed=2).template)
        registry.enrol(holder(name), [replace(reference(name), parts=parts)], by=BY, now=NOW)
        _say(name)


def _remove(path: str) -> None:
    registry = open_registry(Path(path))
    for one in registry.holders():
        _say(one.id)
        registry.remove(one.id, by=BY, now=NOW)


def killed_at(calls: str, deed: Callable[[], object]) -> None:
    """Do ``deed``, killed at so many calls from its beginning; else say how many it made."""
    left = int(calls)

    def count(_frame: object, happened: str, _argument: object) -> None:
        nonlocal left
        if happened in ("call", "c_call"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    deed()
    sys.setprofile(None)
    _say(int(calls) - left)


def forked_kills(deed: Callable[[str, str, str], None]) -> None:
    """For each line "deed calls path": that, in a process of its own that has the imports already.

    What it says, and then "ended" and its exit code; less than 0 is the signal that killed it.
    """
    for line in sys.stdin:
        name, calls, path = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                deed(name, calls, path)
                code = 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _say("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _open(_name: str, calls: str, path: str) -> None:
    killed_at(calls, lambda: open_journal(Path(path)))


def _read(path: str) -> None:
    registry = open_registry(Path(path))
    registry.load_arrays("dlib", "1")
    _say("reading")
    while True:
        registry.revision()
        registry.load_arrays("dlib", "1")
        registry.holders()
        time.sleep(0.01)


def _ring(state: str) -> None:
    ring = KeyRing(partial(keys_at, Path(state) / "gallery.key"))
    registry = SqliteRegistry(Path(state) / "registry.sqlite", ring, IDS.make)
    _say("reading")
    while True:
        registry.load_arrays("dlib", "1")
        if any(one.name is None for one in registry.holders()):
            _say("failed")


def _leave(path: str, owner: str) -> None:
    open_registry(Path(path)).remove(HolderId(owner), by=BY, now=NOW)
    _say("removed")
    time.sleep(60.0)


if __name__ == "__main__":
    works: dict[str, Callable[..., None]] = {
        "append": _append,
        "enrol": _enrol,
        "average": _average,
        "remove": _remove,
        "open": partial(forked_kills, _open),
        "read": _read,
        "ring": _ring,
        "leave": _leave,
    }
    works[sys.argv[1]](*sys.argv[2:])
