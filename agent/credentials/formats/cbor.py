"""CBOR (RFC 8949) from strangers: bounded, one item, no key twice, no tag that was not asked for.

cbor2 turns tags into Python objects of many kinds (patterns, big numbers, references to other
parts of the message). Here every tag is refused but those the caller names, which stay tags; so
nothing can be shared, nothing grows beyond its bytes and every value is one of ``Value``.
"""

import io
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

import cbor2

from agent.credentials.errors import CredentialError, unreadable

MAX_BYTES = 16_384
MAX_DEPTH = 16
_DEPTH_OF_CBOR2 = 400

Value = Any
"""int, float, str, bytes, bool, None, ``tuple``, immutable ``Mapping`` or ``cbor2.CBORTag``.

Match ``Mapping`` and ``tuple``, never ``dict`` and ``list``. A map's keys are int or str. A bool is
an int to Python: ``is_int`` tells them apart.
"""

_SCALARS = (bool, int, float, str, bytes, NoneType)
# The tags that cbor2 6 decodes by itself; every other one comes to the tag hook.
_BUILT_IN = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261)
_BUILT_IN_TOO = (1004, 43000, 55799)


class _TagRefusedError(Exception):
    """A tag stands where none was expected; cbor2 wraps it."""


def decode(data: bytes, *, tags: frozenset[int] = frozenset(), max_bytes: int = MAX_BYTES) -> Value:
    """The one item that ``data`` encodes; ``tags`` are kept as ``cbor2.CBORTag``.

    Indefinite lengths are allowed, as the standard allows them; a depth beyond ``MAX_DEPTH`` is
    not.

    Raises:
        CredentialError: ``Other``; the detail tells which of these rules is broken.
    """
    if len(data) > max_bytes:
        raise unreadable("CBOR: too long")
    stream = io.BytesIO(data)
    try:
        value = _decoder(stream, tags).decode(immutable=True)
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise _why(data, tags, error) from None
    if stream.tell() != len(data):
        raise unreadable("CBOR: bytes after the end")
    if not _is_plain(value):
        raise unreadable("CBOR: a value or key of a kind that no credential has")
    return value


def is_int(value: object) -> bool:
    """Whether ``value`` is a CBOR integer: in Python a bool is one too."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_json(value: Value) -> Any:
    """``value`` as JSON has it: bytes in hexadecimal digits."""
    match value:
        case bytes():
            return value.hex()
        case Mapping():
            return {str(name): as_json(one) for name, one in value.items()}
        case tuple() | list():
            return [as_json(one) for one in value]
    return value


def _decoder(
    stream: io.BytesIO,
    tags: frozenset[int],
    *,
    max_depth: int = MAX_DEPTH,
    allow_duplicate_keys: bool = False,
) -> cbor2.CBORDecoder:
    def other(tag: cbor2.CBORTag, _immutable: bool) -> cbor2.CBORTag:  # noqa: FBT001 - cbor2's form
        if tag.tag not in tags:
            raise _TagRefusedError
        return tag

    return cbor2.CBORDecoder(
        stream,
        tag_hook=other,
        semantic_decoders={
            number: _kept(number) if number in tags else _refuse
            for number in _BUILT_IN + _BUILT_IN_TOO
        },
        max_depth=max_depth,
        allow_duplicate_keys=allow_duplicate_keys,
    )


def _refuse(_value: object, _immutable: bool) -> object:  # noqa: FBT001 - cbor2's form
    raise _TagRefusedError


def _kept(number: int) -> Callable[[Any, bool], Any]:
    return lambda value, _immutable: cbor2.CBORTag(number, value)


def _why(data: bytes, tags: frozenset[int], error: BaseException) -> CredentialError:
    """Which rule is broken: the one without which the same bytes can be decoded."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _TagRefusedError):
            return unreadable("CBOR: a tag that does not belong there")
        cause = cause.__cause__
    if _decodes(_decoder(io.BytesIO(data), tags, allow_duplicate_keys=True)):
        return unreadable("CBOR: a map with one key twice")
    if _decodes(_decoder(io.BytesIO(data), tags, max_depth=_DEPTH_OF_CBOR2)):
        return unreadable("CBOR: nested too deeply")
    return unreadable("CBOR: not well-formed")


def _decodes(decoder: cbor2.CBORDecoder) -> bool:
    try:
        decoder.decode(immutable=True)
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, LookupError):
        return False
    return True


def _is_plain(value: object) -> bool:
    """Whether ``value`` holds only what ``Value`` names; its depth is bounded already."""
    if isinstance(value, _SCALARS):
        return True
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(
            (isinstance(key, str) or is_int(key)) and _is_plain(inner)
            for key, inner in value.items()
        )
    return isinstance(value, cbor2.CBORTag) and _is_plain(value.value)
