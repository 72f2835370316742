"""Keyed hashes of card numbers, and cards in an update of the registry.

    HMAC-SHA256(HKDF(document key, purpose), "h10301:17:4711"), 64 hexadecimal digits

There are 16 million cards of 26 bits: all of them are tried against a bare hash in seconds, against
a keyed one by whoever has the key. It is of the document key (``id_hash``), so a new gallery key
leaves both as they are; the purposes are apart.
"""

import hashlib
import hmac

from agent.credentials.derivation import derived
from agent.domain.reader.card_format import CardNumber

_PURPOSE = b"card of a holder"


def card_hasher(document_key: bytes) -> "CardHasher":
    """What hashes cards here: the derived key is made once."""
    return CardHasher(derived(document_key, _PURPOSE))


class CardHasher:
    """Hashes by one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, card: CardNumber) -> str:
        """As the registry has it."""
        return self.of_text(card.text)

    def of_text(self, text: str) -> str:
        """Of a card in its one writing (``CardNumber.text``)."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
