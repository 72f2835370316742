"""Databases that were brought into an empty folder: whether the agent can go by them."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.adapters.store import standing
from agent.adapters.store.commands import SqliteCommands
from agent.adapters.store.keys import load_key
from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.open.files.state import (
    COMMANDS,
    JOURNAL,
    JOURNAL_MARK,
    KEY,
    KEY_NEXT,
    LATCHES,
    LEDGER,
    REGISTRY,
    SEALING_KEY,
    SIGNING_KEY,
    TOMBSTONE_KEY,
    Row,
)
from agent.app.open.site import new_event_id
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event
from agent.errors import StoreError

_KEYS = (KEY, KEY_NEXT, TOMBSTONE_KEY, SIGNING_KEY, SEALING_KEY)


def check_brought(state: Path) -> None:
    """Each database there is ours, whole and no newer; older ones are brought up to date.

    They were copied one after the other: what they remember of each other is of later than what
    lies beside them, and would take that for an older copy. So they forget it.

    Raises:
        KeyUnavailableError: what has a key's name is none.
        StoreError: a database is not so.
    """

    def refuse(_name: str) -> Event:
        raise StoreError(f"{JOURNAL.name} is damaged", "take an older backup")

    stores: dict[Row, Callable[[Path], Any]] = {
        REGISTRY: lambda path: SqliteRegistry(path, None, new_event_id.make),
        JOURNAL: lambda path: SqliteJournal(path, refuse),
        LEDGER: SqlitePassLedger,
        LATCHES: SqliteLatches,
        COMMANDS: SqliteCommands,
    }
    there = [row for row in stores if os.path.lexists(row.at(state))]
    for row in there:
        stores[row](row.at(state)).close()
    JOURNAL_MARK.at(state).unlink(missing_ok=True)
    for row in there:
        if row in (REGISTRY, JOURNAL):
            standing.forget_beside(row.at(state), row.name)
    for row in _KEYS:
        if os.path.lexists(row.at(state)):
            load_key(row.at(state))


@dataclass(frozen=True, slots=True)
class Gone:
    """Who was removed elsewhere, at that time if known, and which passes were revoked there."""

    holders: Sequence[tuple[HolderId, datetime | None]] = ()
    passes: Sequence[PassId] = ()


def bring_up_to_date(state: Path, gone: Gone, *, by: str, now: Instant) -> tuple[int, int]:
    """What is gone elsewhere goes here too: how many holders were here, how many passes are new.

    Raises:
        KeyUnavailableError: the key of tombstones cannot be read or made.
        StoreError: the registry cannot be written.
    """
    if not gone.holders and not gone.passes:
        return 0, 0
    path = REGISTRY.at(state)
    with contextlib.closing(SqliteRegistry(path, None, new_event_id.make)) as registry:
        removed = sum(registry.bury(one, removed_at=at, by=by, now=now) for one, at in gone.holders)
        revoked = sum(registry.revoke(one, by=by, now=now) for one in gone.passes)
        registry.erase()
    return removed, revoked
