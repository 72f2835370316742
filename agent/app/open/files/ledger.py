"""The pass ledger of an agent that is stopped, for a command that writes in its stead."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.open.files.running import held
from agent.app.open.files.state import LEDGER
from agent.app.open.site import Site
from agent.errors import UnavailableError


def has_ledger(site: Site) -> bool:
    """Whether an agent ever ran here."""
    return os.path.lexists(LEDGER.at(site.state))


@contextmanager
def open_ledger(site: Site) -> Iterator[SqlitePassLedger]:
    """The ledger of this state directory, made where there is none.

    Raises:
        StoreError: it is damaged, locked, not writable, or not ours.
    """
    ledger = SqlitePassLedger(LEDGER.at(site.state))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def alone(site: Site) -> Iterator[None]:
    """No agent runs on this state directory, and none starts meanwhile.

    Raises:
        UnavailableError: one does, or this user may not know.
    """
    fix = "ask it as a user who may, or stop it first: systemctl stop gate-agent"
    taken = UnavailableError(f"an agent runs on {site.state} and does not answer", fix)
    with held(site.state, taken):
        yield
