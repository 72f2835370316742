"""What is said of a package of the agent: which file it is, for whom, and which version.

    COSE_Sign1 (RFC 9052), EdDSA, external_aad "gate/release/1", payload CBOR
    {1: version, 2: architecture, 3: Debian release, 4: SHA-256 (32 bytes), 5: its size in bytes,
     6: UTC in seconds}

It lies beside the package as FILE.sig. Whoever installs it holds the file to the hash, and knows
the version before a byte of the package is unpacked.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor
from agent.credentials.signed.envelope import sign_map, verified_map
from agent.domain.foreign.boundary import boundary

MAX_BYTES = 1024
PURPOSE = b"gate/release/1"
SUFFIX = ".sig"
_VERSION, _ARCHITECTURE, _DEBIAN, _SHA256, _SIZE, _UTC_S = range(1, 7)
_SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedRelease:
    """One package: ``sha256`` (32 bytes) and size of its file; ``time`` is in whole seconds."""

    version: str
    architecture: str
    debian: str
    sha256: bytes
    size_bytes: int
    time: datetime

    def is_of(self, file: Path) -> bool:
        """Whether ``file`` is the one that was signed.

        Raises:
            OSError: it cannot be read.
        """
        if file.stat().st_size != self.size_bytes:
            return False
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest() == self.sha256


def sign_release(release: SignedRelease, key: Ed25519PrivateKey) -> bytes:
    """``release`` in a message signed with the key that kiosks pin."""
    body = {
        _VERSION: release.version,
        _ARCHITECTURE: release.architecture,
        _DEBIAN: release.debian,
        _SHA256: release.sha256,
        _SIZE: release.size_bytes,
        _UTC_S: int(release.time.timestamp()),
    }
    return sign_map(body, key, PURPOSE)


@boundary("release", lambda: unreadable("release: malformed"), CredentialError)
def verify_release(data: bytes, key: Ed25519PublicKey) -> SignedRelease:
    """What whoever holds this key signed.

    Raises:
        CredentialError: ``Other`` where it is no signed release; ``CredentialForged`` where another
            key signed it, or this one for another purpose.
    """
    return _release(verified_map(data, key, PURPOSE, MAX_BYTES, "release"))


def _release(body: Mapping[int, cbor.Value]) -> SignedRelease:
    names = (_VERSION, _ARCHITECTURE, _DEBIAN, _SHA256, _SIZE, _UTC_S)
    match tuple(body.get(name) for name in names):
        case (
            str(version),
            str(architecture),
            str(debian),
            bytes(sha256),
            int(size),
            int(seconds),
        ) if cbor.is_int(size) and cbor.is_int(seconds) and len(sha256) == _SHA256_BYTES:
            time = datetime.fromtimestamp(seconds, UTC)
            return SignedRelease(version, architecture, debian, sha256, size, time)
    raise unreadable("release: malformed")
