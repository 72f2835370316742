"""What to ask oneself before something is made that lasts: said as a warning, with the near match.

A warning has its fix, where it has one, behind a line break, as errors do.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, tzinfo

from agent.domain.credential.near import did_you_mean
from agent.operations.moments import bound_text


def past(what: str, ends: datetime | None, now: datetime, zone: tzinfo) -> str | None:
    """What to say where ``ends`` lies in the past; None where it does not."""
    if ends is None or ends > now:
        return None
    return f"{what} has ended already: {bound_text(ends, zone, ends=True)}"


def unruled(category: str, known: Collection[str] | None) -> str | None:
    """What to say of a category that no rule names; None where one does, or nobody can know."""
    if known is None or category in known:
        return None
    said = f"no rule names the category {category!r}{did_you_mean(category, known)}"
    return f"{said}: the gate refuses it; the rules name {', '.join(sorted(known)) or 'none'}"


def unknown_points(points: Iterable[str], known: Collection[str] | None) -> Iterator[str]:
    """What to say of each access point that this kiosk does not have."""
    if known is not None:
        for point in points:
            if point not in known:
                yield f"this kiosk has no access point {point!r}{did_you_mean(point, known)}"


def alike(what: str, word: str, known: Collection[str]) -> str | None:
    """What to say of a new name that is nearly another; None where it is known or like none."""
    near = "" if word in known else did_you_mean(word, known)
    return f"{what} {word!r} is new here{near}" if near else None
