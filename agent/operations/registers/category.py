"""Brings a holder from one category into another, and takes that back.

    change   the category becomes another; why is kept, sealed, and told in the event
    undo     the last change that is not taken back is; done again it takes back the one before

Nothing else of the holder changes: so an undo leaves all as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from agent.domain.credential.holder import Holder, HolderId, parse_holder_id
from agent.domain.credential.name import is_line, tidy
from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.registers.category import Category
from agent.domain.registers.record import CategoryChange
from agent.errors import RefusedError
from agent.operations.moments import bound_text
from agent.ports import Archive

LONGEST_REASON = 200


def change(
    store: Archive, holder: str, category: str, reason: str, *, by: str, now: Instant
) -> tuple[Holder, CategoryChange | None]:
    """The holder in the new category, and the change; None where they are in it already.

    Raises:
        RefusedError: ``no_such_holder``, ``category``, ``reason``.
        KeyUnavailableError: there is no key to seal the reason with.
    """
    wanted, why = _category(category), _reason(reason)
    return store.change_category(
        HolderId(holder), lambda one: replace(one, category=wanted), by=by, now=now, why=why
    )


def undo(
    store: Archive, holder: str, reason: str | None, *, by: str, now: Instant
) -> tuple[Holder, CategoryChange | None]:
    """The holder in the category of before the last change that stands.

    Raises:
        RefusedError: ``no_such_holder``; ``nothing_to_undo``; ``changed_meanwhile``.
        KeyUnavailableError: there is a reason, and no key to seal it with.
    """
    one = HolderId(holder)
    last = _last_that_stands(store.category_changes(one))
    if last is None:
        raise RefusedError("nothing_to_undo", "no change of category is known of this holder")

    def before(stored: Holder) -> Holder:
        if stored.category != last.became:
            raise RefusedError(
                "changed_meanwhile",
                "somebody else changed the category meanwhile\nFix: look again, and repeat",
            )
        return replace(stored, category=last.was)

    why = None if reason is None else _reason(reason)
    return store.change_category(one, before, by=by, now=now, why=why, undoes=last.number)


def doubts(
    after: Holder, categories: Sequence[Category], now: datetime, zone: tzinfo
) -> Iterable[str]:
    """What to say of a category that no table has, or whose records end sooner than this one."""
    found = next((one for one in categories if one.id == after.category), None)
    if found is None:
        near = did_you_mean(after.category, [one.id for one in categories])
        yield f"no archive category is called {after.category!r}{near}"
        return
    ends = found.ends(now, zone)
    if ends is not None and (after.valid_until is None or after.valid_until > ends):
        day = bound_text(ends, zone, ends=True)
        yield (
            f"{found.id} holds for {found.valid_days} days by its table, and this record longer\n"
            f"Fix: gate-agent holders set {after.id} --valid-until {day}"
        )


def as_json(change_made: CategoryChange) -> dict[str, Any]:
    """A change as ``--json`` prints it."""
    return {
        "number": change_made.number,
        "was": change_made.was,
        "became": change_made.became,
        "at": utc_text(change_made.at),
        "by": change_made.by,
        "reason": change_made.why,
        "undoes": change_made.undoes,
    }


def _last_that_stands(changes: Sequence[CategoryChange]) -> CategoryChange | None:
    undone = {one.undoes for one in changes}
    standing = [one for one in changes if one.undoes is None and one.number not in undone]
    return standing[-1] if standing else None


def _category(text: str) -> str:
    try:
        return str(parse_holder_id(text))
    except ValueError as error:
        said = "a category is 1 to 64 of A-Z a-z 0-9 . _ -, as the config's tables name it"
        raise RefusedError("category", said) from error


def _reason(text: str) -> str:
    reason = tidy(text)
    if not reason or len(reason) > LONGEST_REASON or not is_line(reason):
        said = f"a reason is one line of 1 to {LONGEST_REASON} characters"
        raise RefusedError("reason", f"{said}\nFix: --reason TEXT, which names nobody")
    return reason
