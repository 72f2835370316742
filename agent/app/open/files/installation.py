"""The installation of a state folder, and its files in the words of faults and fixes."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import structlog

from agent.adapters.store.installation import Installation
from agent.app.open.files.state import JOURNAL, REGISTRY, WATCHED, Row
from agent.app.open.site import Site, instant, make_event
from agent.domain.access.part import Part, PartKind
from agent.domain.record.events import Event, EventType
from agent.errors import StoreError

_log = structlog.get_logger(__name__)


def installation_of(site: Site) -> Installation:
    """That of the site's state folder; nothing of it is read or made yet."""

    def tell(kind: EventType, data: Mapping[str, Any]) -> Event:
        return make_event(kind, {"by": "agent", **data}, instant(site))

    names = [row.name for row in WATCHED]
    return Installation(site.state, names, [JOURNAL.name, REGISTRY.name], tell)


def part_of(name: str) -> Part:
    """The part that is in fault with the file: ``state:passes`` for ``passes.sqlite``."""
    return PartKind.STATE.part(PurePath(name).stem)


def detail_of(name: str, wrong: str) -> str:
    """What is wrong with the file, as a fault tells it."""
    return f"{name}: {wrong}"


def state_fault(site: Site, row: Row, wrong: str) -> StoreError:
    """For a command that needs the file."""
    fix = (
        f"stop the agent and put the right {row.name} back; or, to go on with what is there:"
        f" gate-agent state accept {row.name} --reason TEXT"
    )
    return StoreError(f"{row.at(site.state)} is in fault: {wrong}", fix)


def settle(installation: Installation, *names: str) -> None:
    """Remember how far these files (all) have come; what fails is only remembered later."""
    try:
        installation.settle(names or None)
    except StoreError as error:
        _log.warning("state_not_remembered", error=str(error))
