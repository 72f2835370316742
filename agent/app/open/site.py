"""What a command or the daemon starts from: its site, the time, and the events it makes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent import logs
from agent.adapters.clock import SystemClock
from agent.adapters.store.keys import key_path
from agent.app.open.files.restoring import refuse_unfinished
from agent.app.open.registers import categories_of, code_of_community
from agent.config import FaceConfig, GateConfig, StoreConfig, load_config
from agent.domain.access.rule import Rule
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventType
from agent.domain.record.topics import NOWHERE, Topics
from agent.domain.record.uuid7 import Uuid7Source
from agent.domain.registers.category import Category
from agent.domain.registers.resident_code import community_code
from agent.operations.packs.choice import pack_of

new_event_id = Uuid7Source(os.urandom)
"""Ids of the events that this process makes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the config says that this kiosk stands, in the words of a pass.

    ``kiosk`` is ``GRID/ID``; ``unknown_pass`` are the categories whose passes open also where the
    registry does not know the holder.
    """

    community: str
    kiosk: str
    access_points: frozenset[str]
    unknown_pass: frozenset[str]


@dataclass(frozen=True, slots=True)
class Site:
    """What of the config a command needs; without a config, what holds by default.

    ``face`` names the model pack that is used, also where the config leaves it to what was chosen.
    ``categories`` are those that a rule names, None where no config says, as ``place``; ``source``
    is the CloudEvents source. ``config`` is the file that said all this. ``archives`` are the
    archive categories; resident codes begin with ``community_code``, and ``columns`` are more words
    for the head of a table.
    """

    state: Path
    face: FaceConfig
    store: StoreConfig
    key_file: Path
    zone: tzinfo
    categories: frozenset[str] | None
    source: str
    trust_system_clock: bool
    place: Place | None = None
    config: Path | None = None
    archives: tuple[Category, ...] = categories_of(None)
    community_code: str = community_code("")
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)


def site_of(state: Path, config: Path | None) -> Site:
    """What ``config`` says, or the defaults where it is None.

    Raises:
        ConfigError: it is wrong.
    """
    if config is None:
        face, key_file = _face(FaceConfig(), state), key_path(None, state)
        return Site(state, face, StoreConfig(), key_file, UTC, None, NOWHERE.source, False)
    file = load_config(config)
    kiosk, store = file.config.kiosk, file.config.store
    return Site(
        state=state,
        face=_face(file.config.face, state),
        store=store,
        key_file=key_path(None if store.key_file is None else file.resolve(store.key_file), state),
        zone=ZoneInfo(kiosk.timezone),
        categories=frozenset(name for rule in file.config.rules for name in rule.categories),
        source=Topics(kiosk.community, kiosk.grid, kiosk.id).source,
        trust_system_clock=file.config.clock.trust_system_clock,
        place=_place(file.config),
        config=file.path,
        archives=categories_of(file.config),
        community_code=code_of_community(file.config),
        columns={one.holds: one.names for one in file.config.registers.column},
    )


def _place(config: GateConfig) -> Place:
    kiosk = config.kiosk
    # As the gate has it: a rule's own word, else the older one for all of them, else by category.
    rules = [
        Rule(
            frozenset(rule.categories),
            accept_unknown_holders=config.pass_.accept_unknown_holders
            if rule.accept_unknown_holders is None
            else rule.accept_unknown_holders,
        )
        for rule in config.rules
    ]
    return Place(
        kiosk.community,
        f"{kiosk.grid}/{kiosk.id}",
        frozenset(point.id for point in config.access_point),
        frozenset(name for rule in rules if rule.believes_unknown for name in rule.categories),
    )


def _face(face: FaceConfig, state: Path) -> FaceConfig:
    """``face`` with the name of the pack that is used here."""
    return face.model_copy(update={"pack": pack_of(face.pack, state)})


def command_site(state: Path, config: Path | None, *, unfinished: bool = False) -> Site:
    """``site_of`` for a command of a person: what adapters log goes to stderr, warnings only.

    ``unfinished``: also where a restore of the state was cut short, for the command that ends it.

    Raises:
        ConfigError: it is wrong.
        UnavailableError: a restore was cut short: nothing may go by half of it.
    """
    logs.configure("warning")
    if not unfinished:
        refuse_unfinished(state)
    return site_of(state, config)


def instant(site: Site) -> Instant:
    """Now, for a command."""
    return SystemClock(trust_system_clock=site.trust_system_clock).now()


def make_event(kind: EventType, data: Mapping[str, Any], now: Instant) -> Event:
    """An event that did not come from the controller."""
    return Event(new_event_id.make(now.utc), kind, now.utc, now.utc_trusted, None, data)
