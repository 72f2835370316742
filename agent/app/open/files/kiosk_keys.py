"""The kiosk's own two keys: one by which it signs, one that opens what is for it alone.

    kiosk-signing.key   Ed25519 (RFC 8032)    checkpoints of the journal, replies, receipts
    kiosk-sealing.key   X25519 (RFC 7748)     opens updates of the registry

Each lies in the state folder as its 32 bytes in hexadecimal digits and never leaves it. Their
public halves are what a backend pins.
"""

import contextlib
import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.adapters.store.keys import init_key, load_key
from agent.app.open.files.state import SEALING_KEY, SIGNING_KEY
from agent.app.open.site import Site
from agent.credentials.passes.issuers import KEY_ID_BYTES
from agent.errors import RefusedError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What others may know of a key: ``raw`` are its 32 bytes."""

    raw: bytes

    @property
    def key_id(self) -> str:
        """The first 8 bytes of SHA-256 of the raw key, as that of an issuer; hexadecimal."""
        return hashlib.sha256(self.raw).digest()[:KEY_ID_BYTES].hex()

    def as_json(self) -> dict[str, str]:
        """Its id, and the key in base64url without padding."""
        public = urlsafe_b64encode(self.raw).rstrip(b"=").decode()
        return {"key_id": self.key_id, "public": public}


def make_kiosk_keys(site: Site) -> list[Path]:
    """Make whichever of the two is missing; the files that were made.

    Raises:
        KeyUnavailableError: the state folder cannot be written.
    """
    made = []
    for row in (SIGNING_KEY, SEALING_KEY):
        with contextlib.suppress(RefusedError):
            init_key(row.at(site.state))
            made.append(row.at(site.state))
    return made


def own_keys(site: Site) -> None:
    """At a start: make what is missing, and say so, since a backend must be told.

    Raises:
        KeyUnavailableError: the state folder cannot be written.
    """
    if made := make_kiosk_keys(site):
        _log.warning("kiosk_keys_made", files=[one.name for one in made], fix="gate-agent key show")


def signing_key(site: Site) -> Ed25519PrivateKey:
    """By which this kiosk signs.

    Raises:
        KeyUnavailableError: it is missing, open to others, or no key.
    """
    return Ed25519PrivateKey.from_private_bytes(load_key(SIGNING_KEY.at(site.state)))


def sealing_key(site: Site) -> X25519PrivateKey:
    """Which opens what was sealed for this kiosk.

    Raises:
        KeyUnavailableError: it is missing, open to others, or no key.
    """
    return X25519PrivateKey.from_private_bytes(load_key(SEALING_KEY.at(site.state)))


def public_keys(site: Site) -> dict[str, Any]:
    """Whose keys they are and their public halves, as the broker's ``keys`` topic carries them.

    Raises:
        KeyUnavailableError: one is missing, open to others, or no key.
    """
    return {
        "kiosk": site.source.removeprefix("/gate/"),
        "signing": half_of(signing_key(site).public_key()).as_json(),
        "sealing": half_of(sealing_key(site).public_key()).as_json(),
    }


def half_of(key: Ed25519PublicKey | X25519PublicKey) -> PublicHalf:
    """A public key as others get it."""
    return PublicHalf(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
