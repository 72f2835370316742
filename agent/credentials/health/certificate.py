"""What of an X.509 certificate (RFC 5280) matters here: its key, its dates, what it may sign.

Signers' certificates are installed by a person, so no chain is followed. Each is read field by
field: one that a strict library refuses for something else in it (a default value written out, as
some national certificates have it) still tells these.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from agent.credentials.formats import der
from agent.credentials.formats.cose import PublicKey

KEY_ID_BYTES = 8
_EXTENDED_USAGE, _ALTERNATIVE_NAME = "2.5.29.37", "2.5.29.17"
_VERSION, _EXTENSIONS = der.context(0), der.context(3)
_FIELDS = 6
_CENTURY_TURNS = 50
_MOST_BYTES = 65_536
"""A signer's has some 1000; reading one takes longer than its bytes are many."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """``usages`` are the extended key usages as dotted OIDs; ``addresses`` its URIs."""

    key: PublicKey = field(repr=False)
    key_id: bytes
    not_before: datetime
    not_after: datetime
    usages: frozenset[str]
    addresses: frozenset[str]


def key_id_of(certificate_der: bytes) -> bytes:
    """The EU DCC's key id of a certificate."""
    return hashlib.sha256(certificate_der).digest()[:KEY_ID_BYTES]


def read_certificate(data: bytes) -> Certificate:
    """The certificate in DER.

    Raises:
        ValueError: it is none, or one of these cannot be read; the text is a fixed phrase.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError("a certificate that is too long")
    try:
        signed, _, _ = der.only_element(data).inside(der.SEQUENCE)
        parts = signed.inside(der.SEQUENCE)
        if parts and parts[0].tag == _VERSION:
            parts = parts[1:]
        _serial, _algorithm, _issuer, validity, _subject, key = parts[:_FIELDS]
        begin, end = map(_moment, validity.inside(der.SEQUENCE))
        found = _extensions(parts[_FIELDS:])
        usages = frozenset(map(der.object_id, _listed(found.get(_EXTENDED_USAGE))))
        addresses = frozenset(
            name.content.decode("ascii")
            for name in _listed(found.get(_ALTERNATIVE_NAME))
            if name.tag == der.URI_NAME
        )
    except ValueError:
        raise ValueError("a certificate that cannot be read") from None
    return Certificate(_key(key.whole), key_id_of(data), begin, end, usages, addresses)


def _key(data: bytes) -> PublicKey:
    try:
        key = load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("a key that cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey):
        raise ValueError("a key of an unknown kind")  # noqa: TRY004 - as whatever is malformed
    return key


def _extensions(rest: list[der.Element]) -> Mapping[str, bytes]:
    """The value of each extension by its id; whether one is critical is not asked."""
    found: dict[str, bytes] = {}
    for wrapped in rest:
        if wrapped.tag == _EXTENSIONS:
            for extension in der.only_element(wrapped.content).inside(der.SEQUENCE):
                name, *_, value = extension.inside(der.SEQUENCE)
                if value.tag != der.OCTET_STRING:
                    raise ValueError("an extension without a value")
                found[der.object_id(name)] = value.content
    return found


def _listed(value: bytes | None) -> list[der.Element]:
    return [] if value is None else der.only_element(value).inside(der.SEQUENCE)


def _moment(element: der.Element) -> datetime:
    """RFC 5280, 4.1.2.5: always UTC, always with seconds."""
    text = element.content.decode("ascii")
    digits = text.removesuffix("Z")
    if not text.endswith("Z") or not digits.isdigit():
        raise ValueError("no time of a certificate")
    if element.tag == der.UTC_TIME and len(digits) == 12:
        digits = ("19" if int(digits[:2]) >= _CENTURY_TURNS else "20") + digits
    elif element.tag != der.GENERALIZED_TIME or len(digits) != 14:
        raise ValueError("no time of a certificate")
    fields = (digits[:4], *(digits[start : start + 2] for start in range(4, 14, 2)))
    year, month, day, hour, minute, second = map(int, fields)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
