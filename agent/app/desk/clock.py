"""A person's word on the time while no agent runs, for the one that starts next."""

from datetime import datetime

from agent.app.open.files.ledger import alone, has_ledger, open_ledger
from agent.app.open.files.stores import record
from agent.app.open.site import Site, instant
from agent.domain.hours.instant import utc_text
from agent.domain.hours.reckoning import ClockChange, Reckoning
from agent.domain.record.events import EventType
from agent.errors import RefusedError
from agent.operations.clock import shown, told_time

Shown = dict[str, str | bool | None]


def show(site: Site) -> Shown:
    """What the next agent would know of the time.

    Raises:
        StoreError: what the last one wrote down cannot be read.
    """
    if not has_ledger(site):
        return shown(Reckoning(), instant(site))
    with open_ledger(site) as ledger:
        return shown(Reckoning.since(ledger.latest_trusted()), instant(site))


def tell(site: Site, change: ClockChange, given: datetime | None, by: str, reason: str) -> Shown:
    """Write down the time that a person names, with an event that says who and why.

    Raises:
        RefusedError: no time was ever believed here, or the word does not fit what is known.
        StoreError: it cannot be written.
        UnavailableError: an agent runs on this state directory.
    """
    if not has_ledger(site):
        raise RefusedError("nothing_known", "no time was ever believed here")
    with alone(site), open_ledger(site) as ledger:
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
