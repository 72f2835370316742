"""What an update of the registry says of cards.

    card         {0: 9, 1: holder, 2: card, 3: from, 4: until}
    card gone    {0: 10, 2: card}

A card is its one writing, ``h10301:17:4711``: an update is sealed to the kiosk, which keeps a hash
by its own key and not this. It is bound to whoever it names last.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.credentials.formats import cbor
from agent.credentials.passes.claim_values import moment, text
from agent.domain.credential.card import Card
from agent.domain.credential.holder import parse_holder_id

CARD, CARD_GONE = 9, 10
_WRITING = re.compile(r"[a-z][a-z0-9._-]{0,31}(:(0|[1-9]\d{0,39})){1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A card that is somebody's from now on."""

    number: str = field(repr=False)
    card: Card


@dataclass(frozen=True, slots=True)
class CardGone:
    """A card that opens nothing any more: it was lost."""

    number: str = field(repr=False)


def card_map(entry: CardEntry | CardGone) -> dict[int, Any]:
    """The map of it, its kind under 0."""
    if isinstance(entry, CardGone):
        return {0: CARD_GONE, 2: entry.number}
    ends = ((3, entry.card.valid_from), (4, entry.card.valid_until))
    times = {label: int(end.timestamp()) for label, end in ends if end is not None}
    return {0: CARD, 1: str(entry.card.holder), 2: entry.number, **times}


def read_card(item: Mapping[Any, cbor.Value]) -> CardEntry:
    """The entry of a decoded map.

    Raises:
        ValueError: it is none.
    """
    start, end = (moment(item[label]) if label in item else None for label in (3, 4))
    return card_entry(text(item.get(1)), text(item.get(2)), start, end)


def card_entry(holder: str, number: str, start: datetime | None, end: datetime | None) -> CardEntry:
    """The entry that binds a card in its one writing.

    Raises:
        ValueError: something of it is wrong.
    """
    if start is not None and end is not None and start >= end:
        raise ValueError("what is valid begins before it ends")
    return CardEntry(_writing(number), Card(parse_holder_id(holder), start, end))


def read_card_gone(item: Mapping[Any, cbor.Value]) -> CardGone:
    """The entry of a decoded map.

    Raises:
        ValueError: it is none.
    """
    return CardGone(_writing(text(item.get(2))))


def _writing(number: str) -> str:
    if not _WRITING.fullmatch(number):
        raise ValueError(
            "a card is FORMAT:FACILITY:NUMBER, or without FACILITY; no leading noughts"
        )
    return number
