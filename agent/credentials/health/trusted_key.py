"""A key whose signatures count, for one kind of certificate, and for whom or what it may sign.

EU DCC               the key id is the first 8 bytes of the SHA-256 of the certificate; its
                     extended key usages may restrict it to vaccinations, tests, recoveries
SMART Health Card    the key id is the JWK thumbprint (RFC 7638) of the key; it belongs to the
                     issuer whose address stands as ``iss`` on the cards that it signs
"""

import base64
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import ec

from agent.credentials.formats.cose import PublicKey
from agent.credentials.health.health import HealthKind

_ISSUER = re.compile(r"https://[^\s?#]{1,500}[^\s?#/]", re.ASCII)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key, and what its certificate restricts, where there is one.

    ``usages`` holds the extended key usages as dotted OIDs, empty where they are not restricted.
    ``issuer`` is the address of a SMART Health Card's issuer; None where the list named none.
    """

    key: PublicKey = field(repr=False)
    key_ids: frozenset[bytes]
    thumbprint: str | None
    not_before: datetime | None = None
    not_after: datetime | None = None
    usages: frozenset[str] = frozenset()
    kind: HealthKind = HealthKind.EU_DCC
    issuer: str | None = None


def is_issuer(address: object) -> bool:
    """Whether it can stand as ``iss`` on a card: an https address without a slash behind it."""
    return isinstance(address, str) and _ISSUER.fullmatch(address) is not None


def known_as(address: str) -> str:
    """An issuer's address without what may be written in more ways than one.

    The host without case, port or root dot, a name in other letters as its ASCII form (IDNA), the
    path without case and escapes. Only for asking whether two addresses may be taken for each
    other: which key is whose goes by the address as it is written.
    """
    authority, _, path = address.removeprefix("https://").replace("\\", "/").partition("/")
    host = authority.rpartition("@")[2].partition(":")[0].rstrip(".").casefold()
    with suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")
    return f"{host}/{unquote(path).casefold()}"


def thumbprint(key: PublicKey) -> str | None:
    """RFC 7638 of an EC key on P-256, the only kind of SMART Health Cards."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return None
    numbers = key.public_numbers()
    members = {
        "crv": "P-256",
        "kty": "EC",
        "x": _base64url(numbers.x.to_bytes(32)),
        "y": _base64url(numbers.y.to_bytes(32)),
    }
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
