"""Trust lists: whose signatures on health certificates count.

A list is what an issuer or a national backend publishes: PEM certificates (or one a line in bare
base64), or a JWK set (RFC 7517), which may be a whole set, a list of keys, or one key.

    EU DCC               the key id is the first 8 bytes of the SHA-256 of the certificate
    SMART Health Cards   the key id is the JWK thumbprint (RFC 7638) of the key
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import strict_json
from agent.credentials.formats.cose import PublicKey
from agent.domain.credential.reason import Reason
from agent.errors import RefusedError

MAX_BYTES = 16_000_000
"""The trust list of the whole Union had some 300 kB."""

_KEY_ID_BYTES = 8
# What a certificate in DER begins with: a sequence of 256 to 65535 bytes.
_DER_SEQUENCE = b"\x30\x82"
_PEM = re.compile("-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_CURVES: Mapping[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}


class TrustListError(RefusedError):
    """A trust list cannot be read; ``reason`` is ``trust_list``."""

    def __init__(self, message: str) -> None:
        super().__init__("trust_list", message)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key, and what its certificate restricts, where there is one.

    ``usages`` holds the extended key usages as dotted OIDs, empty where they are not restricted.
    """

    key: PublicKey = field(repr=False)
    key_ids: frozenset[bytes]
    thumbprint: str | None
    not_before: datetime | None = None
    not_after: datetime | None = None
    usages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TrustList:
    """Keys by their ids; immutable.

    ``gap`` tells, as a fixed phrase, why a key may be missing that was here once.
    ``has_private`` says that the source carries a private key too, which nobody should pass on.
    """

    keys: tuple[TrustedKey, ...] = ()
    gap: str | None = None
    has_private: bool = False
    _by_id: Mapping[bytes, tuple[TrustedKey, ...]] = field(init=False, repr=False)
    _by_thumbprint: Mapping[str, TrustedKey] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_id: dict[bytes, tuple[TrustedKey, ...]] = {}
        by_thumbprint: dict[str, TrustedKey] = {}
        for key in self.keys:
            for key_id in key.key_ids:
                by_id[key_id] = (*by_id.get(key_id, ()), key)
            if key.thumbprint is not None:
                by_thumbprint.setdefault(key.thumbprint, key)
        object.__setattr__(self, "_by_id", MappingProxyType(by_id))
        object.__setattr__(self, "_by_thumbprint", MappingProxyType(by_thumbprint))

    def by_key_id(self, key_id: bytes) -> tuple[TrustedKey, ...]:
        """The keys of this COSE key id: one as a rule, for 8 bytes may collide."""
        return self._by_id.get(key_id, ())

    def by_thumbprint(self, thumbprint: str) -> TrustedKey | None:
        """The key whose JWK thumbprint this is."""
        return self._by_thumbprint.get(thumbprint)


def unknown_key(trust: TrustList) -> CredentialError:
    """Why no key answers to a key id: forged, or this kiosk cannot tell for want of its list."""
    if trust.gap is not None:
        return CredentialError(Reason.HEALTH_CERTIFICATE_INVALID, trust.gap)
    return CredentialError(Reason.CREDENTIAL_FORGED, "signature: no installed key has this key id")


def merge(lists: Iterable[TrustList], gap: str | None = None) -> TrustList:
    """All keys of ``lists`` in one."""
    return TrustList(tuple(key for each in lists for key in each.keys), gap)


def parse_trust(content: str) -> TrustList:
    """Read the content of a trust file.

    Keys of a JWK set that no health certificate here can use are left out, as RFC 7517 says.

    Raises:
        TrustListError: it is neither form, or holds no usable key, or a certificate is damaged.
    """
    text = content.strip().removeprefix("\ufeff")
    if len(text) > MAX_BYTES:
        raise TrustListError("the trust list is too long")
    if text.startswith(("{", "[")):
        found = _from_jwks(text)
    else:
        found = TrustList(tuple(_certified(der) for der in _certificates(text)))
    if not found.keys:
        raise TrustListError("the trust list holds no key that can be used")
    return found


