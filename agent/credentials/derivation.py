"""One key for each purpose, of the one that is kept."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DERIVED_BYTES = 32


def derived(key: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose (HKDF, RFC 5869); from one nobody learns another."""
    return HKDF(SHA256(), DERIVED_BYTES, salt=None, info=b"gate-agent " + purpose).derive(key)
