"""A mark beside each row of the registry that gives or takes a right: a bit that flips is seen.

    mark = first 16 hexadecimal digits of SHA-256 of the row | space | whom the row is about

SQLite sees a broken page, not a broken value: ``enabled`` that reads 1 instead of 0 is a value as
good as any. The mark names the subject a second time, so that one fault never hides whom a row is
about, and what takes a right from somebody keeps doing so. It is no seal: it holds against a worn
card, and not against whoever writes the file.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

_DIGITS = 16
NAMED = _DIGITS + 2
"""The place of the subject's first character in a mark, counted from 1 as SQL does."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a row reads as it was written; else whom it is about, nobody where that is lost."""

    whole: bool
    subjects: frozenset[str] = frozenset()


def mark(subject: str, fields: Iterable[object]) -> str:
    """The mark of the row about ``subject`` with these other values, as SQLite gives them back."""
    return f"{_digest(subject, fields)} {subject}"


def judge(subject: object, fields: Iterable[object], found: object) -> Verdict:
    """What the row with the mark ``found`` is worth.

    Where column and mark name two people, the digest says which of them is meant; where it fits
    neither, it may be both.
    """
    values = tuple(fields)
    named = {one for one in (subject, _named(found)) if intact(one) and one}
    digest = found[:_DIGITS] if isinstance(found, str) else None
    meant = {one for one in named if _digest(one, values) == digest}
    whole = isinstance(subject, str) and meant == {subject} and found == mark(subject, values)
    return Verdict(whole, frozenset(meant or named))


def _named(found: object) -> str | None:
    """Whom the mark names."""
    if not isinstance(found, str) or len(found) < NAMED:
        return None
    return found[NAMED - 1 :]


def intact(text: object) -> TypeGuard[str]:
    """Whether a column holds a text, and one that was UTF-8 throughout."""
    if not isinstance(text, str):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:  # a byte that was no UTF-8 is half a surrogate
        return False
    return True


def _digest(subject: str, fields: Iterable[object]) -> str:
    # With their types: a number that became a text is another value.
    row = repr((subject, *fields)).encode(errors="surrogateescape")
    return hashlib.sha256(row).hexdigest()[:_DIGITS]
