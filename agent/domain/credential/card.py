"""A card as the registry knows it: whose it is and when it counts, never its number."""

from dataclasses import dataclass
from datetime import datetime

from agent.domain.credential.holder import HolderId

TAG_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Card:
    """A bound card, valid ``valid_from <= now < valid_until`` and while its holder is."""

    holder: HolderId
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def tag_of(card_hash: str) -> str:
    """By which people name a card of a holder: the first digits of its keyed hash."""
    return card_hash[:TAG_DIGITS]
