"""The public halves of a kiosk's own keys, as ``key show --json`` and the topic ``keys`` have them.

{"kiosk": "lakeside/g3/north-1",
"signing": {"key_id": ..., "public": ...}, "sealing": {"key_id": ..., "public": ...}}
"""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from agent.credentials.formats import base64url
from agent.credentials.passes.issuers import key_id
from agent.domain.record.chain import base64_text

RAW_BYTES = 32


def shown_keys(kiosk: str, signing: Ed25519PublicKey, sealing: X25519PublicKey) -> dict[str, Any]:
    """Whose they are, and both."""
    return {"kiosk": kiosk, "signing": shown_half(signing), "sealing": shown_half(sealing)}


def shown_half(key: Ed25519PublicKey | X25519PublicKey) -> dict[str, str]:
    """Its id in hexadecimal digits, and its 32 bytes in base64url without padding."""
    return {"key_id": key_id(key).hex(), "public": base64_text(key.public_bytes_raw())}


def raw_half(shown: Mapping[str, Any], name: str) -> bytes | None:
    """The 32 bytes of the half called ``name``; None where there is none.

    Raises:
        ValueError: it is something else.
    """
    found = shown.get(name)
    if found is None:
        return None
    text = found.get("public") if isinstance(found, Mapping) else None
    raw = base64url.decode(text) if isinstance(text, str) else b""
    if len(raw) != RAW_BYTES:
        raise ValueError(name)
    return raw
