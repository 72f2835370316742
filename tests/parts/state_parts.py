"""A state folder with its stores, what somebody does to its files, and the core that runs on it.

Run as a program it is the process that tests kill: python state_parts.py DEED FOLDER CALLS
does DEED (start, settle, accept) and kills itself at that many calls.
"""

import atexit
import functools
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from pass_parts import claims
from store_parts import BY, IDS, NOW, event, forked_kills, holder, killed_at, set_aside

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.installation import Installation
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.adapters.store.seal import Sealer
from agent.app.gate.core import Core, CoreStores
from agent.app.gate.executor import Outlets, Told
from agent.app.gate.loop import ControlLoop
from agent.app.open.files.anew import (
    commands_or_anew,
    latches_or_anew,
    ledger_or_anew,
    opened_or_anew,
)
from agent.app.open.files.installation import detail_of, installation_of, part_of
from agent.app.open.files.state import IDENTITY, JOURNAL, LEDGER, REGISTRY, WATCHED
from agent.app.open.site import site_of
from agent.domain.access.registry import Registry
from agent.domain.door.door_mode import DoorLatch, Latches, Mode
from agent.domain.record.events import Event
from agent.domain.record.pace import Pace
from agent.domain.record.topics import Topics
from agent.ports import Door

NAMES = [row.name for row in WATCHED]
ONCE = claims(uses=1, kiosk="g3/north-1")
SEALER = Sealer(bytes(range(32)))


def installation(folder: Path) -> Installation:
    return installation_of(site_of(folder, None))


class Files:
    """The stores of one folder, opened as the agent opens them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.installation = own = installation(folder)
        site = site_of(folder, None)
        own.judge()
        with ExitStack() as stack:
            self.registry = opened_or_anew(site, own, REGISTRY, self._registry)
            stack.callback(self.registry.close)
            self.journal = opened_or_anew(site, own, JOURNAL, self._journal)
            stack.callback(self.journal.close)
            self.ledger = ledger_or_anew(site, own)
            stack.callback(self.ledger.close)
            self.latches = latches_or_anew(site, own)
            stack.callback(self.latches.close)
            self.commands = commands_or_anew(site, own)
            stack.callback(self.commands.close)
            self._stack = stack.pop_all()
        self.wrong = own.judge()
        own.settle()

    def _registry(self) -> SqliteRegistry:
        registry = SqliteRegistry(REGISTRY.at(self.folder), SEALER, IDS.make)
        try:
            registry.revision()
            registry.damage()
        except BaseException:
            registry.close()
            raise
        return registry

    def _journal(self) -> SqliteJournal:
        faulty = self.installation.judge([JOURNAL.name])
        past = None if faulty else self.installation.past(JOURNAL.name)
        return SqliteJournal(JOURNAL.at(self.folder), set_aside, past)

    def live(self) -> None:
        """Each changes a little."""
        self.registry.put(holder(f"h{os.urandom(4).hex()}"), by=BY, now=NOW)
        self.journal.append(event())
        one = claims(uses=1, id=os.urandom(8).hex())
        assert self.ledger.consume(one.id, 1, one.valid_until)
        self.latches.save(Latches({"turnstile": DoorLatch(Mode.LOCKED_DOWN)}, {}))
        self.commands.begin(os.urandom(8).hex(), doubtful=False, at_least=0)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def opened(folder: Path) -> Iterator[Files]:
    with closing(Files(folder)) as files:
        yield files


def lived(folder: Path, *, remembered: bool = True) -> None:
    """A folder whose agent ran, and ended in good order."""
    with opened(folder) as files:
        files.live()
        if remembered:
            files.installation.settle()


def told(folder: Path) -> list[Event]:
    events: list[Event] = []
    installation(folder).tell(events.append)
    return events


def of_an_earlier_version(state: Path) -> None:
    """A folder that an agent left which marked no file."""
    lived(state)
    IDENTITY.at(state).unlink()
    for name in NAMES:
        with closing(sqlite3.connect(state / name)) as connection, connection:
            connection.execute("DROP TABLE standing")
            connection.execute("DROP TABLE remembered")


def every(folder: Path, name: str) -> list[Path]:
    """The database, its log and its index, as far as they are there."""
    return [path for end in ("", "-wal", "-shm") if (path := folder / f"{name}{end}").exists()]


def remove(folder: Path, name: str, _spare: Path) -> None:
    for path in every(folder, name):
        path.unlink()


def remove_the_database_alone(folder: Path, name: str, _spare: Path) -> None:
    (folder / name).unlink()


def truncate(folder: Path, name: str, _spare: Path) -> None:
    os.truncate(folder / name, 0)


def put_older_back(folder: Path, name: str, spare: Path) -> None:
    """With its log, and without the index, which no copy needs."""
    remove(folder, name, spare)
    for path in every(spare / "older", name):
        if not path.name.endswith("-shm"):
            shutil.copy(path, folder / path.name)


def put_anothers(folder: Path, name: str, spare: Path) -> None:
    remove(folder, name, spare)
    for path in every(spare / "another", name):
        shutil.copy(path, folder / path.name)


DAMAGES: list[Callable[[Path, str, Path], None]] = [
    remove,
    remove_the_database_alone,
    truncate,
    put_older_back,
    put_anothers,
]


def prepared(folder: Path) -> tuple[Path, Path]:
    """A folder of a killed agent's, its logs still there; and spare copies: older, another's."""
    shutil.copytree(_prepared_once(), folder, dirs_exist_ok=True)
    return folder / "state", folder / "spare"


@functools.cache
def _prepared_once() -> Path:
    # A copy costs a tenth of what it takes to live so long.
    folder = Path(tempfile.mkdtemp(prefix="gate-state-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    state, spare = folder / "state", folder / "spare"
    lived(state)
    with opened(state) as files:
        files.live()
        shutil.copytree(state, spare / "older")
        files.live()
        files.installation.settle()
        shutil.copytree(state, folder / "killed")
    shutil.rmtree(state)
    (folder / "killed").rename(state)
    for _ in range(9):
        lived(spare / "another")
    return folder


class Output:
    """A door that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def release(self, pulse_s: float) -> None:
        self.told.append(f"release {pulse_s:g}")

    def hold(self, for_s: float) -> None:
        self.told.append(f"hold {for_s:g}")

    def secure(self) -> None:
        self.told.append("secure")

    def close(self) -> None:
        """Nothing to let go."""


