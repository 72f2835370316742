"""Looks at holders and changes what the desk may change: everything but their faces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from agent.domain.credential.holder import Consent, Holder, HolderId
from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import Instant, utc_text
from agent.errors import RefusedError
from agent.operations.doubts import past, unruled
from agent.operations.people.enrol import make_holder
from agent.ports import HolderStore

NAMES_FIX = (
    "--config FILE, where the gate's config names its key; else put the key back that sealed them,"
    " or run as the user who may read it"
)
_UNREAD = "-"
"""Stands for a name that cannot be read while the rest of a holder is judged."""


@dataclass(frozen=True, slots=True)
class Change:
    """What to change; None leaves a value as it is.

    ``valid_from`` and ``valid_until`` are a pair of whether to change and the new value, since no
    bound is a value too.
    """

    name: str | None = field(default=None, repr=False)
    category: str | None = None
    enabled: bool | None = None
    valid_from: tuple[bool, datetime | None] = (False, None)
    valid_until: tuple[bool, datetime | None] = (False, None)


def find(store: HolderStore, holder_id: str) -> Holder:
    """The holder of this id.

    Raises:
        RefusedError: ``no_such_holder``; ``holder_unreadable``: the row is damaged.
    """
    for holder in store.readable_holders():
        if holder.id == holder_id:
            return holder
    if holder_id in store.damage().holders:
        fix = f"gate-agent holders remove {holder_id}, and enrol them again"
        raise RefusedError("holder_unreadable", f"the holder's row is damaged\nFix: {fix}")
    raise _no_such(store, holder_id)


def change(
    store: HolderStore,
    holder_id: str,
    wanted: Change,
    *,
    by: str,
    now: Instant,
    issued_s: int | None = None,
) -> tuple[Holder, bool]:
    """The holder with the change made, and whether that was one; nothing is written else.

    ``issued_s``: it was signed then (UTC); None: somebody here says so.

    Raises:
        RefusedError: there is no such holder, a new value is not one, or it is ``superseded``.
    """
    before = find(store, holder_id)
    made = make_holder(
        before.id,
        # A name that stays is not judged again: whoever is to be disabled is, whatever it holds.
        before.id if wanted.name is None else wanted.name,
        before.category if wanted.category is None else wanted.category,
        enabled=before.enabled if wanted.enabled is None else wanted.enabled,
        valid_from=wanted.valid_from[1] if wanted.valid_from[0] else before.valid_from,
        valid_until=wanted.valid_until[1] if wanted.valid_until[0] else before.valid_until,
    )
    name = before.name if wanted.name is None else made.name
    after = replace(made, name=name, consent=before.consent)
    if after == before:
        if wanted.enabled is False and issued_s is None:
            store.say_again(before.id, now=now)
        return before, False
    # Built on what was read: written over somebody's "disable", it would let them pass again.
    store.put(after, by=by, now=now, if_still=lambda stored: stored == before, issued_s=issued_s)
    return after, True


def doubts(
    after: Holder, wanted: Change, categories: frozenset[str] | None, now: datetime, zone: tzinfo
) -> list[str]:
    """What looks wrong about a change: a category that no rule names, an end that is past."""
    category = None if wanted.category is None else unruled(after.category, categories)
    ends = after.valid_until if wanted.valid_until[0] else None
    said = (category, past(f"the validity of {after.id}", ends, now, zone))
    return [one for one in said if one is not None]


def unread_names(holders: Iterable[Holder]) -> str | None:
    """What to say where names stay sealed; None where each was read."""
    count = sum(holder.name is None for holder in holders)
    if not count:
        return None
    what = "a name is" if count == 1 else f"{count} names are"
    return f"{what} sealed, and the key that sealed them is not there\nFix: {NAMES_FIX}"


def remove(
    store: HolderStore,
    holder_id: str,
    *,
    by: str,
    now: Instant,
    at_least: datetime | None = None,
    issued_s: int | None = None,
) -> HolderId:
    """Forget the holder and all references; passes about them that are no newer open nothing.

    ``at_least`` is a time that it surely is later than, where the clock may be behind.
    ``issued_s`` as in ``change``.

    Raises:
        RefusedError: ``no_such_holder``.
    """
    one = HolderId(holder_id)
    if not store.remove(one, by=by, now=now, at_least=at_least, issued_s=issued_s):
        raise _no_such(store, holder_id)
    return one


def _no_such(store: HolderStore, holder_id: str) -> RefusedError:
    # What was typed is not said again: it may be a name, or an ID number.
    near = did_you_mean(holder_id, [holder.id for holder in store.readable_holders()])
    fix = "gate-agent holders list"
    return RefusedError("no_such_holder", f"there is no such holder{near}\nFix: {fix}")


def as_json(holder: Holder, references: Mapping[str, int]) -> dict[str, Any]:
    """A holder as ``--json`` prints one; ``references`` counts them by pack."""
    return {
        "id": holder.id,
        "name": holder.name,
        "category": holder.category,
        "enabled": holder.enabled,
        "valid_from": None if holder.valid_from is None else utc_text(holder.valid_from),
        "valid_until": None if holder.valid_until is None else utc_text(holder.valid_until),
        "references": dict(references),
        "consent": None if holder.consent is None else consent_json(holder.consent),
    }


def consent_json(consent: Consent) -> dict[str, Any]:
    """To what a holder has agreed, as ``--json`` prints it and a file carries it."""
    return {"transmission": {"notice": consent.notice, "at": utc_text(consent.at)}}
