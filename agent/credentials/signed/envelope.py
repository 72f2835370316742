"""A map that somebody signed for one purpose: COSE_Sign1 (RFC 9052) with EdDSA, CBOR inside.

The purpose is the external_aad: what was signed for another one does not count here. CBOR is in its
deterministic form (RFC 8949, 4.2.1), the whole header protected.
"""

from collections.abc import Mapping

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor, cose
from agent.credentials.passes.issuers import key_id
from agent.domain.credential.reason import Reason


def sign_map(body: Mapping[int, cbor.Value], key: Ed25519PrivateKey, purpose: bytes) -> bytes:
    """The bytes of ``body``, signed; without what is None in it."""
    said = {label: value for label, value in body.items() if value is not None}
    payload = cbor2.dumps(said, canonical=True)
    return cose.sign(payload, key, key_id(key.public_key()), external_aad=purpose)


def verified_map(
    data: bytes, key: Ed25519PublicKey, purpose: bytes, max_bytes: int, called: str
) -> Mapping[int, cbor.Value]:
    """What ``key`` signed for this purpose; ``called`` is its name in the details of errors.

    Raises:
        CredentialError: ``Other`` where it is no signed map; ``CredentialForged`` where another key
            signed it, or the same key for another purpose.
    """
    message = cose.parse(data, max_bytes)
    if message.algorithm is not cose.Algorithm.EDDSA or not cose.verify(message, key, purpose):
        raise CredentialError(Reason.CREDENTIAL_FORGED, f"{called}: the signature is wrong")
    body = cbor.decode(message.payload, max_bytes=max_bytes)
    if not isinstance(body, Mapping):
        raise unreadable(f"{called}: malformed")
    return body
