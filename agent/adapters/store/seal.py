"""Seals templates at rest: AES-256-GCM, bound to whom and what they belong to.

    sealed = version (1 byte) | key id (8) | nonce (12) | ciphertext and tag

The associated data are the purpose, the holder, the pack and its version, each behind its length: a
row copied to another holder or pack fails to open (NIST SP 800-38D). Nonces are random; at the
some thousands of references of a gate their collision is out of question.
"""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.credentials.derivation import derived
from agent.errors import KeyUnavailableError, StoreError

KEY_BYTES = 32
_VERSION = 1
KEY_ID_BYTES, _NONCE_BYTES = 8, 12


def key_id(key: bytes) -> bytes:
    """A name for the key that tells nothing of it."""
    return hashlib.sha256(b"gate-agent key id" + key).digest()[:KEY_ID_BYTES]


def key_id_in(sealed: bytes) -> bytes:
    """The id of the key by which this was sealed.

    Raises:
        StoreError: it was sealed by nobody, or cut short.
    """
    head = sealed[: 1 + KEY_ID_BYTES]
    if len(head) < 1 + KEY_ID_BYTES or head[0] != _VERSION:
        raise StoreError("a sealed row is of an unknown form")
    return head[1:]


class Sealer:
    """One key in use; safe from any thread."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyUnavailableError(f"a key has {KEY_BYTES} bytes", "gate-agent key init")
        self._key = key
        self._aead = AESGCM(key)
        self._key_id = key_id(key)

    @property
    def key_id(self) -> bytes:
        """The id of the key that ``seal`` seals by."""
        return self._key_id

    def of(self, wanted: bytes) -> "Sealer | None":
        """What seals by the key of this id; None where that key is not had."""
        return self if wanted == self._key_id else None

    def derived(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for ``purpose`` alone, the same wherever the gallery's key is."""
        return derived(self._key, purpose)

    def seal(self, plain: bytes, *bound_to: str) -> bytes:
        """``plain`` sealed and bound to these words."""
        nonce = os.urandom(_NONCE_BYTES)
        head = bytes([_VERSION]) + self.key_id
        return head + nonce + self._aead.encrypt(nonce, plain, _associated(head, bound_to))

    def open(self, sealed: bytes, *bound_to: str) -> bytes:
        """What was sealed for these words.

        Raises:
            KeyUnavailableError: it was sealed with another key.
            StoreError: it was altered, cut short, or bound to something else.
        """
        sealer = self.of(key_id_in(sealed))
        if sealer is None:
            fix = (
                "--config FILE, where the gate's config names its key; else put the key back that"
                " sealed the gallery, or enrol again"
            )
            raise KeyUnavailableError("the gallery was sealed with another key", fix)
        return sealer._opened(sealed, bound_to)  # noqa: SLF001 - of the same class

    def _opened(self, sealed: bytes, bound_to: tuple[str, ...]) -> bytes:
        head = sealed[: 1 + KEY_ID_BYTES]
        nonce = sealed[len(head) : len(head) + _NONCE_BYTES]
        body = sealed[len(head) + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, body, _associated(head, bound_to))
        except (InvalidTag, ValueError) as error:
            raise StoreError("a sealed row was altered, or copied from elsewhere") from error


def _associated(head: bytes, bound_to: tuple[str, ...]) -> bytes:
    data = head
    for word in bound_to:
        raw = word.encode()
        data += len(raw).to_bytes(4, "big") + raw
    return data