class Running:
    """The real core of an agent on a folder's files, under a clock of its own."""

    def __init__(self, files: Files, settings, registry: Registry) -> None:
        self.files = files
        self.clock = ManualClock(utc=datetime(2026, 5, 6, 12, tzinfo=UTC) + timedelta(hours=1))
        self.output = Output()
        self.told: list[object] = []
        faults = {part_of(name): detail_of(name, what) for name, what in files.wrong.items()}
        stores = CoreStores(
            files.journal,
            files.ledger,
            files.latches,
            budgets=files.latches,
            trusted_time=files.ledger,
            faults=faults,
        )
        self.core = Core(stores, Topics("lakeside", "g3", "north-1"), Pace(0.0, time.monotonic))
        doors: dict[str, Door] = {"turnstile": self.output}
        takers = dict.fromkeys(get_args(Told), self.told.append)
        outlets = Outlets(self.core.inbox.post, takers)
        self.loop: ControlLoop = self.core.control(settings, registry, doors, outlets, self.clock)
        self.loop.start()
        self.core.writer.drain()

    def tell(self, happened: object) -> None:
        self.core.inbox.post(happened)  # type: ignore[arg-type] # an input of the controller
        while not self.core.inbox.empty:
            self.loop.step(0.0)
        self.core.writer.drain()

    def events(self, family: str) -> list[tuple[str, dict[str, Any]]]:
        rows = self.files.journal.read(kind=f"{family}.*")
        return [(row.event.type.value, dict(row.event.data)) for row in rows]


def _do(deed: str, calls: str, path: str) -> None:
    place = Path(path)
    one = installation(place)
    deeds: dict[str, Callable[[], object]] = {
        "start": lambda: Files(place).close(),
        "settle": one.settle,
        "accept": lambda: one.accept(LEDGER.name, "a new card", BY),
    }
    killed_at(calls, deeds[deed])


if __name__ == "__main__":
    forked_kills(_do)
