"""JSON (RFC 8259) from strangers: no key twice, no NaN, no number beyond a double."""

import math
from typing import Any

from agent.credentials.errors import unreadable
from agent.domain.foreign.json_text import TooDeepError, read_json

_MOST_DIGITS = 1000


class _RefusedError(ValueError):
    """A rule of this module is broken; the text is the fixed phrase."""


def loads(data: bytes | str) -> Any:
    """The value that ``data`` (UTF-8) stands for. The caller bounds the length.

    Raises:
        CredentialError: ``Other``; no JSON, nested too deeply, or one of the above.
    """
    try:
        return read_json(data, pairs=_object, constant=_constant, real=_finite)
    except (_RefusedError, TooDeepError) as error:
        raise unreadable(f"JSON: {error}") from None
    except ValueError:
        raise unreadable("JSON: not well-formed") from None


class Odd:
    """An object or a number that breaks a rule, in the place of its value; equal to nothing."""

    __slots__ = ()


def loads_by_parts(text: str) -> Any:
    """As ``loads``, but what breaks a rule of this module is an ``Odd`` in its place.

    So one object with a key twice does not take with it what stands beside it.

    Raises:
        CredentialError: ``Other``; no JSON at all, or nested too deeply.
    """
    try:
        return read_json(text, pairs=_object_or_odd, constant=_odd, whole=_int_or_odd)
    except TooDeepError as error:
        raise unreadable(f"JSON: {error}") from None
    except ValueError:
        raise unreadable("JSON: not well-formed") from None


def _object_or_odd(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Odd:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Odd()


def _odd(_text: str) -> Odd:
    return Odd()


def _int_or_odd(text: str) -> int | Odd:
    return int(text) if len(text) <= _MOST_DIGITS else Odd()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _RefusedError("an object with one key twice")
    return made


def _constant(_name: str) -> float:
    raise _RefusedError("a number that is none")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _RefusedError("a number that is none")
    return value
