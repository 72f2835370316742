"""A file of the state that no store can go on with, and a new one in its place, in fault.

    open --fails--> again --fails--> fault, durable --> moved aside --> a new one, empty

Fire, the exit button and the way out work whatever the files say, so none of them stops the agent:
by the fault the controller keeps the stricter side until a person accepts the new file. What no new
file would mend stops it: another process holds the database, or the disk is full or failing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from agent.adapters.store import verdicts
from agent.adapters.store.commands import SqliteCommands
from agent.adapters.store.installation import Installation
from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.owners import whose
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.record import salvage
from agent.adapters.store.sqlite import CorruptError, HinderedError
from agent.app.open.files.state import COMMANDS, JOURNAL, LATCHES, LEDGER, WATCHED, Row
from agent.app.open.site import Site
from agent.errors import StoreError

_log = structlog.get_logger(__name__)
T = TypeVar("T")


class _Store(Protocol):
    def close(self) -> None:
        """Let the file go."""


S = TypeVar("S", bound=_Store)


def opened_or_anew(site: Site, installation: Installation, row: Row, opened: Callable[[], T]) -> T:
    """What ``opened`` gives; where it fails by the file, what it gives on a new one.

    To be called by the agent only, at its start: it owns the file then.

    Raises:
        KeyUnavailableError: as ``opened`` raises it.
        StoreError: the file is locked, the folder cannot be written, the disk is full or failing.
    """
    try:
        return opened()
    except HinderedError:
        raise
    except StoreError:
        try:
            return opened()  # a store mends what it can, and says so the first time
        except HinderedError:
            raise
        except StoreError as error:
            wrong = _wrong(site, row, error)
    aside = installation.condemn(row.name, wrong)
    # Not the error's text: SQLite quotes what it stumbled over, which may be anything.
    _log.error("state_set_aside", file=row.name, why=wrong, aside=aside)
    return opened()


def ledger_or_anew(site: Site, installation: Installation) -> SqlitePassLedger:
    """The ledger of the agent that starts.

    Raises:
        StoreError: as ``opened_or_anew``.
    """

    def opened() -> SqlitePassLedger:
        store = SqlitePassLedger(LEDGER.at(site.state))
        return _read_through(store, store.uses, store.latest_trusted)

    return opened_or_anew(site, installation, LEDGER, opened)


def latches_or_anew(site: Site, installation: Installation) -> SqliteLatches:
    """The latches of the agent that starts.

    Raises:
        StoreError: as ``opened_or_anew``.
    """

    def opened() -> SqliteLatches:
        store = SqliteLatches(LATCHES.at(site.state))
        return _read_through(store, store.latches, store.positions, store.budgets, store.baseline)

    return opened_or_anew(site, installation, LATCHES, opened)


def commands_or_anew(site: Site, installation: Installation) -> SqliteCommands:
    """Which commands have run, of the agent that starts.

    Raises:
        StoreError: as ``opened_or_anew``.
    """

    def opened() -> SqliteCommands:
        store = SqliteCommands(COMMANDS.at(site.state))
        return _read_through(store, store.horizon, store.owed)

    return opened_or_anew(site, installation, COMMANDS, opened)


def forget_aside(site: Site, before: datetime) -> None:
    """Delete what was set aside before this moment, but for journals, which do so themselves.

    It holds whom the registry has forgotten since.
    """
    for row in WATCHED:
        if row is not JOURNAL:
            salvage.forget(row.at(site.state), before)


def _read_through(store: S, *reads: Callable[[], object]) -> S:
    """``store``, once all that is read of it at the start can be read; else it is closed.

    Raises:
        StoreError: as ``reads`` raise it.
    """
    try:
        for read in reads:
            read()
    except BaseException:
        store.close()
        raise
    return store


def _wrong(site: Site, row: Row, error: StoreError) -> str:
    if isinstance(error, CorruptError):
        return verdicts.DAMAGED
    owned = whose(row.at(site.state))
    return verdicts.BROKEN if owned is None else owned[0]
