"""Opens the files of a state directory: journal and registry, to look at or to write.

Nothing is made by looking: only a write makes a database.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.adapters.store.owners import told
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.people.archive.registering import RegisteringRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.adapters.store.seal import Sealer
from agent.adapters.store.sqlite import CorruptError
from agent.app.open.files.installation import installation_of, settle, state_fault
from agent.app.open.files.keys import key_ring
from agent.app.open.files.state import JOURNAL, LEDGER, REGISTRY
from agent.app.open.site import Site, instant, make_event, new_event_id
from agent.domain.record.events import Event, EventType
from agent.errors import StoreError


@contextmanager
def _to_look_at(path: Path) -> Iterator[Path]:
    """``path``, or an empty place in its stead: looking makes no file."""
    if _is_there(path):
        if not path.stat().st_size and os.access(path, os.R_OK):
            # To open it would make a new one in its place.
            fix = f"put the right {path.name} back; gate-agent state show says more"
            raise StoreError(f"{path} is empty (0 bytes)", fix)
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
        said, fix = told(path, "read", error, fix)
        raise StoreError(said, fix) from error
    return True


def has_registry(site: Site) -> bool:
    """Whether somebody was ever enrolled here.

    Raises:
        StoreError: this user may not know.
    """
    return _is_there(REGISTRY.at(site.state))


def has_journal(site: Site) -> bool:
    """Whether something was ever written down here.

    Raises:
        StoreError: this user may not know.
    """
    return _is_there(JOURNAL.at(site.state))


@contextmanager
def read_journal(site: Site) -> Iterator[SqliteJournal]:
    """The journal of this state directory, to look at; empty where there is none.

    Raises:
        StoreError: it is locked, not ours, or damaged.
    """
    with (
        _to_look_at(JOURNAL.at(site.state)) as path,
        _opened_journal(replace(site, state=path.parent)) as journal,
    ):
        yield journal


@contextmanager
def read_registry(site: Site, key: "Key | None" = None) -> Iterator[RegisteringRegistry]:
    """The registry of this state directory, to look at; empty where there is none.

    Raises:
        KeyUnavailableError: the key is needed and missing, or is open to others.
        StoreError: the registry is damaged, locked, or not ours.
    """
    with (
        _to_look_at(REGISTRY.at(site.state)) as path,
        _opened_registry(replace(site, state=path.parent), key or Key.NONE) as registry,
    ):
        yield registry


@contextmanager
def open_journal(site: Site, *, may_set_aside: bool = False) -> Iterator[SqliteJournal]:
    """The journal of this state directory, made where there is none.

    One that is missing, older or foreign is opened all the same, its fault latched: what happens
    must be written down. Only its owner, the running agent, ``may_set_aside`` a damaged file: for
    anyone else it is in use, and moving it would part the agent from what it writes.

    Raises:
        StoreError: it is locked, not writable, not ours, or damaged.
    """
    installation = installation_of(site)
    faulty = installation.judge([JOURNAL.name])
    past = None if faulty else installation.past(JOURNAL.name)
    with _opened_journal(site, may_set_aside=may_set_aside, past=past) as journal:
        settle(installation, JOURNAL.name)
        yield journal


@contextmanager
def _opened_journal(
    site: Site, *, may_set_aside: bool = False, past: tuple[str, int] | None = None
) -> Iterator[SqliteJournal]:
    def set_aside(name: str) -> Event:
        if not may_set_aside:
            fix = "restart the agent: it sets the file aside and goes on with a new one"
            raise StoreError(f"{JOURNAL.at(site.state)} is damaged", fix)
        return make_event(EventType.JOURNAL_SET_ASIDE, {"file": name}, instant(site))

    # Without a config a command does not know where the kiosk stands: the journal does.
    source = None if site.place is None else site.source
    journal = SqliteJournal(JOURNAL.at(site.state), set_aside, past, source)
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


def latest_trusted(site: Site) -> datetime | None:
    """The latest time that surely was; None where it is not known, or not to be had now."""
    path = LEDGER.at(site.state)
    with contextlib.suppress(StoreError):
        if _is_there(path):
            with contextlib.closing(SqlitePassLedger(path)) as ledger:
                return ledger.latest_trusted()
    return None


class Key(Enum):
    """What a command needs the key for."""

    NONE = "what is not sealed: references and names stay closed"
    IF_ANY = "names, and references, where the key is there"
    NEEDED = "new references"


@contextmanager
def open_registry(
    site: Site, key: Key = Key.NONE, *, even_in_fault: bool = False
) -> Iterator[RegisteringRegistry]:
    """The registry of this state directory, made where there never was one.

    One that is missing, older or foreign is refused, but for the agent, which lets nobody in by it
    (``even_in_fault``): what is written there would be lost with it, or hide what it is. What the
    block changed is moved to the journal at its end, and what it deleted is erased from the file;
    where either fails now, the running agent does it, for it was stored with the change.

    Raises:
        KeyUnavailableError: the key is needed and missing, or is open to others.
        StoreError: the registry is damaged, locked, not writable, not ours, or in fault.
    """
    installation = installation_of(site)
    faulty = installation.judge([REGISTRY.name])
    if faulty and not even_in_fault:
        raise state_fault(site, REGISTRY, faulty[REGISTRY.name])
    with _opened_registry(site, key) as registry:
        settle(installation, REGISTRY.name)
        before = registry.revision()
        yield registry
        if registry.revision() != before:
            settle(installation, REGISTRY.name)


@contextmanager
def _opened_registry(site: Site, key: Key) -> Iterator[RegisteringRegistry]:
    sealer = None
    if key is Key.NEEDED or (key is Key.IF_ANY and os.path.lexists(site.key_file)):
        sealer = key_ring(site)
    with _registry_of(REGISTRY.at(site.state), sealer) as registry:
        before = registry.revision()
        yield registry
        if registry.revision() != before:
            move_changes(site, registry)
        with contextlib.suppress(StoreError):
            registry.erase()


def move_changes(site: Site, registry: RegisteringRegistry) -> None:
    """Move what the registry logged to the journal; where that fails now, the agent does it."""
    with contextlib.suppress(StoreError), open_journal(site) as journal:
        registry.transfer_changes(journal)
        journal.make_durable()


@contextmanager
def _registry_of(path: Path, sealer: Sealer | None) -> Iterator[RegisteringRegistry]:
    try:
        with contextlib.closing(RegisteringRegistry(path, sealer, new_event_id.make)) as registry:
            yield registry
    except CorruptError as error:
        fix = (
            f"stop the agent; put a copy of {path} back, or move it away, say so with"
            f" gate-agent state accept {path.name} --reason TEXT, and enrol again"
        )
        raise CorruptError(str(error), fix) from error
