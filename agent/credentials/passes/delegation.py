"""A delegation: an issuer hands on a part of what it may do, signed with its own pass key.

    "GD1:"  base45  COSE_Sign1 (RFC 9052, EdDSA)  CWT claims (RFC 8392)

    1 iss    who hands on, as on its passes      2 sub    to whom, as on theirs
    4 exp    5 nbf    6 iat                      exp and nbf bound the time of the other's key
    -70001   {1: the other's public key (32 bytes, Ed25519), 2: [categories],
              3: longest validity of a pass in seconds, 4: [access points]}

What of 2 to 4 is absent is not limited; one at least is there. Only a key that is trusted without
limits hands on: it could have signed whatever the other one signs. Nothing here is true before the
signature is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.credentials.errors import unreadable
from agent.credentials.formats import base45, cbor, cose
from agent.credentials.passes.claim_values import check_words, count, moment, text, texts
from agent.domain.credential.gate_pass import GatePass

PREFIX = "GD1:"
MAX_BYTES = 8192
_ISS, _SUB, _EXP, _NBF, _IAT, _DELEGATION = 1, 2, 4, 5, 6, -70001
_KEY, _CATEGORIES, _LONGEST, _ACCESS_POINTS = range(1, 5)
_LONGEST_S = range(1, 100 * 366 * 86_400)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an issuer's passes must keep to; None is no limit, an empty set never occurs."""

    categories: frozenset[str] | None = None
    longest: timedelta | None = None
    access_points: frozenset[str] | None = None

    def breach(self, claims: GatePass) -> str | None:
        """How ``claims`` go beyond them, as a fixed phrase; None where they do not.

        A pass that names no access point would open at all of them, and one that neither says
        when it begins nor when it was issued could last for ever.
        """
        if self.categories is not None and claims.category not in self.categories:
            return "pass: a category that its issuer may not give"
        if self.longest is not None:
            begin = claims.valid_from or claims.issued_at
            if begin is None or claims.valid_until - begin > self.longest:
                return "pass: valid for longer than its issuer may give"
        points = self.access_points
        if points is not None and not (claims.access_points and claims.access_points <= points):
            return "pass: an access point that its issuer may not give"
        return None


@dataclass(frozen=True, slots=True)
class Delegation:
    """``grantor`` says what ``issuer`` may do with its key; ``valid_from <= now < valid_until``."""

    grantor: str
    issuer: str
    key: Ed25519PublicKey
    limits: Limits
    valid_from: datetime | None
    valid_until: datetime | None
    data: bytes = field(repr=False)
    """The message as it was signed, to be kept and checked again."""
    _message: cose.Sign1 = field(repr=False, compare=False)

    @property
    def grantor_key_id(self) -> bytes | None:
        """The id of the key that signed it."""
        return self._message.key_id

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether ``key`` signed it."""
        return self._message.algorithm is cose.Algorithm.EDDSA and cose.verify(self._message, key)


def delegate(
    key: Ed25519PublicKey,
    limits: Limits,
    *,
    issuers: tuple[str, str],
    signer: tuple[Ed25519PrivateKey, bytes],
    issued_at: datetime,
    validity: tuple[datetime | None, datetime | None] = (None, None),
) -> str:
    """The text by which the first of ``issuers`` lets the second sign with ``key``.

    ``signer`` is the first one's private key and its id.

    Raises:
        ValueError: nothing is limited, or it contradicts itself.
    """
    listed = {_CATEGORIES: limits.categories, _ACCESS_POINTS: limits.access_points}
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    inner: dict[int, Any] = {_KEY: raw}
    inner |= {label: sorted(words) for label, words in listed.items() if words is not None}
    if limits.longest is not None:
        inner[_LONGEST] = int(limits.longest.total_seconds())
    body: dict[int, Any] = {_ISS: issuers[0], _SUB: issuers[1], _IAT: int(issued_at.timestamp())}
    body |= {
        label: int(end.timestamp())
        for label, end in zip((_NBF, _EXP), validity, strict=True)
        if end is not None
    }
    payload = cbor2.dumps(body | {_DELEGATION: inner}, canonical=True)
    # As whoever trusts it will: what contradicts itself is not signed.
    _claims(payload)
    data = cose.sign(payload, *signer, tagged=False)
    if len(data) > MAX_BYTES:
        raise ValueError(f"the delegation takes {len(data)} bytes, at most {MAX_BYTES} fit")
    return PREFIX + base45.encode(data)


def read_text(delegation: str) -> Delegation:
    """The delegation in a text; its signature is not checked.

    Raises:
        CredentialError: ``Other``; it is none.
    """
    if not delegation.startswith(PREFIX):
        raise unreadable("delegation: the prefix is missing")
    longest = MAX_BYTES // 2 * 3 + 2
    return read(base45.decode(delegation[len(PREFIX) :], longest))


def read(data: bytes) -> Delegation:
    """The delegation in a signed message; its signature is not checked.

    Raises:
        CredentialError: ``Other``; it is none.
    """
    message = cose.parse(data, MAX_BYTES)
    try:
        grantor, issuer, key, limits, begin, end = _claims(message.payload)
    except ValueError:
        raise unreadable("delegation: its claims are malformed") from None
    return Delegation(grantor, issuer, key, limits, begin, end, data, message)


def _claims(
    payload: bytes,
) -> tuple[str, str, Ed25519PublicKey, Limits, datetime | None, datetime | None]:
    body = cbor.decode(payload, max_bytes=MAX_BYTES)
    inner = body.get(_DELEGATION) if isinstance(body, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get(_KEY), bytes):
        raise unreadable("delegation: its claims are malformed")
    grantor, issuer = text(body.get(_ISS)), text(body.get(_SUB))
    limits = _limits(inner)
    check_words((grantor, issuer, *(limits.categories or ()), *(limits.access_points or ())))
    begin = None if _NBF not in body else moment(body[_NBF])
    end = None if _EXP not in body else moment(body[_EXP])
    if begin is not None and end is not None and begin >= end:
        raise ValueError("a delegation begins before it ends")
    return grantor, issuer, Ed25519PublicKey.from_public_bytes(inner[_KEY]), limits, begin, end


def _limits(inner: Mapping[Any, cbor.Value]) -> Limits:
    # What a later version may limit is not known here, so nothing of it is believed.
    unknown = set(inner) - {_KEY, _CATEGORIES, _LONGEST, _ACCESS_POINTS}
    if unknown or len(inner) < 2:
        raise ValueError("a delegation limits categories, validity or access points")
    longest = count(inner.get(_LONGEST))
    if longest is not None and longest not in _LONGEST_S:
        raise ValueError("a longest validity is 1 second to 100 years")
    listed = [
        None if label not in inner else texts(inner[label])
        for label in (_CATEGORIES, _ACCESS_POINTS)
    ]
    if frozenset() in listed:
        raise ValueError("a delegation without a category or an access point allows nothing")
    span = None if longest is None else timedelta(seconds=longest)
    return Limits(listed[0], span, listed[1])
