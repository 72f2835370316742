"""Keyed hashes of ID numbers: what is stored and compared in a number's place.

    kiosk      HMAC-SHA256(document key, canonical number), 64 hexadecimal digits
    community  HMAC-SHA256(HKDF(community key, purpose), canonical number), the first 32 digits

There are so few ID numbers that all of them can be tried against a bare hash within hours; against
a keyed one only by who has the key. Every writing of one number (case, width, spaces, 15 digits or
18) is one hash (``resident_id.canonical``). The purposes are apart, so a hash stored by the kiosk
and one carried by a pass cannot be told to be of one number.
"""

import hashlib
import hmac

from agent.credentials.derivation import derived
from agent.credentials.documents.resident_id import canonical

KEY_ID_BYTES = 8
KIOSK_PURPOSE = b"id document of a holder"
_COMMUNITY_PURPOSE = b"id document of a pass"
_COMMUNITY_DIGITS = 32


def kiosk_hash(document_key: bytes, number: str) -> str:
    """As the registry has it; ``document_key`` is the registry's, already of this purpose.

    Raises:
        RefusedError: ``id_number``: it is none.
    """
    return _hash(document_key, number)


def community_hash(community_key: bytes, number: str) -> str:
    """As a pass has it (``GatePass.document``); ``community_key`` is the one in the key file.

    Raises:
        RefusedError: ``id_number``: it is none.
    """
    return _hash(derived(community_key, _COMMUNITY_PURPOSE), number)[:_COMMUNITY_DIGITS]


def document_key_id(document_key: bytes) -> bytes:
    """8 bytes that name the key and tell nothing of it; kiosks with the same one share hashes."""
    return hashlib.sha256(b"gate-agent document key id" + document_key).digest()[:KEY_ID_BYTES]


def _hash(key: bytes, number: str) -> str:
    return hmac.new(key, canonical(number).encode(), hashlib.sha256).hexdigest()
