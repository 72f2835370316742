"""What a person sees of the state's files, and says about one that is in fault."""

import contextlib
from dataclasses import asdict, dataclass
from typing import Any

from agent.adapters.store.standing import Presence
from agent.app.open.files.installation import installation_of, part_of
from agent.app.open.files.state import WATCHED
from agent.app.open.files.stores import open_journal
from agent.app.open.site import Site
from agent.domain.record.events import Event
from agent.errors import StoreError
from agent.operations.state import accept_state


@dataclass(frozen=True, slots=True)
class StateFile:
    """One file: what is wrong with it, and how far it has come against what is remembered.

    ``fault`` is None where it is well, ``counter`` where it cannot be read, ``remembered`` where
    it was never there before.
    """

    file: str
    part: str
    fault: str | None
    counter: int | None
    remembered: int | None
    loss: str

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def state_files(site: Site) -> tuple[str | None, list[StateFile]]:
    """The installation's identity, None where nothing was made yet, and its files; makes nothing.

    Raises:
        StoreError: this user may not know.
    """
    installation = installation_of(site)
    wrong, counters = installation.look(), installation.counters()
    files = []
    for row in WATCHED:
        found, remembered = counters[row.name]
        there = found.presence is Presence.THERE
        files.append(
            StateFile(
                row.name,
                part_of(row.name),
                wrong.get(row.name),
                found.counter if there else None,
                remembered,
                row.loss,
            )
        )
    return installation.identity, files


def accept_file(site: Site, file: str, reason: str, by: str) -> str:
    """A person accepts the file as it is, while no agent runs; the part that is in order again.

    Raises:
        RefusedError: ``no_reason``, ``unknown_file``, ``no_fault``, ``unreadable``.
        StoreError: something cannot be written.
    """
    accept_state(installation_of(site), file, reason, by)
    _tell(site)
    return part_of(file)


def _tell(site: Site) -> None:
    # Where the journal cannot be written now, the agent tells it at its next start.
    with contextlib.suppress(StoreError), open_journal(site) as journal:

        def append(event: Event) -> None:
            journal.append(event)
            journal.make_durable()

        installation_of(site).tell(append)
