"""The time of day from a broker that nobody needs to trust: signed over a nonce of the kiosk's.

    request   16 random bytes, published by the kiosk
    answer    COSE_Sign1 (RFC 9052), EdDSA, payload CBOR {1: nonce, 2: UTC in seconds, 3: kiosk}

Whoever delays an answer can make a kiosk believe in the past by no more than the delay that it
allows; whoever repeats one has the wrong nonce.
"""

from datetime import UTC, datetime

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cose
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.envelope import verified_map
from agent.domain.foreign.boundary import boundary

NONCE_BYTES = 16
MAX_BYTES = 512
_NONCE, _UTC_S, _KIOSK = 1, 2, 3
_NO_PURPOSE = b""
"""It is of before there were several; its nonce is what it is for."""
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


@boundary("signed time", lambda: unreadable("time: malformed"), CredentialError)
def verify_time(data: bytes, key: Ed25519PublicKey, nonce: bytes, kiosk: str) -> datetime:
    """The time that ``data`` answers to ``nonce`` with, for the kiosk that asked.

    Raises:
        CredentialError: ``Other`` where it is no answer to this request; ``CredentialForged``
            where another key signed it.
    """
    body = verified_map(data, key, _NO_PURPOSE, MAX_BYTES, "time")
    if body.get(_NONCE) != nonce or body.get(_KIOSK) != kiosk:
        raise unreadable("time: the answer to another request")
    seconds = body.get(_UTC_S)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise unreadable("time: malformed")
    if not _EARLIEST <= seconds <= _LATEST:
        raise unreadable("time: out of range")
    return datetime.fromtimestamp(seconds, UTC)


def answer_time(nonce: bytes, kiosk: str, utc: datetime, key: Ed25519PrivateKey) -> bytes:
    """The signed answer to a kiosk's request."""
    body = {_NONCE: nonce, _UTC_S: utc.timestamp(), _KIOSK: kiosk}
    return cose.sign(cbor2.dumps(body), key, key_id(key.public_key()))
