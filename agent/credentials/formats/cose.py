"""COSE_Sign1 (RFC 9052, RFC 9053): a payload, who signed it, and whether that is true.

    [protected, unprotected, payload, signature]      tag 18, the CWT tag 61 around it, or neither
    signed: ["Signature1", protected, external_aad, payload]

    ES256   -7    ECDSA with SHA-256 on P-256 or P-384; the signature is r || s
    PS256   -37   RSASSA-PSS with SHA-256, MGF1 and a salt of 32 bytes
    EdDSA   -8    Ed25519

Algorithm and key id are looked for in the protected header first: the other one is not signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agent.credentials.errors import unreadable
from agent.credentials.formats import cbor

SIGN1_TAG, CWT_TAG = 18, 61
TAGS = frozenset({SIGN1_TAG, CWT_TAG})
"""The tags that may stand before a message; pass them to ``cbor.decode``."""

_ALG, _CRIT, _KID = 1, 2, 4
_CURVES = frozenset({"secp256r1", "secp384r1"})
_RSA_BITS = range(2048, 4097)
_PSS = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey
"""The keys that a signature here can be checked with."""

Header = Mapping[int | str, cbor.Value]


class Algorithm(IntEnum):
    """The signature algorithms that are accepted, by their numbers in the COSE registry."""

    ES256 = -7
    EDDSA = -8
    PS256 = -37


@dataclass(frozen=True, slots=True, repr=False)
class Sign1:
    """A COSE_Sign1 message as it came: nothing in it is true before ``verify`` says so."""

    protected_bytes: bytes
    protected: Header
    unprotected: Header
    payload: bytes
    signature: bytes

    @property
    def algorithm(self) -> Algorithm | None:
        """None where it is missing or not one of ours."""
        found = self._header(_ALG)
        known = cbor.is_int(found) and found in Algorithm.__members__.values()
        return Algorithm(found) if known else None

    @property
    def key_id(self) -> bytes | None:
        """None where it is missing or no byte string."""
        found = self._header(_KID)
        return found if isinstance(found, bytes) else None

    def _header(self, label: int) -> cbor.Value:
        return self.protected.get(label, self.unprotected.get(label))


def parse(data: bytes, max_bytes: int = cbor.MAX_BYTES) -> Sign1:
    """Read a COSE_Sign1 message; its signature is not checked.

    Raises:
        CredentialError: ``Other``; not CBOR, not a COSE_Sign1, or with a critical header
            parameter, none of which is known here.
    """
    return from_item(cbor.decode(data, tags=TAGS, max_bytes=max_bytes))


def from_item(message: cbor.Value) -> Sign1:
    """As ``parse``, from the decoded CBOR item.

    Raises:
        CredentialError: ``Other``; not a COSE_Sign1.
    """
    for tag in (CWT_TAG, SIGN1_TAG):
        if isinstance(message, cbor2.CBORTag) and message.tag == tag:
            message = message.value
    match message:
        case (
            bytes(protected_bytes),
            Mapping() as unprotected,
            bytes(payload),
            bytes(signature),
        ) if isinstance(message, tuple):
            protected = cbor.decode(protected_bytes) if protected_bytes else {}
        case _:
            raise unreadable("COSE: not a COSE_Sign1 message")
    if not isinstance(protected, Mapping):
        raise unreadable("COSE: the protected header is not a map")
    if _CRIT in protected or _CRIT in unprotected:
        raise unreadable("COSE: a critical header parameter that is not known")
    return Sign1(protected_bytes, protected, unprotected, payload, signature)


def has_one_encoding(message: Sign1, data: bytes) -> bool:
    """Whether ``data`` is the one way to write ``message`` that its signature leaves open.

    No tag, nothing in the unprotected header, every length in its shortest form: whoever presents
    it cannot make other bytes of it. Only a format of our own may ask for that.
    """
    return data == cbor2.dumps([message.protected_bytes, {}, message.payload, message.signature])


def to_be_signed(protected_bytes: bytes, payload: bytes, external_aad: bytes = b"") -> bytes:
    """The Sig_structure of RFC 9052, 4.4; an empty protected header counts as no bytes."""
    body = b"" if protected_bytes == b"\xa0" else protected_bytes
    return cbor2.dumps(["Signature1", body, external_aad, payload])


def verify(message: Sign1, key: PublicKey, external_aad: bytes = b"") -> bool:
    """Whether ``key`` signed ``message``, by the algorithm that the message names.

    False too where the algorithm is none of ours, or is not one for this kind of key.
    """
    signed = to_be_signed(message.protected_bytes, message.payload, external_aad)
    try:
        match message.algorithm, key:
            case Algorithm.ES256, EllipticCurvePublicKey():
                return _verify_ecdsa(key, message.signature, signed)
            case Algorithm.PS256, RSAPublicKey() if key.key_size in _RSA_BITS:
                key.verify(message.signature, signed, _PSS, SHA256())
            case Algorithm.EDDSA, Ed25519PublicKey():
                key.verify(message.signature, signed)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _verify_ecdsa(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    size = (key.curve.key_size + 7) // 8
    if key.curve.name not in _CURVES or len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    return True


def sign(
    payload: bytes,
    key: Ed25519PrivateKey,
    key_id: bytes,
    *,
    tagged: bool = True,
    external_aad: bytes = b"",
) -> bytes:
    """``payload`` in a COSE_Sign1 message, signed with Ed25519; the whole header is protected.

    ``tagged`` puts tag 18 before it, at the cost of one byte. ``external_aad`` is signed as well
    and not sent: what it is signed for, so that it counts for nothing else.
    """
    protected = cbor2.dumps({_ALG: int(Algorithm.EDDSA), _KID: key_id}, canonical=True)
    signature = key.sign(to_be_signed(protected, payload, external_aad))
    message = [protected, {}, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, message) if tagged else message)
