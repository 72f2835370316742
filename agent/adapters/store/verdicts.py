"""Whether a file of the state is the one that was there: what was found against what is known.

    known / found   missing     empty      no identity   another's   ours, fewer   ours
    nothing yet      made        made       taken         fault       -             taken
    a counter        fault       fault      fault         fault       fault         well

Where the installation's own file is gone, other files may still remember; what nobody remembers is
in fault, because nothing says that it is no older copy.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from agent.adapters.store.standing import Found, Presence
from agent.domain.record.events import Event

MISSING = "it is missing"
EMPTY = "it is empty (0 bytes)"
OLDER = "it is an older copy"
FOREIGN = "it is of another installation"
UNMARKED = "it carries no installation's identity, and the file that was there did"
BROKEN = "it cannot be read, or is none of ours"
DAMAGED = "it is damaged"
FORGOTTEN = "nothing remembers how far it had come"


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an installation.

    ``files`` says how far each had come at least, None for one that was never there yet;
    ``faults`` are latched, by file, until a person accepts it. ``untold`` waits for the journal.
    """

    identity: str
    files: Mapping[str, int | None]
    faults: Mapping[str, str] = field(default_factory=dict)
    untold: tuple[Event, ...] = ()


def verdict(known: Known, name: str, found: Found) -> str | None:
    """What is wrong with the file; None where it may be used, or its store tells what is wrong."""
    if name in known.faults:
        return known.faults[name]
    counter = known.files.get(name)
    if found.presence is Presence.UNREADABLE:
        return None
    if counter is None:
        foreign = found.identity not in (None, known.identity)
        # A log beside nothing: there was a database once.
        bare = found.presence is not Presence.THERE and found.log
        return FOREIGN if foreign else EMPTY if bare else None
    if found.presence is Presence.MISSING:
        return MISSING
    if found.presence is Presence.EMPTY:
        return EMPTY
    if found.identity is None:
        return UNMARKED
    if found.identity != known.identity:
        return FOREIGN
    return OLDER if found.counter < counter else None


def first(found: Mapping[str, Found]) -> Known:
    """A new installation, or the adoption of files of an earlier version, which carry no identity.

    No file of it is made before the installation is known: one that is empty was something once.
    """
    emptied = {
        name: EMPTY
        for name, one in found.items()
        if one.presence is Presence.EMPTY or (one.presence is Presence.MISSING and one.log)
    }
    return Known(secrets.token_hex(16), dict.fromkeys(found), emptied)


def is_first(found: Mapping[str, Found]) -> bool:
    """Whether no file says that there was an installation before."""
    return all(one.identity is None and not one.remembered for one in found.values())


def recovered(found: Mapping[str, Found]) -> Known:
    """An installation whose own file is gone or damaged, as far as its other files remember it."""
    carried = Counter(one.identity for one in found.values() if one.identity is not None)
    told = Counter(whose for one in found.values() for whose, _ in one.remembered.values())
    likely = carried.most_common(1) or told.most_common(1)
    identity = likely[0][0] if likely else secrets.token_hex(16)
    files = mirrored(identity, found, found)
    gone = {Presence.MISSING: MISSING, Presence.EMPTY: EMPTY}
    faults = {
        name: gone.get(one.presence, FORGOTTEN) for name, one in found.items() if name not in files
    }
    return Known(identity, {name: files.get(name, 0) for name in found}, faults)


def mirrored(identity: str, found: Mapping[str, Found], names: Collection[str]) -> dict[str, int]:
    """How far each of ``names`` had come, as the files ``found`` remember of the others."""
    files: dict[str, int] = {}
    for holder, one in found.items():
        for name, (whose, counter) in one.remembered.items():
            if whose == identity and name != holder and name in names:
                files[name] = max(files.get(name, 0), counter)
    return files
