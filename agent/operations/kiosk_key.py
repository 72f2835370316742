"""A kiosk's signing key as somebody gives it: the key itself, or a file that holds it."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.formats import base64url
from agent.credentials.shown_keys import RAW_BYTES, raw_half
from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.json_text import read_json
from agent.errors import RefusedError, UnavailableError
from agent.operations.passes.keys import read_public_key


def read_kiosk_key(word: str) -> Ed25519PublicKey:
    """The key that ``word`` spells, in base64url or hexadecimal digits, or that its file holds.

    A file is PEM, or what ``key show --json`` prints.

    Raises:
        RefusedError: ``key``: it is neither.
        UnavailableError: the file cannot be read, or holds no such key.
    """
    if (raw := _spelt(word)) is not None:
        return Ed25519PublicKey.from_public_bytes(raw)
    path = Path(word)
    if not path.exists():
        fix = "give a file, or the signing key as gate-agent key show prints it"
        raise RefusedError("key", f"{word} is no public key and no file\nFix: {fix}")
    shown = read_or("public keys", None, lambda: read_json(path.read_bytes()))
    if not isinstance(shown, dict):
        return read_public_key(path)
    try:
        raw = raw_half(shown, "signing")
    except ValueError:
        raw = None
    if raw is None:
        raise UnavailableError(f"{path} has no signing key", "gate-agent key show --json")
    return Ed25519PublicKey.from_public_bytes(raw)


def _spelt(word: str) -> bytes | None:
    """The 32 bytes that ``word`` spells; None where it spells none."""
    try:
        raw = bytes.fromhex(word) if len(word) == 2 * RAW_BYTES else base64url.decode(word)
    except ValueError:
        return None
    return raw if len(raw) == RAW_BYTES else None
