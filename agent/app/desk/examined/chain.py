"""The journal's chain, as facts."""

from pathlib import Path

from agent.app.desk.verifying import own_key, verify_journal
from agent.app.open.site import site_of
from agent.operations.examination.facts import JournalFact

_NEWEST = 2000
"""Events that are looked over at every visit: a second of a small board."""
_TOLD = 3


def journal_fact(state: Path, config: Path | None, *, deep: bool) -> JournalFact:
    """The newest events, or with ``deep`` all; no sentence of it names anybody.

    Raises:
        StoreError: it cannot be read.
    """
    site = site_of(state, config)
    report = verify_journal(site, own_key(site), lambda *_: None, None if deep else _NEWEST)
    events = sum(one.events for one in report.streams)
    flaws = [f"{one.flaw.value} from {one.first}: {one.detail}" for one in report.findings]
    more = [f"and {len(flaws) - _TOLD} more"] if len(flaws) > _TOLD else []
    return JournalFact(events, deep or events < _NEWEST, (*flaws[:_TOLD], *more))
