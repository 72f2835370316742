"""Binds cards to holders: by their number, of which only a keyed hash stays.

A table for ``import`` has the columns ``holder``, ``card``, and where wanted ``valid_from`` and
``valid_until``; every row is checked before the first is bound. No message holds a number.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from agent.credentials.documents.card_hash import CardHasher, card_hasher
from agent.domain.credential.card import Card, tag_of
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.reader.card_format import CardFormat, CardNumber, read_card_text
from agent.errors import GateAgentError, RefusedError
from agent.operations.moments import parse_bound
from agent.operations.people.findings import finding, told
from agent.operations.people.holders import find
from agent.ports import CardStore

_NEEDED, _BOUNDS = ("holder", "card"), ("valid_from", "valid_until")
_MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Bound:
    """What became of a card: whose it is, by which tag people name it, whether that is new."""

    holder: HolderId
    tag: str
    changed: bool

    def as_json(self) -> dict[str, Any]:
        """As ``cards bind --json`` prints it."""
        return {"id": self.holder, "card": self.tag, "changed": self.changed}


@dataclass(frozen=True, slots=True)
class Listed:
    """A bound card as it is listed."""

    holder: HolderId
    tag: str
    valid_from: datetime | None
    valid_until: datetime | None

    def as_json(self) -> dict[str, Any]:
        """As ``cards list --json`` prints it."""
        return {
            "id": self.holder,
            "card": self.tag,
            "valid_from": None if self.valid_from is None else utc_text(self.valid_from),
            "valid_until": None if self.valid_until is None else utc_text(self.valid_until),
        }


def read_number(text: str, formats: Iterable[CardFormat]) -> CardNumber:
    """A card as somebody typed it.

    Raises:
        RefusedError: ``card_number``: it is none.
    """
    try:
        return read_card_text(text, formats)
    except ValueError as error:
        fix = "as h10301:8:15; the card's print says facility and number"
        raise RefusedError("card_number", f"that is no card: {error}\nFix: {fix}") from error


def bind(
    store: CardStore, number: CardNumber, card: Card, *, by: str, now: Instant, move: bool
) -> Bound:
    """Bind a card to its holder.

    Raises:
        RefusedError: ``no_such_holder``, ``card_taken``, ``validity``.
        KeyUnavailableError: there is no key to hash with, or not the one of before.
    """
    find(store, card.holder)
    check_validity(card)
    hashed = card_hasher(store.document_key()).of(number)
    changed = store.bind_card(hashed, card, by=by, now=now, move=move)
    return Bound(card.holder, tag_of(hashed), changed)


def check_validity(card: Card) -> None:
    """See that it begins before it ends.

    Raises:
        RefusedError: ``validity``.
    """
    start, end = card.valid_from, card.valid_until
    if start is not None and end is not None and start >= end:
        raise RefusedError("validity", "it ends before it begins\nFix: --valid-until later")


def listed(store: CardStore, holder: str | None) -> list[Listed]:
    """All cards, or those of ``holder``, by holder.

    Raises:
        RefusedError: ``no_such_holder``.
    """
    whose = None if holder is None else find(store, holder).id
    found = [
        Listed(card.holder, tag_of(hashed), card.valid_from, card.valid_until)
        for hashed, card in store.cards().items()
        if whose in (None, card.holder)
    ]
    return sorted(found, key=lambda one: (one.holder, one.tag))


def unbind(store: CardStore, holder: str, tag: str | None, *, by: str, now: Instant) -> list[Bound]:
    """Let the card of this tag open nothing more, or every card of the holder.

    Raises:
        RefusedError: ``no_such_holder``; ``no_such_card``: the holder has none of this tag.
    """
    whose = find(store, holder).id
    hashes = [
        hashed
        for hashed, card in store.cards().items()
        if card.holder == whose and tag in (None, tag_of(hashed))
    ]
    if tag is not None and not hashes:
        fix = f"gate-agent cards list {whose}"
        raise RefusedError("no_such_card", f"{whose} has no card of this tag\nFix: {fix}")
    return [
        Bound(whose, tag_of(one), store.unbind_card(one, by=by, now=now) is not None)
        for one in hashes
    ]


def unbind_number(store: CardStore, number: CardNumber, *, by: str, now: Instant) -> Bound:
    """Let a card that was lost open nothing more, whoever's it is.

    Raises:
        RefusedError: ``no_such_card``: it is nobody's.
        KeyUnavailableError: there is no key to hash with, or not the one of before.
    """
    hashed = card_hasher(store.document_key()).of(number)
    owner = store.unbind_card(hashed, by=by, now=now)
    if owner is None:
        raise RefusedError("no_such_card", "the card is nobody's here: it opens nothing")
    return Bound(owner, tag_of(hashed), changed=True)


def read_rows(
    lines: Sequence[str],
    name: str,
    store: CardStore,
    formats: Iterable[CardFormat],
    zone: tzinfo,
    *,
    move: bool = False,
) -> list[tuple[str, Card]]:
    """The rows of a table, as hashes and whose they are to be; every finding at once.

    Raises:
        RefusedError: ``import``: what is wrong, by line; nothing was bound.
        KeyUnavailableError: there is no key to hash with, or not the one of before.
    """
    known, hasher = [*formats], card_hasher(store.document_key())
    before, ids = store.cards(), {one.id for one in store.readable_holders()}
    found: dict[str, Card] = {}
    lines_of: dict[str, int] = {}
    findings: list[str] = []
    reader = csv.DictReader(lines[: _MOST_ROWS + 1], restkey="", strict=True)
    try:
        findings += [f"{name}:1: {problem}" for problem in _head(reader.fieldnames)]
        for row in reader if not findings else ():
            at = reader.line_num
            try:
                hashed, card = _row(row, known, hasher, zone)
                _check(card, ids, before.get(hashed), move=move)
                if hashed in found:
                    raise ValueError(f"the same card as line {lines_of[hashed]}")  # noqa: TRY301 - one boundary for a row
                found[hashed], lines_of[hashed] = card, at
            except (ValueError, GateAgentError) as error:
                findings.append(finding(f"{name}:{at}: ", error))
    except csv.Error as error:
        findings.append(f"{name}:{reader.line_num}: {error}")
    if len(lines) > _MOST_ROWS:
        findings.append(f"{name}: more than {_MOST_ROWS} lines")
    if findings:
        raise RefusedError("import", told("nothing was imported", findings))
    return [*found.items()]


def _head(names: Sequence[str] | None) -> list[str]:
    given = [one.strip() for one in names or ()]
    lacking = [one for one in _NEEDED if one not in given]
    unknown = [one for one in given if one not in (*_NEEDED, *_BOUNDS)]
    said = [f"the column {one} is missing" for one in lacking]
    said += [f"there is no column {one[:40]!r}" for one in unknown]
    if len(set(given)) != len(given):
        said.append("a column stands there twice")
    return said


def _row(
    row: Mapping[str, Any], formats: Sequence[CardFormat], hasher: CardHasher, zone: tzinfo
) -> tuple[str, Card]:
    if "" in row:
        raise ValueError("has more cells than the head has columns")
    if any(value is None for value in row.values()):
        raise ValueError("has fewer cells than the head has columns")
    cells = {str(key).strip(): str(value).strip() for key, value in row.items()}
    start = parse_bound(cells.get("valid_from") or "none", zone, ends=False)
    end = parse_bound(cells.get("valid_until") or "none", zone, ends=True)
    card = Card(HolderId(cells["holder"]), start, end)
    check_validity(card)
    return hasher.of(read_card_text(cells["card"], formats)), card


def _check(card: Card, ids: set[HolderId], before: Card | None, *, move: bool) -> None:
    if card.holder not in ids:
        raise ValueError("there is no such holder")
    if before is not None and before.holder != card.holder and not move:
        raise ValueError(f"the card is {before.holder}'s; --force takes it from them")
