"""Entries of an update that are about nobody: rules of a category, trust lists of certificates.

    rules             {0: 6, 1: category, 2: rules}
    trust list        {0: 7, 1: name, 2: text, 3: issuer, 4: piece, 5: pieces}
    trust list gone   {0: 8, 1: name}

Without 2 the rules of the kiosk's config hold again. A list that is longer than a piece comes as
several entries, one behind the other; without 4 and 5 it is whole. 3 is the address of the SMART
Health Cards that its keys sign, where they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.credentials.formats import cbor
from agent.credentials.passes.claim_values import check_words, text
from agent.domain.access.community_rules import LONGEST_RULES
from agent.domain.credential.holder import parse_holder_id

RULES, TRUST_LIST, TRUST_LIST_GONE = 6, 7, 8
LARGEST_PIECE = 160 * 1024
"""Of a trust list, in bytes of UTF-8: an entry has to fit into a part."""
MOST_PIECES = 64


@dataclass(frozen=True, slots=True)
class RulesEntry:
    """The rules of a category as JSON, in place of the config's; None: those hold again."""

    category: str
    rules: str | None


@dataclass(frozen=True, slots=True)
class TrustListEntry:
    """A trust list of health certificates, or a piece of it, counted from 0."""

    name: str
    text: str
    issuer: str | None = None
    piece: int = 0
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class TrustListGone:
    """A trust list by which nothing is believed any more."""

    name: str


def in_pieces(name: str, content: str, issuer: str | None = None) -> list[TrustListEntry]:
    """A trust list as the entries that carry it.

    Raises:
        ValueError: it is too long to be carried.
    """
    # Cut between characters, of four bytes at most.
    step = LARGEST_PIECE // 4
    cut = [content[at : at + step] for at in range(0, len(content), step)] or [""]
    if len(cut) > MOST_PIECES:
        raise ValueError(f"a trust list has at most {MOST_PIECES * step} characters")
    return [TrustListEntry(name, one, issuer, at, len(cut)) for at, one in enumerate(cut)]


def rules_map(entry: RulesEntry) -> dict[int, Any]:
    """As it travels, but for its kind."""
    return {1: entry.category} if entry.rules is None else {1: entry.category, 2: entry.rules}


def trust_list_map(entry: TrustListEntry) -> dict[int, Any]:
    """As it travels, but for its kind."""
    made: dict[int, Any] = {1: entry.name, 2: entry.text}
    if entry.issuer is not None:
        made[3] = entry.issuer
    return made if entry.pieces == 1 else {**made, 4: entry.piece, 5: entry.pieces}


def read_rules(item: Mapping[Any, cbor.Value]) -> RulesEntry:
    """The entry of a decoded map.

    Raises:
        ValueError: it is none.
    """
    rules = text(item[2]) if 2 in item else None
    if rules is not None and len(rules) > LONGEST_RULES:
        raise ValueError("rules of a category are too long")
    return RulesEntry(_name(item), rules)


def read_trust_list(item: Mapping[Any, cbor.Value]) -> TrustListEntry:
    """The entry of a decoded map.

    Raises:
        ValueError: it is none.
    """
    content = text(item.get(2))
    issuer = text(item[3]) if 3 in item else None
    if issuer is not None:
        check_words((issuer,))
    piece, pieces = item.get(4, 0), item.get(5, 1)
    if not cbor.is_int(piece) or not cbor.is_int(pieces) or not 0 <= piece < pieces <= MOST_PIECES:
        raise ValueError("a piece of a trust list is one of its pieces")
    if len(content.encode()) > LARGEST_PIECE:
        raise ValueError("a piece of a trust list is too long")
    return TrustListEntry(_name(item), content, issuer, piece, pieces)


def read_trust_list_gone(item: Mapping[Any, cbor.Value]) -> TrustListGone:
    """The entry of a decoded map.

    Raises:
        ValueError: it is none.
    """
    return TrustListGone(_name(item))


def _name(item: Mapping[Any, cbor.Value]) -> str:
    return str(parse_holder_id(text(item.get(1))))  # the same words
