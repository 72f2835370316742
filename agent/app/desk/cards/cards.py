"""Opens the registry for the commands about cards, with the formats that the config knows."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from agent.app.open.files.stores import Key, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.config import load_config
from agent.config.tables.readers.reader import formats_of
from agent.domain.credential.card import Card
from agent.domain.credential.holder import HolderId
from agent.domain.reader.card_format import BUILT_IN, CardFormat
from agent.operations.people import cards
from agent.operations.people.cards import Bound, Listed


def formats(config: Path | None) -> tuple[CardFormat, ...]:
    """Every format that a card may be typed in: the built-in ones, and the config's.

    Raises:
        ConfigError: it is wrong.
    """
    own = {} if config is None else formats_of(load_config(config).config.card_format)
    return (*BUILT_IN.values(), *own.values())


def bind_card(
    site: Site,
    config: Path | None,
    holder: str,
    number: str,
    bounds: tuple[datetime | None, datetime | None],
    *,
    by: str,
    move: bool,
) -> Bound:
    """Bind the card of a number that somebody typed, valid within ``bounds``.

    Raises:
        RefusedError: there is no such holder, it is no card, or another holder's.
        KeyUnavailableError: there is no key to hash with.
        StoreError: the registry is locked, damaged or not writable.
    """
    read = cards.read_number(number, formats(config))
    with open_registry(site, Key.NEEDED) as registry:
        card = Card(HolderId(holder), *bounds)
        return cards.bind(registry, read, card, by=by, now=instant(site), move=move)


def unbind_cards(site: Site, holder: str, tag: str | None, *, by: str) -> list[Bound]:
    """Let a holder's card of this tag open nothing more, or all of them; no key is needed.

    Raises:
        RefusedError: there is no such holder or card.
        StoreError: the registry is locked, damaged or not writable.
    """
    with open_registry(site) as registry:
        return cards.unbind(registry, holder, tag, by=by, now=instant(site))


def unbind_number(site: Site, config: Path | None, number: str, *, by: str) -> Bound:
    """Let a lost card open nothing more, by its number.

    Raises:
        RefusedError: it is no card, or nobody's.
        KeyUnavailableError: there is no key to hash with.
        StoreError: the registry is locked, damaged or not writable.
    """
    read = cards.read_number(number, formats(config))
    with open_registry(site, Key.NEEDED) as registry:
        return cards.unbind_number(registry, read, by=by, now=instant(site))


def list_cards(site: Site, holder: str | None) -> list[Listed]:
    """All cards, or a holder's.

    Raises:
        RefusedError: there is no such holder.
        UnavailableError: the registry cannot be read.
    """
    with read_registry(site, Key.IF_ANY) as registry:
        return cards.listed(registry, holder)


def import_cards(
    site: Site,
    config: Path | None,
    lines: Sequence[str],
    name: str,
    *,
    by: str,
    move: bool,
    dry_run: bool,
) -> tuple[int, int]:
    """Bind the cards of a table; how many it has, and how many changed.

    Each in a transaction of its own: cut short, a repetition does the rest and nothing twice.

    Raises:
        RefusedError: ``import``: what is wrong, by line; nothing was bound.
        KeyUnavailableError: there is no key to hash with.
        StoreError: the registry is locked, damaged or not writable.
    """
    known = formats(config)
    with open_registry(site, Key.NEEDED) as registry:
        rows = cards.read_rows(lines, name, registry, known, site.zone, move=move)
        if dry_run:
            before = registry.cards()
            return len(rows), sum(before.get(hashed) != card for hashed, card in rows)
        changed = 0
        for hashed, card in rows:
            changed += registry.bind_card(hashed, card, by=by, now=instant(site), move=move)
        return len(rows), changed
