"""Keys as JWK (RFC 7517), and which kind of health certificate each is for.

A key whose id has the eight bytes of an EU certificate's is for EU certificates, and so is one
that cannot sign SMART Health Cards, which take P-256 only. Every other one is for those. Whoever
installs a list may say so for all of it.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from agent.credentials.formats import base64url
from agent.credentials.formats.cose import PublicKey
from agent.credentials.health.certificate import KEY_ID_BYTES, Certificate, read_certificate
from agent.credentials.health.health import HealthKind
from agent.credentials.health.trusted_key import TrustedKey, is_issuer, thumbprint

_CURVES: Mapping[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}


def read_jwk(jwk: object, kind: HealthKind | None = None, issuer: str | None = None) -> TrustedKey:
    """The key, for ``kind`` where it is given and of ``issuer`` where that is.

    Raises:
        ValueError: it is damaged, or not for signatures that occur here; a fixed phrase.
    """
    if not isinstance(jwk, Mapping):
        raise ValueError("not a JWK")  # noqa: TRY004 - one kind of error for whatever is malformed
    if jwk.get("use", "sig") != "sig":
        raise ValueError("not a key for signatures")
    key = _key_of(jwk)
    declared = _declared_id(jwk)
    certificate = _certified_by(jwk, key)
    if kind is None:
        by_eu_id = any(len(each) == KEY_ID_BYTES for each in declared)
        eu = by_eu_id or thumbprint(key) is None
        kind = HealthKind.EU_DCC if eu else HealthKind.SMART_HEALTH_CARD
    if kind is HealthKind.SMART_HEALTH_CARD and thumbprint(key) is None:
        raise ValueError("not a key that signs SMART Health Cards")
    found = TrustedKey(key, declared, thumbprint(key), kind=kind, issuer=issuer)
    if certificate is None:
        return found
    if kind is HealthKind.SMART_HEALTH_CARD and issuer is None:
        issuer = min(filter(is_issuer, certificate.addresses), default=None)
    return replace(
        found,
        key_ids=declared | {certificate.key_id},
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        usages=certificate.usages,
        issuer=issuer,
    )


def unbase64(text: str) -> bytes:
    """The bytes of base64url, with its padding or without.

    Raises:
        ValueError: it is none.
    """
    return base64url.decode(text.rstrip("="))


def _key_of(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    try:
        if jwk["kty"] == "EC":
            x, y = _integer(jwk["x"]), _integer(jwk["y"])
            return ec.EllipticCurvePublicNumbers(x, y, _CURVES[jwk["crv"]]()).public_key()
        if jwk["kty"] == "RSA":
            return rsa.RSAPublicNumbers(_integer(jwk["e"]), _integer(jwk["n"])).public_key()
    except (ValueError, TypeError, KeyError):
        raise ValueError("a key that cannot be read") from None
    raise ValueError("a key of an unknown kind")


def _declared_id(jwk: Mapping[str, Any]) -> frozenset[bytes]:
    """What EU lists call a key: its key id in either base64."""
    kid = jwk.get("kid")
    if not isinstance(kid, str):
        return frozenset()
    try:
        return frozenset({unbase64(kid.replace("+", "-").replace("/", "_"))})
    except ValueError:
        return frozenset()


def _certified_by(jwk: Mapping[str, Any], key: PublicKey) -> Certificate | None:
    """What the first certificate of x5c adds, if it is one for this key.

    Raises:
        ValueError: there is one that cannot be read: what it restricts is not known then.
    """
    chain = jwk.get("x5c")
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return None
    try:
        data = base64.b64decode("".join(chain[0].split()), validate=True)
    except ValueError:
        raise ValueError("a certificate that cannot be read") from None
    found = read_certificate(data)
    return found if found.key == key else None


def _integer(text: object) -> int:
    if not isinstance(text, str):
        raise TypeError
    return int.from_bytes(unbase64(text))
