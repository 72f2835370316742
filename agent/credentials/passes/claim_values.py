"""Values in the claims of passes and delegations: of their kind and within bounds, or refused."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from agent.credentials.formats import cbor

MOST_WORDS = 64
_WORD = re.compile(r"[A-Za-z0-9._/-]{1,128}")
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def check_words(words: Iterable[str]) -> None:
    """What names an issuer, a category, a community or an access point.

    Raises:
        ValueError: one does not.
    """
    if not all(_WORD.fullmatch(word) for word in words):
        raise ValueError("a name on a pass is 1 to 128 of A-Z a-z 0-9 . _ / -")


def text(value: cbor.Value) -> str:
    """A text.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - one kind of error for whatever is malformed
    return value


def texts(value: cbor.Value) -> frozenset[str]:
    """A list of texts.

    Raises:
        ValueError: it is none, or far too long.
    """
    if not isinstance(value, tuple) or len(value) > MOST_WORDS:
        raise ValueError("not a list of texts")
    return frozenset(map(text, value))


def count(value: cbor.Value) -> int | None:
    """A whole number, or none.

    Raises:
        ValueError: it is neither.
    """
    if value is not None and not cbor.is_int(value):
        raise ValueError("not a number")
    return value if value is None else int(value)


def moment(value: cbor.Value) -> datetime:
    """A NumericDate (RFC 8392).

    Raises:
        ValueError: it is none, or out of range.
    """
    if not cbor.is_int(value) and not isinstance(value, float):
        raise ValueError("not a time")
    if not 0 <= value <= _LATEST:
        raise ValueError("a time out of range")
    return datetime.fromtimestamp(value, UTC)
