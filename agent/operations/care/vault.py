"""A file sealed by a passphrase: a head, and chunks of which none can be altered, moved or missed.

    head    magic | version, log2 N, r, p (a byte each) | salt (16)
    proof   HMAC-SHA-256 of the head (32)               tells a wrong passphrase from damage
    chunk   AES-256-GCM of at most 65,536 bytes, and its tag (16); one behind the other
            nonce  its number, from 0 (11, big-endian) | 1 at the last one, else 0
            data   SHA-256 of the head

    scrypt (RFC 7914) of the passphrase and the salt: 32 bytes seal, 32 bytes prove

The salt is new with each file, so no key seals twice and numbers serve as nonces (the STREAM
construction, Hoang and others, 2015). What scrypt costs stands in the head and has a bound when it
is read: a hostile file would else ask for all memory. Nothing is compressed: a file says no more
than it holds, and what is in it hardly shrinks.
"""

import hashlib
import hmac
import secrets
import struct
import unicodedata
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from agent.errors import RefusedError

CHUNK_BYTES = 65_536
LEAST_LETTERS = 12
"""Of a passphrase: whoever finds the file may try as many as they like."""
_MAGIC = b"gate-agent backup\n"
_VERSION = 1
_HEAD = struct.Struct(f">{len(_MAGIC)}sBBBB16s")
_PROOF_BYTES, _TAG_BYTES, _KEY_BYTES = 32, 16, 32
_LEAST_COST, _MOST_COST = 10, 18
_R, _P = 8, 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What a try of a passphrase costs: 2**exponent KiB of memory (scrypt's N, with r = 8)."""

    exponent: int = 16


def check_passphrase(passphrase: str) -> None:
    """Nothing, where it may seal a backup.

    Raises:
        RefusedError: ``passphrase``: it is too short.
    """
    if len(passphrase) < LEAST_LETTERS:
        fix = "five words that nobody would put together"
        said = f"a passphrase has at least {LEAST_LETTERS} letters\nFix: {fix}"
        raise RefusedError("passphrase", said)


def sealed_bytes(content_bytes: int) -> int:
    """How long the file is that holds so much."""
    chunks = max(-(-content_bytes // CHUNK_BYTES), 1)
    return _HEAD.size + _PROOF_BYTES + content_bytes + chunks * _TAG_BYTES


class VaultWriter:
    """Seals what is written; only ``close`` makes it whole."""

    def __init__(self, stream: BinaryIO, passphrase: str, cost: Cost | None = None) -> None:
        """Write the head.

        Raises:
            RefusedError: ``passphrase``: it is too short.
        """
        check_passphrase(passphrase)
        exponent = (cost or Cost()).exponent
        head = _HEAD.pack(_MAGIC, _VERSION, exponent, _R, _P, secrets.token_bytes(16))
        self._keys = _Keys(passphrase, head)
        self._stream = stream
        self._waits = bytearray()
        self._number = 0
        stream.write(head + self._keys.proof)

    def write(self, data: bytes) -> None:
        """Seal ``data`` behind what was written before."""
        self._waits += data
        # The last chunk is marked: one that is full waits until there is more.
        while len(self._waits) > CHUNK_BYTES:
            self._seal(bytes(self._waits[:CHUNK_BYTES]), last=False)
            del self._waits[:CHUNK_BYTES]

    def close(self) -> None:
        """Seal the last chunk; the stream stays open."""
        self._seal(bytes(self._waits), last=True)
        self._waits.clear()

    def _seal(self, data: bytes, *, last: bool) -> None:
        self._stream.write(self._keys.seal(data, self._number, last=last))
        self._number += 1


class VaultReader:
    """Opens what ``VaultWriter`` sealed; each byte that it gives is authentic."""

    def __init__(self, stream: BinaryIO, passphrase: str) -> None:
        """Read the head.

        Raises:
            RefusedError: ``no_backup``, ``newer_backup``, ``passphrase``.
        """
        head = stream.read(_HEAD.size)
        if len(head) != _HEAD.size or not head.startswith(_MAGIC):
            raise RefusedError("no_backup", "this is no backup of a gate agent")
        _, version, exponent, r, p, _ = _HEAD.unpack(head)
        if version != _VERSION:
            fix = "restore it with the agent that made it, or a newer one"
            raise RefusedError(
                "newer_backup", f"its format {version} is not known here\nFix: {fix}"
            )
        if not _LEAST_COST <= exponent <= _MOST_COST or (r, p) != (_R, _P):
            raise RefusedError("no_backup", "its head asks for what no backup needs")
        self._keys = _Keys(passphrase, head)
        if not hmac.compare_digest(stream.read(_PROOF_BYTES), self._keys.proof):
            fix = "try again; without the passphrase nobody opens it"
            raise RefusedError("passphrase", f"the passphrase is another one\nFix: {fix}")
        self._stream = stream
        self._opened = bytearray()
        self._number = 0
        self._next: bytes | None = self._sealed()

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end only.

        Raises:
            RefusedError: ``damaged_backup``: it was cut short or altered.
        """
        while len(self._opened) < count and self._next is not None:
            self._open_next()
        data = bytes(self._opened[:count])
        del self._opened[:count]
        return data

    def exactly(self, count: int) -> bytes:
        """The next ``count`` bytes.

        Raises:
            RefusedError: ``damaged_backup``: there are not so many, or they were altered.
        """
        data = self.read(count)
        if len(data) != count:
            raise damaged()
        return data

    def end(self) -> None:
        """Nothing, where all was read and authentic.

        Raises:
            RefusedError: ``damaged_backup``.
        """
        if self.read(1):
            raise damaged()

    def _open_next(self) -> None:
        sealed = self._next
        assert sealed is not None
        following = self._sealed()
        last = not following
        self._opened += self._keys.open(sealed, self._number, last=last)
        self._number += 1
        self._next = None if last else following

    def _sealed(self) -> bytes:
        return self._stream.read(CHUNK_BYTES + _TAG_BYTES)


class _Keys:
    """What a passphrase and a head make: one key seals, one proves."""

    def __init__(self, passphrase: str, head: bytes) -> None:
        _, _, exponent, r, p, salt = _HEAD.unpack(head)
        kdf = Scrypt(salt=salt, length=2 * _KEY_BYTES, n=1 << exponent, r=r, p=p)
        # One text has several spellings in Unicode, and keyboards differ in which they make.
        made = kdf.derive(unicodedata.normalize("NFC", passphrase).encode())
        self._cipher = AESGCM(made[:_KEY_BYTES])
        self._bound = hashlib.sha256(head).digest()
        self.proof = hmac.digest(made[_KEY_BYTES:], head, "sha256")

    def seal(self, data: bytes, number: int, *, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, last=last), data, self._bound)

    def open(self, sealed: bytes, number: int, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(number, last=last), sealed, self._bound)
        except (InvalidTag, ValueError):
            raise damaged() from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def damaged() -> RefusedError:
    """What is said of a backup that was cut short or altered."""
    fix = "take another copy of it, or an older backup"
    return RefusedError("damaged_backup", f"the backup was cut short or altered\nFix: {fix}")
