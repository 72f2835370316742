"""Sealed to one kiosk's key: HPKE (RFC 9180), base mode, in one message.

    [1, key id, enc || ciphertext]     CBOR
    suite   DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
    info    purpose | 00 | kiosk | 00 | context, of which the purpose and the kiosk hold no 00

The suite is bound in by HPKE itself; purpose, kiosk and context are by ``info``: what was sealed
for anything else does not open. Base mode says nothing of who sealed it: what is in it is signed.
"""

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor
from agent.credentials.passes.issuers import key_id
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import boundary

OVERHEAD_BYTES = 80
"""At most so much longer is what is sealed."""
_VERSION = 1
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class OtherKeyError(CredentialError):
    """It was sealed to another key than this kiosk's, an earlier one of its own among them."""

    def __init__(self) -> None:
        super().__init__(Reason.OTHER, "sealed: to another key")


def seal(
    plain: bytes, key: X25519PublicKey, purpose: bytes, kiosk: str, context: bytes = b""
) -> bytes:
    """``plain`` for whoever has the private half of ``key``, and for nothing else."""
    sealed = _SUITE.encrypt(plain, key, info=_info(purpose, kiosk, context))
    return cbor2.dumps([_VERSION, key_id(key), sealed])


@boundary("sealed message", lambda: unreadable("sealed: malformed"), CredentialError)
def unseal(
    data: bytes,
    key: X25519PrivateKey,
    purpose: bytes,
    kiosk: str,
    context: bytes = b"",
    *,
    max_bytes: int,
) -> bytes:
    """What was sealed to ``key`` for this purpose, kiosk and context.

    Raises:
        OtherKeyError: it names another key.
        CredentialError: ``Other`` where it is nothing sealed; ``CredentialForged`` where it was
            altered, or sealed for something else.
    """
    match cbor.decode(data, max_bytes=max_bytes + OVERHEAD_BYTES):
        case (1, bytes(named), bytes(sealed)):
            pass
        case _:
            raise unreadable("sealed: malformed")
    if named != key_id(key.public_key()):
        raise OtherKeyError
    try:
        return _SUITE.decrypt(sealed, key, info=_info(purpose, kiosk, context))
    except InvalidTag:
        why = "sealed: altered, or for something else"
        raise CredentialError(Reason.CREDENTIAL_FORGED, why) from None


def _info(purpose: bytes, kiosk: str, context: bytes) -> bytes:
    return b"\0".join((purpose, kiosk.encode(), context))
