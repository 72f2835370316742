"""An event as it is published: the one place where its bytes are made, the same each time.

    event + place + what the journal keeps of the chain --> CloudEvent --> bytes

Whoever sends, shows or sends again asks here, so a copy never differs but by what is withheld
(``Trace``) or was erased meanwhile; ``chain`` says why its link stays the same.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.domain.record import chain
from agent.domain.record.events import Event, cloud_event
from agent.domain.record.jcs import canonical
from agent.domain.record.published import Trace, covered, published

_AS_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Chained:
    """What the journal keeps of an event's place in the chain.

    ``source`` is where the kiosk stood when it was recorded, ``previous`` the link before it (32
    bytes). ``salt`` (16 bytes) is gone once the covered values are erased. ``commitments`` follow
    from the salt and the values while these are there: empty where they are to be made from them.
    """

    source: str
    previous: bytes
    salt: bytes | None
    commitments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands; ``chained`` None: it was recorded before there was a chain."""

    source: str
    epoch: str
    sequence: int
    chained: Chained | None = None


def message(event: Event, place: Place, trace: Trace = Trace.FULL) -> dict[str, Any]:
    """The CloudEvent of ``event`` (as the journal has it), with as much as ``trace`` lets out."""
    shown = published(event, trace)
    chained = place.chained
    body = cloud_event(
        shown,
        source=place.source if chained is None else chained.source,
        epoch=place.epoch,
        sequence=place.sequence,
    )
    if chained is None:
        return body
    body["previous"] = chained.previous.hex()
    if chained.salt is None:
        return _with(body, chained.commitments, {})
    known = chained.commitments or chain.commitments(chained.salt, covered(event))
    if not known:
        return body
    here = [name for name in known if name in shown.data]
    return _with(body, known, chain.salts(chained.salt, here))


def payload(event: Event, place: Place, trace: Trace) -> bytes:
    """The same, as it is sent."""
    # ASCII only: half a character, as of a file name that is no text, has no UTF-8.
    return _AS_JSON.encode(message(event, place, trace)).encode()


def link_of(event: Event, place: Place) -> bytes:
    """The link (32 bytes) of ``event`` at ``place``, whose salt is there.

    Raises:
        ValueError: its data has no canonical form.
    """
    chained = place.chained
    assert chained is not None
    assert chained.salt is not None
    known = chained.commitments or chain.commitments(chained.salt, covered(event))
    opened = {name: one for name, one in event.data.items() if name not in known}
    body = cloud_event(
        replace(event, data=opened),
        source=chained.source,
        epoch=place.epoch,
        sequence=place.sequence,
    )
    body["previous"] = chained.previous.hex()
    return hashlib.sha256(canonical(_with(body, known, {}))).digest()


def _with(
    body: dict[str, Any], commitments: Mapping[str, str], salts: Mapping[str, str]
) -> dict[str, Any]:
    """``body`` with those of the two that are there."""
    if commitments:
        body["data"]["commitments"] = dict(commitments)
    if salts:
        body["data"]["salts"] = dict(salts)
    return body
