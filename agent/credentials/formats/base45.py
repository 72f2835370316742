"""Base45 (RFC 9285): bytes as the characters that a QR code's alphanumeric mode packs best.

    two bytes   n = 256 a + b = c + 45 d + 2025 e      three characters c d e
    one byte    n = c + 45 d                           two characters c d

Decoding is strict: a character outside the alphabet, a length of 3 k + 1 and a value that two
bytes, or the last one, cannot hold are each refused.
"""

import numpy as np

from agent.credentials.errors import unreadable

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MAX_CHARS = 8192
"""Nearly twice what the largest QR code holds (version 40-L: 4296 alphanumeric characters)."""

_NONE = 255
_VALUES = bytes(ALPHABET.find(code) % 256 for code in range(256))
_DIGITS = np.frombuffer(ALPHABET, np.uint8)
_WEIGHTS = np.array([1, 45, 2025], np.uint32)


def encode(data: bytes) -> str:
    """``data`` in base45."""
    whole = len(data) // 2 * 2
    pairs = np.frombuffer(data[:whole], ">u2").astype(np.uint32)
    text: bytes = _DIGITS[pairs[:, None] // _WEIGHTS % 45].tobytes()
    if whole < len(data):
        text += bytes((ALPHABET[data[-1] % 45], ALPHABET[data[-1] // 45]))
    return text.decode("ascii")


def decode(text: str, max_chars: int = MAX_CHARS) -> bytes:
    """The bytes that ``text`` stands for.

    Raises:
        CredentialError: ``Other``; too long, or no base45.
    """
    if len(text) > max_chars:
        raise unreadable("base45: too long")
    if not text.isascii():
        raise unreadable("base45: a character outside the alphabet")
    values = text.encode("ascii").translate(_VALUES)
    if _NONE in values:
        raise unreadable("base45: a character outside the alphabet")
    if len(values) % 3 == 1:
        raise unreadable("base45: a length that no bytes have")
    whole = len(values) // 3 * 3
    pairs = np.frombuffer(values[:whole], np.uint8).reshape(-1, 3) @ _WEIGHTS
    if pairs.size and int(pairs.max()) > 0xFFFF:
        raise unreadable("base45: a value that two bytes cannot hold")
    data = pairs.astype(">u2").tobytes()
    if whole == len(values):
        return data
    last = values[whole] + 45 * values[whole + 1]
    if last > 0xFF:
        raise unreadable("base45: a value that one byte cannot hold")
    return data + bytes((last,))
