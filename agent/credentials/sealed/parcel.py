"""An update from the registry's side: signed, sealed, cut; and opened again on the kiosk's.

The messages are published on the kiosk's topic in any order and any number of times. What fits
into a few of them is sent at once; of more, the first head, and the kiosk asks for the rest.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.credentials.sealed.box import OVERHEAD_BYTES, OtherKeyError, seal, unseal
from agent.credentials.sealed.chunks import (
    LEAST_MESSAGE_BYTES,
    MOST_MESSAGE_BYTES,
    chunk_message,
    cut,
    head_message,
    most_sealed_bytes,
)
from agent.credentials.signed.entries import Entry, encoded
from agent.credentials.signed.receipt import Ranges
from agent.credentials.signed.update import (
    MAX_BYTES,
    UPDATE_ID_BYTES,
    KeyOf,
    Part,
    Step,
    UpdateError,
    sign_part,
    verify_part,
)
from agent.domain.record.registry_sync import SyncReason

SEALED_FOR = b"gate/registry/1"
PUSHED = 32
"""An update of up to so many messages is sent without being asked for."""
_SIGNED_OVERHEAD = 420
_USUAL_BYTES = 64 * 1024
"""Of the entries of one part: to read it holds nobody up. An entry alone may have more."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A kiosk as the registry knows it; ``message_bytes`` is the largest payload on its way.

    That is the broker's largest packet less some 300 bytes, or what the kiosk said in its request.
    """

    kiosk: str
    key: X25519PublicKey
    message_bytes: int = MOST_MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class Parcel:
    """One part, ready to be published: its head, and its chunks by number."""

    number: int
    head: bytes = field(repr=False)
    chunks: tuple[bytes, ...] = field(repr=False)

    @property
    def messages(self) -> tuple[bytes, ...]:
        """All of it, the head first."""
        return (self.head, *self.chunks)

    def lacked(self, runs: Ranges) -> tuple[bytes, ...]:
        """What a kiosk asks for: these chunks; without any, all of it."""
        if not runs:
            return self.messages
        return tuple(
            self.chunks[number]
            for first, last in runs
            for number in range(first, min(last + 1, len(self.chunks)))
        )


@dataclass(frozen=True, slots=True)
class Update:
    """An update that is ready to be packed part by part; ``since`` 0 makes it a snapshot."""

    step: Step
    groups: tuple[tuple[Mapping[int, cbor.Value], ...], ...] = field(repr=False)

    def parcel(
        self, number: int, to: Recipient, key: Ed25519PrivateKey, issued: datetime
    ) -> Parcel:
        """Part ``number``, signed by the registry's ``key`` and sealed to the kiosk's."""
        step = self.step
        signed = sign_part(step, number, int(issued.timestamp()), self.groups[number], key)
        sealed = seal(signed, to.key, SEALED_FOR, to.kiosk, context(step, number))
        pieces = cut(sealed, to.message_bytes)
        return Parcel(
            number,
            head_message(step, number, pieces, key),
            tuple(chunk_message(step.update, number, at, one) for at, one in enumerate(pieces)),
        )

    def parcels(self, to: Recipient, key: Ed25519PrivateKey, issued: datetime) -> Iterator[Parcel]:
        """Every part, made as it is asked for."""
        for number in range(self.step.parts):
            yield self.parcel(number, to, key, issued)


def make_update(
    entries: Iterable[Entry], to: Recipient, versions: tuple[int, int], update: bytes | None = None
) -> Update:
    """An update from the first of ``versions`` to the second; ``update`` names it, 16 bytes.

    A snapshot, from 0, may be empty, a delta too: then only the version changes.

    Raises:
        ValueError: an entry is none, or too large for a message of the kiosk's.
    """
    if not LEAST_MESSAGE_BYTES <= to.message_bytes <= MOST_MESSAGE_BYTES:
        raise ValueError(f"a message has {LEAST_MESSAGE_BYTES} to {MOST_MESSAGE_BYTES} bytes")
    if not 0 <= versions[0] < versions[1]:
        raise ValueError("an update leads from a version to a later one")
    room = min(most_sealed_bytes(to.message_bytes) - OVERHEAD_BYTES, MAX_BYTES) - _SIGNED_OVERHEAD
    groups: list[tuple[Mapping[int, cbor.Value], ...]] = []
    group: list[Mapping[int, cbor.Value]] = []
    taken = 0
    for entry in entries:
        made = encoded(entry)
        size = len(cbor2.dumps(made))
        if size > room:
            raise ValueError(f"an entry has {size} bytes, and {room} fit")
        if group and taken + size > min(room, _USUAL_BYTES):
            groups.append(tuple(group))
            group, taken = [], 0
        group.append(made)
        taken += size
    groups.append(tuple(group))
    name = update or secrets.token_bytes(UPDATE_ID_BYTES)
    step = Step(to.kiosk, name, versions[0], versions[1], len(groups))
    return Update(step, tuple(groups))


def open_part(sealed: bytes, step: Step, number: int, key: X25519PrivateKey, key_of: KeyOf) -> Part:
    """The part that was sealed for this kiosk, opened and verified; it is that of its head.

    Raises:
        UpdateError: with its word.
    """
    try:
        plain = unseal(
            sealed, key, SEALED_FOR, step.kiosk, context(step, number), max_bytes=MAX_BYTES
        )
    except OtherKeyError as error:
        raise UpdateError(SyncReason.OTHER_SEALING_KEY, error.detail) from None
    except CredentialError as error:
        raise UpdateError(SyncReason.FORGED, error.detail) from None
    part = verify_part(plain, key_of, step.kiosk)
    if (part.step, part.number) != (step, number):
        raise UpdateError(SyncReason.FORGED, "a part of another update")
    return part


def context(step: Step, number: int) -> bytes:
    """What binds a sealed part to its place in its update."""
    return step.update + number.to_bytes(4, "big")
