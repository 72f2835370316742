"""How a sealed part travels: a signed head, which names every chunk by its hash, and the chunks.

    on BASE/registry, to the kiosk, CBOR arrays
    [1, head]                              COSE_Sign1 by a key of the registry, "gate/part/1"
    [2, update, part, number, bytes]       one chunk
    [3, acknowledged]                      see ``signed.receipt``

    head payload {1: kiosk, 2: update, 3: from, 4: to, 5: part, 6: parts, 7: bytes, 8: hashes}
    hashes       the first 16 bytes of SHA-256 of each chunk, one behind the other

A chunk that is named by no head that a key of the registry signed is dropped as it comes: whoever
may write to the topic can neither fill anything nor spoil a transfer by a chunk of his own. What a
chunk holds counts only once the part is whole, opens, and is signed inside as well.
"""

import hashlib
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.credentials.sealed.box import OVERHEAD_BYTES
from agent.credentials.signed.envelope import sign_map
from agent.credentials.signed.update import (
    MAX_BYTES,
    UPDATE_ID_BYTES,
    KeyOf,
    Step,
    UpdateError,
    step_of,
    verified,
)
from agent.domain.foreign.boundary import boundary
from agent.domain.record.registry_sync import SyncReason

PURPOSE = b"gate/part/1"
MOST_MESSAGE_BYTES, LEAST_MESSAGE_BYTES = 4096, 600
"""Of one message; how much less a broker may take that anything can still be sent."""
HASH_BYTES = 16
SEALED_BYTES = MAX_BYTES + OVERHEAD_BYTES
_HEAD, _CHUNK, _ACKNOWLEDGED = 1, 2, 3
_CHUNK_OVERHEAD = 40
_HEAD_OVERHEAD = 420
"""At most: signature, headers, the kiosk's three names of up to 64 letters."""
_BYTES, _HASHES = 7, 8


@dataclass(frozen=True, slots=True)
class Head:
    """What one part consists of; ``size`` is that of all its chunks together."""

    step: Step
    number: int
    size: int
    hashes: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a part, worth nothing by itself."""

    update: bytes
    part: int
    number: int
    data: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        """By which its head names it."""
        return chunk_hash(self.data)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The registry's word about receipts, not yet verified."""

    data: bytes = field(repr=False)


def chunk_hash(data: bytes) -> bytes:
    """By which a head names a chunk."""
    return hashlib.sha256(data).digest()[:HASH_BYTES]


def most_sealed_bytes(message_bytes: int) -> int:
    """How long a sealed part may be so that its head fits into a message of so many bytes."""
    chunks = (message_bytes - _HEAD_OVERHEAD) // HASH_BYTES
    return min(chunks * (message_bytes - _CHUNK_OVERHEAD), SEALED_BYTES)


def cut(sealed: bytes, message_bytes: int) -> list[bytes]:
    """``sealed`` in chunks of which each fits into a message of so many bytes."""
    size = message_bytes - _CHUNK_OVERHEAD
    return [sealed[start : start + size] for start in range(0, len(sealed), size)]


def head_message(step: Step, number: int, chunks: list[bytes], key: Ed25519PrivateKey) -> bytes:
    """What is said of a part before its chunks."""
    body = step.as_map()
    body |= {5: number, _BYTES: sum(map(len, chunks)), _HASHES: b"".join(map(chunk_hash, chunks))}
    return cbor2.dumps([_HEAD, sign_map(body, key, PURPOSE)])


def chunk_message(update: bytes, part: int, number: int, data: bytes) -> bytes:
    """One chunk as it is sent."""
    return cbor2.dumps([_CHUNK, update, part, number, data])


def acknowledged_message(data: bytes) -> bytes:
    """The registry's word about receipts as it is sent."""
    return cbor2.dumps([_ACKNOWLEDGED, data])


@boundary(
    "registry message", lambda: UpdateError(SyncReason.MALFORMED, "malformed"), CredentialError
)
def read_message(data: bytes, key_of: KeyOf, kiosk: str) -> Head | Chunk | Acknowledged:
    """What came on the kiosk's topic; a head is verified, the others are not.

    Raises:
        UpdateError: with its word.
    """
    try:
        item = cbor.decode(data, max_bytes=MOST_MESSAGE_BYTES)
    except CredentialError as error:
        word = SyncReason.TOO_LARGE if len(data) > MOST_MESSAGE_BYTES else SyncReason.MALFORMED
        raise UpdateError(word, error.detail) from None
    match item:
        case (1, bytes(head)):
            return _head(head, key_of, kiosk)
        case (2, bytes(update), int(part), int(number), bytes(piece)) if (
            len(update) == UPDATE_ID_BYTES and part >= 0 and number >= 0
        ):
            return Chunk(update, part, number, piece)
        case (3, bytes(said)):
            return Acknowledged(said)
        case (int(kind), *_) if kind not in (_HEAD, _CHUNK, _ACKNOWLEDGED):
            raise UpdateError(SyncReason.UNKNOWN_VERSION, "a message of a kind that is not known")
    raise UpdateError(SyncReason.MALFORMED, "no message of the registry")


def _head(data: bytes, key_of: KeyOf, kiosk: str) -> Head:
    _, body = verified(data, key_of, PURPOSE, MOST_MESSAGE_BYTES)
    step, number = step_of(body, kiosk)
    size, hashes = body.get(_BYTES), body.get(_HASHES)
    if not (
        cbor.is_int(size)
        and isinstance(hashes, bytes)
        and hashes
        and not len(hashes) % HASH_BYTES
        and isinstance(size, int)
        and 0 < size <= SEALED_BYTES
    ):
        raise UpdateError(SyncReason.MALFORMED, "a head without its chunks")
    cuts = range(0, len(hashes), HASH_BYTES)
    return Head(step, number, size, tuple(hashes[at : at + HASH_BYTES] for at in cuts))
