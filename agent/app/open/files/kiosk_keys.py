"""The kiosk's own two keys: one by which it signs, one that opens what is for it alone.

    kiosk-signing.key   Ed25519 (RFC 8032)    checkpoints of the journal, replies, receipts
    kiosk-sealing.key   X25519 (RFC 7748)     opens updates of the registry

Each lies in the state folder as its 32 bytes in hexadecimal digits and never leaves it. Their
public halves are what a backend pins.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.adapters.store.keys import init_key, load_key
from agent.app.open.files.state import SEALING_KEY, SIGNING_KEY
from agent.app.open.site import Site
from agent.credentials.shown_keys import shown_keys
from agent.errors import RefusedError

_log = structlog.get_logger(__name__)


def make_kiosk_keys(site: Site) -> list[Path]:
    """Make whichever of the two is missing; the files that were made.

    Raises:
        KeyUnavailableError: the state folder cannot be written.
    """
    made = []
    for path in (SIGNING_KEY.at(site.state), SEALING_KEY.at(site.state)):
        # Looked first: at a start they are there, and a key is written and flushed to be made.
        if os.path.lexists(path):
            continue
        with contextlib.suppress(RefusedError):  # another process was faster
            init_key(path)
            made.append(path)
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
    kiosk = site.source.removeprefix("/gate/")
    return shown_keys(kiosk, signing_key(site).public_key(), sealing_key(site).public_key())
