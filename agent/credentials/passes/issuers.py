"""The keys whose passes a kiosk believes: several at once, each by its id and for its time.

    kid = first 8 bytes of SHA-256 of the raw public key (32 bytes, Ed25519)

To rotate a key, install the next one before the first pass is signed with it, and let the old one
end after the last pass that it signed has expired.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One public key, whose it is, and ``valid_from <= now < valid_until``; None is open."""

    issuer: str
    key: Ed25519PublicKey
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def key_id(self) -> bytes:
        """By which a pass names it."""
        return key_id(self.key)

    def holds(self, now: datetime) -> bool:
        """Whether passes that it signed are believed at ``now``."""
        started = self.valid_from is None or self.valid_from <= now
        return started and (self.valid_until is None or now < self.valid_until)


class Issuers:
    """An immutable set of trusted keys."""

    def __init__(self, keys: Iterable[IssuerKey] = ()) -> None:
        self._keys: Mapping[bytes, IssuerKey] = MappingProxyType({key.key_id: key for key in keys})

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, wanted: bytes | None) -> IssuerKey | None:
        """The key of this id, or None."""
        return None if wanted is None else self._keys.get(wanted)


def key_id(key: Ed25519PublicKey) -> bytes:
    """The id of a public key."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).digest()[:KEY_ID_BYTES]
