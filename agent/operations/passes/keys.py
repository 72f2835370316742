"""The keys behind gate passes: an issuer's pair, and what a community's kiosks share.

The issuer's private key signs passes and stays in the office; its public half is what a kiosk
trusts. The community's key opens the templates on passes; the office and every kiosk hold it.
"""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from agent.credentials.passes.issuers import key_id
from agent.errors import RefusedError, UnavailableError

_LARGEST_BYTES = 10_000


def make_issuer_key(path: Path) -> str:
    """A new pair: the private key at ``path`` (mode 0600), the public one beside it; the key's id.

    Raises:
        RefusedError: ``key_exists``; a key is never overwritten.
        UnavailableError: the place cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_new(path, private, 0o600)
    write_new(public_path(path), public, 0o644)
    return key_id(key.public_key()).hex()


def make_community_key(path: Path) -> None:
    """A new key of 32 bytes as hexadecimal digits at ``path``, mode 0600.

    Raises:
        RefusedError: ``key_exists``; a key is never overwritten.
        UnavailableError: the place cannot be written.
    """
    write_new(path, secrets.token_hex(32).encode() + b"\n", 0o600)


def public_path(path: Path) -> Path:
    """Where the public half of the key at ``path`` lies."""
    return path.with_name(path.name + ".pub")


def read_issuer_key(path: Path) -> Ed25519PrivateKey:
    """The private key at ``path``.

    Raises:
        UnavailableError: it is missing, open to others, or no Ed25519 key.
    """
    data = _read(path)
    if path.stat().st_mode & 0o077:
        raise UnavailableError(f"{path} is open to others", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnavailableError(f"{path} holds no private key", _FIX) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnavailableError(f"{path} holds no Ed25519 key", _FIX)
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key at ``path``.

    Raises:
        RefusedError: ``private_key``; a kiosk never needs that half.
        UnavailableError: it is missing, or no Ed25519 key.
    """
    data = _read(path)
    if b"PRIVATE KEY" in data:
        raise RefusedError(
            "private_key",
            f"{path} is the private half, which stays with the issuer\n"
            f"Fix: trust {public_path(path).name} instead",
        )
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnavailableError(f"{path} holds no public key", _FIX) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnavailableError(f"{path} holds no Ed25519 key", _FIX)
    return key


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet; it appears whole.

    Raises:
        RefusedError: ``key_exists``; there is one.
        UnavailableError: the place cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # A link, not a rename: it fails where a key stands.
        os.link(draft, path)
    except FileExistsError as error:
        raise RefusedError("key_exists", f"{path} is there already") from error
    except OSError as error:
        fix = "name another place"
        raise UnavailableError(f"{path} cannot be written: {error.strerror}", fix) from error
    finally:
        draft.unlink(missing_ok=True)


_FIX = "gate-agent pass keygen FILE"


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UnavailableError(f"{path} is no file", _FIX)
        if path.stat().st_size > _LARGEST_BYTES:
            raise UnavailableError(f"{path} holds no key", _FIX)
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}", _FIX) from error
