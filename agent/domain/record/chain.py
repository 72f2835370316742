"""Each event carries the hash of the one before it: none can go, change or move unseen.

    event n    previous = link(n - 1)   data: open fields, commitments, salts, covered values
    skeleton   the event without data.salts and without the values that data.commitments names
    link(n)    hex of SHA-256(JCS(skeleton))                              -> previous of n + 1

What may be withheld (``[events] trace``) or is erased in time is covered: in its place the skeleton
has a salted hash of it, its commitment. So the link stays the same with the value and without it,
and whoever never gets the value can follow the chain. Without the salt, which goes with the value,
a commitment tells nothing of it.

    salt(field)        base64url of the first 16 bytes of HMAC-SHA256(the row's salt, field)
    commitment(field)  base64url of SHA-256(JCS([salt, field, value]))          both without padding
"""

import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from agent.domain.record.jcs import canonical

ORIGIN = "0" * 64
"""What the first of a chain carries as the link before it."""
SALT_BYTES = 16
LINK_BYTES = 32
_BLOCK_BYTES = 64
"""Of SHA-256, to which HMAC fills up its key."""
_INNER, _OUTER = (bytes(one ^ pad for one in range(256)) for pad in (0x36, 0x5C))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_HEX = frozenset("0123456789abcdef")


class Check(StrEnum):
    """What one event says of itself, without the one before it."""

    WHOLE = "whole"
    ALTERED = "altered"
    """A covered value does not fit its commitment, or the event has no form of its own."""
    UNCHAINED = "unchained"
    """It is of an agent from before the chain: ``previous`` is missing."""


def salts(row_salt: bytes, fields: Iterable[str]) -> dict[str, str]:
    """The salt of each of these covered fields: HMAC-SHA-256 (RFC 2104) of its name, cut.

    Not by ``hmac.digest``: that lets go of the interpreter's lock each time, and to get it back
    where another thread works costs many times the hash. ``hmac.new`` makes an object for each.
    """
    inner = row_salt.translate(_INNER) + _INNER[:1] * (_BLOCK_BYTES - len(row_salt))
    outer = row_salt.translate(_OUTER) + _OUTER[:1] * (_BLOCK_BYTES - len(row_salt))
    sha = hashlib.sha256
    return {
        name: base64_text(sha(outer + sha(inner + name.encode()).digest()).digest()[:SALT_BYTES])
        for name in fields
    }


def commitments(row_salt: bytes, fields: Mapping[str, Any]) -> dict[str, str]:
    """The commitment to each of these covered values.

    Raises:
        ValueError: a value has no canonical form.
    """
    found = salts(row_salt, fields).items()
    return {name: commitment(salt, name, fields[name]) for name, salt in found}


def commitment(salt: str, field: str, value: Any) -> str:
    """The hash that stands for ``value``.

    Raises:
        ValueError: the value has no canonical form.
    """
    return base64_text(hashlib.sha256(canonical([salt, field, value])).digest())


def link(event: Mapping[str, Any]) -> str:
    """The hash of a CloudEvent that the next one carries: 64 hexadecimal digits.

    The same for every copy of an event, whatever of its covered values is in the copy.

    Raises:
        ValueError: it has no canonical form.
    """
    return hashlib.sha256(canonical(skeleton(event))).hexdigest()


def skeleton(event: Mapping[str, Any]) -> dict[str, Any]:
    """What of a CloudEvent the link covers."""
    data = event.get("data")
    if not isinstance(data, Mapping):
        return dict(event)
    covered = _texts(data.get("commitments"))
    kept = {name: one for name, one in data.items() if name not in covered and name != "salts"}
    return {**event, "data": kept}


def check(event: Mapping[str, Any]) -> Check:
    """Whether the covered values in this copy of an event are those that it was made with.

    A value that is not in the copy is withheld or erased; that alone alters nothing.
    """
    if "previous" not in event:
        return Check.UNCHAINED
    try:
        link(event)
    except ValueError:
        return Check.ALTERED
    whole = _is_link(event["previous"]) and values_fit(event)
    return Check.WHOLE if whole else Check.ALTERED


def values_fit(event: Mapping[str, Any]) -> bool:
    """The part of ``check`` that is about the covered values of an event with a link."""
    data = event.get("data")
    if not isinstance(data, Mapping):
        return False
    given, known = _texts(data.get("salts")), _texts(data.get("commitments"))
    shown = {name for name in known if name in data}
    if shown != given.keys():
        return False
    if not (_none_or_texts(data, "salts") and _none_or_texts(data, "commitments")):
        return False
    try:
        return all(
            hmac.compare_digest(commitment(given[name], name, data[name]), known[name])
            for name in shown
        )
    except (ValueError, TypeError):
        return False


def follows(event: Mapping[str, Any], link_before: str) -> bool:
    """Whether ``event`` was recorded right after the event with this link."""
    return event.get("previous") == link_before


def base64_text(data: bytes) -> str:
    """``data`` in base64url without padding."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode()


def _is_link(value: object) -> bool:
    return isinstance(value, str) and len(value) == len(ORIGIN) and set(value) <= _HEX


def _texts(value: object) -> dict[str, str]:
    """The texts of an object by name; of anything else, none."""
    if not isinstance(value, Mapping):
        return {}
    return {name: one for name, one in value.items() if isinstance(one, str)}


def _none_or_texts(data: Mapping[str, Any], name: str) -> bool:
    """A copy whose ``salts`` or ``commitments`` are of another shape was made by nobody here."""
    value = data.get(name)
    if name not in data:
        return True
    return isinstance(value, Mapping) and bool(value) and len(_texts(value)) == len(value)
