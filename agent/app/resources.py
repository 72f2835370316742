"""Opens what commands and the daemon share: registry, journal, key and face engine.

Each is opened from the state directory and the config, where there is one; most commands work
without. Nothing is made by looking: only a write makes a database.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from agent import logs
from agent.adapters.clock import SystemClock
from agent.adapters.insightface_engine import InsightfaceEngine
from agent.adapters.store.journal import SqliteJournal
from agent.adapters.store.keys import init_key, key_path, load_key
from agent.adapters.store.registry import SqliteRegistry
from agent.adapters.store.seal import Sealer, key_id
from agent.adapters.store.sqlite import CorruptError
from agent.config import ConfigFile, FaceConfig, StoreConfig, load_config
from agent.domain.events import Event, EventType
from agent.domain.instant import Instant
from agent.domain.topics import Topics
from agent.domain.uuid7 import Uuid7Source
from agent.errors import StoreError
from agent.vision.engine import FaceEngine, load_engine
from agent.vision.manifest import InsightfaceDetector
from agent.vision.packs import InstalledPack, load_pack

JOURNAL_NAME = "journal.sqlite"
REGISTRY_NAME = "registry.sqlite"
LEDGER_NAME = "passes.sqlite"
LATCHES_NAME = "latches.sqlite"

new_event_id = Uuid7Source(os.urandom)
"""Ids of the events that this process makes."""


@dataclass(frozen=True, slots=True)
class Site:
    """What of the config a command needs; without a config, what holds by default.

    ``categories`` are those that a rule names, None where no config says; ``source`` is the
    CloudEvents source.
    """

    state: Path
    face: FaceConfig
    store: StoreConfig
    key_file: Path
    zone: tzinfo
    categories: frozenset[str] | None
    source: str
    trust_system_clock: bool


def site_of(state: Path, config: Path | None) -> Site:
    """What ``config`` says, or the defaults where it is None.

    Raises:
        ConfigError: it is wrong.
    """
    if config is None:
        source = Topics("local", "local", "kiosk").source
        key_file = key_path(None, state)
        return Site(state, FaceConfig(), StoreConfig(), key_file, UTC, None, source, False)
    file = load_config(config)
    kiosk, store = file.config.kiosk, file.config.store
    return Site(
        state=state,
        face=file.config.face,
        store=store,
        key_file=key_path(None if store.key_file is None else file.resolve(store.key_file), state),
        zone=ZoneInfo(kiosk.timezone),
        categories=frozenset(name for rule in file.config.rule for name in rule.categories),
        source=Topics(kiosk.community, kiosk.grid, kiosk.id).source,
        trust_system_clock=file.config.clock.trust_system_clock,
    )


def command_site(state: Path, config: Path | None) -> Site:
    """``site_of`` for a command of a person: what adapters log goes to stderr, warnings only.

    Raises:
        ConfigError: it is wrong.
    """
    logs.configure("warning")
    return site_of(state, config)


def instant(site: Site) -> Instant:
    """Now, for a command."""
    return SystemClock(trust_system_clock=site.trust_system_clock).now()


def make_event(kind: EventType, data: Mapping[str, Any], now: Instant) -> Event:
    """An event that did not come from the controller."""
    return Event(new_event_id.make(now.utc), kind, now.utc, now.utc_trusted, None, data)


@contextmanager
def _to_look_at(path: Path) -> Iterator[Path]:
    """``path``, or an empty place in its stead: looking makes no file."""
    if _is_there(path):
        yield path
        return
    with TemporaryDirectory(prefix="gate-agent-") as folder:
        yield Path(folder) / path.name


def _is_there(path: Path) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        fix = "run as the user who owns the state directory, or name another --state-dir"
        raise StoreError(f"{path} cannot be read: {error.strerror}", fix) from error
    return True


def has_registry(site: Site) -> bool:
    """Whether somebody was ever enrolled here.

    Raises:
        StoreError: this user may not know.
    """
    return _is_there(site.state / REGISTRY_NAME)


def has_journal(site: Site) -> bool:
    """Whether something was ever written down here.

    Raises:
        StoreError: this user may not know.
    """
    return _is_there(site.state / JOURNAL_NAME)


@contextmanager
def read_journal(site: Site) -> Iterator[SqliteJournal]:
    """The journal of this state directory, to look at; empty where there is none.

    Raises:
        StoreError: it is locked, not ours, or damaged.
    """
    with (
        _to_look_at(site.state / JOURNAL_NAME) as path,
        open_journal(replace(site, state=path.parent)) as journal,
    ):
        yield journal


@contextmanager
def read_registry(site: Site, key: "Key | None" = None) -> Iterator[SqliteRegistry]:
    """The registry of this state directory, to look at; empty where there is none.

    Raises:
        KeyUnavailableError: the key is needed and missing, or is open to others.
        StoreError: the registry is damaged, locked, or not ours.
    """
    with (
        _to_look_at(site.state / REGISTRY_NAME) as path,
        open_registry(replace(site, state=path.parent), key or Key.NONE) as registry,
    ):
        yield registry


@contextmanager
def open_journal(site: Site, *, may_set_aside: bool = False) -> Iterator[SqliteJournal]:
    """The journal of this state directory, made where there is none.

    Only its owner, the running agent, ``may_set_aside`` a damaged file: for anyone else it is in
    use, and moving it would part the agent from what it writes.

    Raises:
        StoreError: it is locked, not writable, not ours, or damaged.
    """

    def set_aside(name: str) -> Event:
        if not may_set_aside:
            fix = "restart the agent: it sets the file aside and goes on with a new one"
            raise StoreError(f"{site.state / JOURNAL_NAME} is damaged", fix)
        return make_event(EventType.JOURNAL_SET_ASIDE, {"file": name}, instant(site))

    journal = SqliteJournal(site.state / JOURNAL_NAME, set_aside)
    try:
        yield journal
    finally:
        journal.close()


def record(site: Site, kind: EventType, data: Mapping[str, Any]) -> None:
    """Write down what a command did.

    Raises:
        StoreError: the journal cannot be written.
    """
    with open_journal(site) as journal:
        journal.append(make_event(kind, data, instant(site)))
        journal.make_durable()


class Key(Enum):
    """What a command needs the key for."""

    NONE = "holders only: references stay sealed"
    IF_ANY = "references, where there are any"
    NEEDED = "new references"


@contextmanager
def open_registry(site: Site, key: Key = Key.NONE) -> Iterator[SqliteRegistry]:
    """The registry of this state directory, made where there is none.

    What the block changed is moved to the journal at its end; where that fails now, the running
    agent does it, for the event was stored with the change.

    Raises:
        KeyUnavailableError: the key is needed and missing, or is open to others.
        StoreError: the registry is damaged, locked, not writable, or not ours.
    """
    sealer = None
    if key is Key.NEEDED or (key is Key.IF_ANY and os.path.lexists(site.key_file)):
        sealer = Sealer(load_key(site.key_file))
    with _registry_of(site.state / REGISTRY_NAME, sealer) as registry:
        before = registry.revision()
        yield registry
        if registry.revision() != before:
            with contextlib.suppress(StoreError), open_journal(site) as journal:
                registry.transfer_changes(journal)
                journal.make_durable()


@contextmanager
def _registry_of(path: Path, sealer: Sealer | None) -> Iterator[SqliteRegistry]:
    try:
        with contextlib.closing(SqliteRegistry(path, sealer, new_event_id.make)) as registry:
            yield registry
    except CorruptError as error:
        fix = f"stop the agent; put a copy of {path} back, or move it away and enrol again"
        raise CorruptError(str(error), fix) from error


def make_key(site: Site) -> str:
    """Make the key; its id.

    Raises:
        RefusedError: there is one already.
        KeyUnavailableError: the place cannot be written.
    """
    init_key(site.key_file)
    return key_id_of(site)


def key_id_of(site: Site) -> str:
    """The key's id, which tells nothing of the key.

    Raises:
        KeyUnavailableError: it is missing, open to others, or no key.
    """
    return key_id(load_key(site.key_file)).hex()


def load_community_key(file: ConfigFile) -> bytes | None:
    """What every kiosk of the community shares; None where the config names no such key.

    Raises:
        KeyUnavailableError: its file is missing, open to others, or holds no key.
    """
    named = file.config.pass_.community_key_file
    return None if named is None else load_key(file.resolve(named))


def open_engine(state: Path, pack: str, threads: int = 1) -> FaceEngine:
    """The face engine of an installed pack.

    Raises:
        ModelPackError: it is not installed, or a file of it is wrong.
        UnavailableError: it needs insightface, which is not installed.
    """
    return engine_of(load_pack(pack, state), threads)


def engine_of(pack: InstalledPack, threads: int) -> FaceEngine:
    """Our own engine, or insightface's where the manifest's detector is that."""
    if isinstance(pack.manifest.detector, InsightfaceDetector):
        return InsightfaceEngine(pack.directory, pack.manifest, threads=threads)
    return load_engine(pack, threads)
