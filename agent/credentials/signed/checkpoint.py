"""What a kiosk signs of its journal now and then: so far it went, and this was its link.

    COSE_Sign1 (RFC 9052), EdDSA, external_aad "gate/checkpoint/1", payload CBOR
    {1: source, 2: epoch, 3: sequence, 4: link (32 bytes), 5: UTC in seconds, 6: clock trusted}

The chain alone shows what was changed in the middle; whoever can write the whole of it anew is
found by this. It needs the kiosk's key, which whoever carries the events does not have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.envelope import sign_map, verified_map
from agent.domain.foreign.boundary import boundary
from agent.domain.record.chain import LINK_BYTES, base64_text

MAX_BYTES = 1024
PURPOSE = b"gate/checkpoint/1"
_SOURCE, _EPOCH, _SEQUENCE, _LINK, _UTC_S, _TRUSTED = range(1, 7)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``link`` (32 bytes) is that of the event with this ``sequence``, and covers all before it.

    ``time`` is UTC in whole seconds, by a clock that somebody had set where ``clock_trusted``.
    """

    source: str
    epoch: str
    sequence: int
    link: bytes
    time: datetime
    clock_trusted: bool


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """``checkpoint`` in a message signed with the kiosk's signing key."""
    body = {
        _SOURCE: checkpoint.source,
        _EPOCH: checkpoint.epoch,
        _SEQUENCE: checkpoint.sequence,
        _LINK: checkpoint.link,
        _UTC_S: int(checkpoint.time.timestamp()),
        _TRUSTED: checkpoint.clock_trusted,
    }
    return sign_map(body, key, PURPOSE)


def signed_data(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> dict[str, str]:
    """The data of the event ``journal.checkpoint``."""
    return {
        "until": f"{checkpoint.sequence:020d}",
        "link": checkpoint.link.hex(),
        "key_id": key_id(key.public_key()).hex(),
        "signature": base64_text(sign_checkpoint(checkpoint, key)),
    }


@boundary("checkpoint", lambda: unreadable("checkpoint: malformed"), CredentialError)
def verify_checkpoint(data: bytes, key: Ed25519PublicKey) -> Checkpoint:
    """What the kiosk with this key signed.

    Raises:
        CredentialError: ``Other`` where it is no checkpoint; ``CredentialForged`` where another
            key signed it, or this one for another purpose.
    """
    return _checkpoint(verified_map(data, key, PURPOSE, MAX_BYTES, "checkpoint"))


def _checkpoint(body: Mapping[int, cbor.Value]) -> Checkpoint:
    names = (_SOURCE, _EPOCH, _SEQUENCE, _LINK, _UTC_S, _TRUSTED)
    match tuple(body.get(name) for name in names):
        case (
            str(source),
            str(epoch),
            int(sequence),
            bytes(link),
            int(seconds),
            bool(trusted),
        ) if cbor.is_int(sequence) and cbor.is_int(seconds) and len(link) == LINK_BYTES:
            time = datetime.fromtimestamp(seconds, UTC)
            return Checkpoint(source, epoch, sequence, link, time, trusted)
    raise unreadable("checkpoint: malformed")