def content_of(data: bytes) -> str:
    """The content of a trust file; one certificate in DER becomes its base64.

    Raises:
        TrustListError: it is neither DER nor text.
    """
    if data.startswith(_DER_SEQUENCE):
        return base64.b64encode(data).decode("ascii")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TrustListError("the trust list is no text (UTF-8)") from None


def key_id_of(certificate_der: bytes) -> bytes:
    """The EU DCC's key id of a certificate."""
    return hashlib.sha256(certificate_der).digest()[:_KEY_ID_BYTES]


def _certificates(text: str) -> Iterable[bytes]:
    blocks = _PEM.findall(text)
    if not blocks:
        # Without armour: one certificate that may be broken into lines, or one a line.
        whole = "".join(text.split())
        try:
            _load(_base64(whole))
            blocks = [whole]
        except TrustListError:
            blocks = text.split()
    return map(_base64, blocks)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise TrustListError("the trust list is neither PEM certificates nor JWK keys") from None


def _load(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise TrustListError("a certificate of the trust list cannot be read") from None


def _certified(der: bytes) -> TrustedKey:
    certificate = _load(der)
    try:
        key = certificate.public_key()
        usages = {usage.dotted_string for usage in _extended_usages(certificate)}
        not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except Exception:  # noqa: BLE001 - cryptography names no class for what an extension may raise
        raise TrustListError("a certificate of the trust list cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey):
        raise TrustListError("a certificate of the trust list has a key of an unknown kind")
    ids = frozenset({key_id_of(der)})
    return TrustedKey(key, ids, _thumbprint(key), not_before, not_after, frozenset(usages))


def _extended_usages(certificate: x509.Certificate) -> Iterable[x509.ObjectIdentifier]:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()


def _from_jwks(text: str) -> TrustList:
    try:
        value = strict_json.loads(text)
    except CredentialError as error:
        raise TrustListError(f"the trust list is no JWK set: {error.detail}") from None
    if isinstance(value, dict):
        value = value.get("keys", [value])
    if not isinstance(value, list):
        raise TrustListError("the trust list is no JWK set")
    keys = [_from_jwk(each) for each in value if isinstance(each, dict)]
    private = any(isinstance(each, dict) and "d" in each for each in value)
    return TrustList(tuple(key for key in keys if key is not None), has_private=private)


def _from_jwk(jwk: Mapping[str, Any]) -> TrustedKey | None:
    """None where the key is damaged, or not for signatures that occur here."""
    if jwk.get("use", "sig") != "sig":
        return None
    try:
        key = _key_of(jwk)
        declared = _declared_id(jwk)
        certified = _certified_by(jwk, key)
    except (ValueError, TypeError, KeyError, TrustListError):
        return None
    if certified is None:
        return TrustedKey(key, declared, _thumbprint(key))
    return TrustedKey(
        key,
        declared | certified.key_ids,
        certified.thumbprint,
        certified.not_before,
        certified.not_after,
        certified.usages,
    )


def _key_of(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    if jwk["kty"] == "EC":
        x, y = _integer(jwk["x"]), _integer(jwk["y"])
        return ec.EllipticCurvePublicNumbers(x, y, _CURVES[jwk["crv"]]()).public_key()
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(_integer(jwk["e"]), _integer(jwk["n"])).public_key()
    raise ValueError


def _declared_id(jwk: Mapping[str, Any]) -> frozenset[bytes]:
    """What EU lists call a key: its key id in either base64."""
    kid = jwk.get("kid")
    if not isinstance(kid, str):
        return frozenset()
    try:
        return frozenset({_unbase64(kid.replace("+", "-").replace("/", "_"))})
    except ValueError:
        return frozenset()


def _certified_by(jwk: Mapping[str, Any], key: PublicKey) -> TrustedKey | None:
    """What the first certificate of x5c adds, if it is one for this key."""
    chain = jwk.get("x5c")
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return None
    found = _certified(_base64(chain[0]))
    return found if found.key == key else None


def _integer(text: object) -> int:
    if not isinstance(text, str):
        raise TypeError
    return int.from_bytes(_unbase64(text))


def _unbase64(text: str) -> bytes:
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _thumbprint(key: PublicKey) -> str | None:
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
