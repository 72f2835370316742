"""A person's word on the time while no agent runs, for the one that starts next."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.open.site import Site, instant
from agent.app.open.state import LEDGER, LOCK
from agent.app.open.stores import record
from agent.domain.hours.instant import utc_text
from agent.domain.hours.reckoning import ClockChange, Reckoning
from agent.domain.record.events import EventType
from agent.errors import RefusedError, UnavailableError
from agent.operations.clock import shown, told_time

Shown = dict[str, str | bool | None]


def show(site: Site) -> Shown:
    """What the next agent would know of the time.

    Raises:
        StoreError: what the last one wrote down cannot be read.
    """
    if not os.path.lexists(LEDGER.at(site.state)):
        return shown(Reckoning(), instant(site))
    with _ledger(site) as ledger:
        return shown(Reckoning.since(ledger.latest_trusted()), instant(site))


def tell(site: Site, change: ClockChange, given: datetime | None, by: str, reason: str) -> Shown:
    """Write down the time that a person names, with an event that says who and why.

    Raises:
        RefusedError: no time was ever believed here, or the word does not fit what is known.
        StoreError: it cannot be written.
        UnavailableError: an agent runs on this state directory.
    """
    with _alone(site):
        if not os.path.lexists(LEDGER.at(site.state)):
            raise RefusedError("nothing_known", "no time was ever believed here")
        with _ledger(site) as ledger:
            before, now = ledger.latest_trusted(), instant(site)
            utc = told_time(Reckoning.since(before).heard(now), now, change, given)
            data = {
                "change": change.value,
                "by": by,
                "reason": reason,
                "was": None if before is None else utc_text(before),
                "utc": utc_text(utc),
            }
            # Said first: a word that is written down is in the journal too.
            record(site, EventType.CLOCK_SET, data)
            ledger.set_trusted(utc)
            return shown(Reckoning.since(utc), now)


@contextmanager
def _ledger(site: Site) -> Iterator[SqlitePassLedger]:
    ledger = SqlitePassLedger(LEDGER.at(site.state))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    """No agent runs on this state directory, and none starts meanwhile."""
    try:
        descriptor = os.open(LOCK.at(site.state), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK.mode)
    except OSError as error:
        fix = "run as the user who owns it, or name another --state-dir"
        raise UnavailableError(f"{site.state} cannot be written: {error.strerror}", fix) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        fix = "ask it as a user who may, or stop it first: systemctl stop gate-agent"
        raise UnavailableError(f"an agent runs on {site.state} and does not answer", fix) from error
    try:
        yield
    finally:
        os.close(descriptor)
