"""The signature beside a package: who made it, and that it is this file."""

import hashlib
import stat
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from agent.credentials.errors import CredentialError
from agent.credentials.signed.release import (
    MAX_BYTES,
    SUFFIX,
    SignedRelease,
    sign_release,
    verify_release,
)
from agent.errors import RefusedError, UnavailableError
from debian.tree import Built

_MAKE = "openssl genpkey -algorithm ed25519 -out KEY.pem && chmod 600 KEY.pem"


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key in ``path``, which is its owner's alone.

    Raises:
        UnavailableError: it cannot be read, is no Ed25519 key, or others may read it.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise UnavailableError(f"{path} may be read by others", f"chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}", _MAKE) from error
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise UnavailableError(f"{path} is no private key without a passphrase", _MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnavailableError(f"{path} is no Ed25519 key", _MAKE)
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The public half in ``path``.

    Raises:
        UnavailableError: it cannot be read, or is no public Ed25519 key.
    """
    fix = f"openssl pkey -in KEY.pem -pubout -out {path}"
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}", fix) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnavailableError(f"{path} is no public key", fix) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnavailableError(f"{path} is no Ed25519 key", fix)
    return key


def sign(built: Built, package: Path, key: Ed25519PrivateKey) -> Path:
    """Write the signature of ``package`` beside it; where."""
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    said = SignedRelease(
        built.version,
        built.architecture,
        built.release.name,
        digest,
        package.stat().st_size,
        datetime.fromtimestamp(built.time, UTC),
    )
    beside = beside_of(package)
    beside.write_bytes(sign_release(said, key))
    return beside


def check(package: Path, key: Ed25519PublicKey) -> SignedRelease:
    """What was signed of ``package``.

    Raises:
        UnavailableError: the package or its signature cannot be read.
        RefusedError: another key signed it, or it is another file.
    """
    beside = beside_of(package)
    try:
        if beside.stat().st_size > MAX_BYTES:
            raise RefusedError("signature", f"{beside} is no signature: it is too large")
        said = verify_release(beside.read_bytes(), key)
        same = said.is_of(package)
    except OSError as error:
        raise UnavailableError(
            f"{error.filename}: {error.strerror}", "bring the package and its .sig together"
        ) from error
    except CredentialError as error:
        raise RefusedError("signature", f"{beside}: {error}") from error
    if not same:
        raise RefusedError("signature", f"{package} is not the file that was signed")
    return said


def beside_of(package: Path) -> Path:
    """Where the signature of ``package`` lies."""
    return package.with_name(package.name + SUFFIX)
