"""An event as it is published: the one place where its bytes are made, the same each time.

    event + place + what the journal keeps of the chain --> CloudEvent --> bytes

Whoever sends, shows or sends again asks here, so a copy never differs but by what is withheld
(``Trace``) or was erased meanwhile; ``chain`` says why its link stays the same.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from struct import Struct
from typing import Any

from agent.domain.hours.instant import utc_text
from agent.domain.record import chain
from agent.domain.record.events import Event, cloud_event, dataschema
from agent.domain.record.jcs import canonical
from agent.domain.record.published import Trace, covered, published, published_data

_AS_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_OURS = frozenset({"commitments", "salts"})
"""Of the data, what the chain puts there."""
COMMITMENT_CHARS = 43
"""SHA-256 in base64 without padding."""


class Commitments(Mapping[str, str]):
    """Commitments as a row keeps them, one behind the other by name; taken apart where asked."""

    __slots__ = ("_names", "_text")

    def __init__(self, names: tuple[str, ...], text: str) -> None:
        """Of ``names``, each in as many characters.

        Raises:
            ValueError: they are of another length, or JSON writes them otherwise.
        """
        # Quotes and nothing else: whoever writes them as they stand writes JSON.
        if len(text) != len(names) * COMMITMENT_CHARS or len(_quoted(text)) != len(text) + 2:
            raise ValueError("no commitments")
        self._names, self._text = names, text

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        start = self._names.index(name) * COMMITMENT_CHARS
        return self._text[start : start + COMMITMENT_CHARS]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def as_json(self) -> str:
        """A JSON object, compact."""
        taken_apart, form = _form(self._names)
        return (form % taken_apart.unpack(self._text.encode())).decode()


@lru_cache(maxsize=64)
def _form(names: tuple[str, ...]) -> tuple[Struct, bytes]:
    """What takes the texts of these names apart, and a JSON object with a gap for each."""
    pairs = [_quoted(name).replace("%", "%%") + ':"%b"' for name in names]
    return Struct(f"{COMMITMENT_CHARS}s" * len(names)), f"{{{','.join(pairs)}}}".encode()


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
    return _with(body, *_bound(event, shown, chained))


def as_json(data: Mapping[str, Any]) -> str:
    """Compact JSON in ASCII, for half a character, as of a file name, has no UTF-8."""
    return _AS_JSON.encode(data)


def payload(
    event: Event,
    place: Place,
    trace: Trace,
    encode: Callable[[Mapping[str, Any]], str] = as_json,
) -> bytes:
    """The bytes of ``message``; ``encode`` writes data to the values that ``as_json`` would."""
    chained = place.chained
    if chained is not None and chained.salt is not None:
        known = chained.commitments
        if isinstance(known, Commitments) and not _OURS & event.data.keys():
            return _spliced(event, place, chained, known, trace, encode).encode()
    return encode(message(event, place, trace)).encode()


def _spliced(
    event: Event,
    place: Place,
    chained: Chained,
    known: Commitments,
    trace: Trace,
    encode: Callable[[Mapping[str, Any]], str],
) -> str:
    """The same text, put together of what stands ready: a backlog of decisions is sent by this."""
    shown, kind, at = published_data(event, trace), event.type.value, event.access_point
    data = {**shown, "clock_synced": event.clock_synced}
    subject = bound = ""
    if at is not None:
        data["access_point"] = at
        subject = f',"subject":{_quoted(at)}'
    if known:
        bound = f',"commitments":{known.as_json()}'
        salts = chain.salts(chained.salt or b"", [name for name in known if name in shown])
        if salts:
            pairs = [f'"{name}":"{salt}"' for name, salt in salts.items()]
            bound += f',"salts":{{{",".join(pairs)}}}'
    return (
        f'{{"specversion":"1.0","id":{_quoted(event.id)},"source":{_quoted(chained.source)},'
        f'"type":"gate.{kind}","time":"{utc_text(event.time)}",'
        f'"datacontenttype":"application/json","dataschema":"{dataschema(kind)}",'
        f'"epoch":{_quoted(place.epoch)},"sequence":"{place.sequence:020d}",'
        f'"data":{encode(data)[:-1]}{bound}}}{subject},'
        f'"previous":"{chained.previous.hex()}"}}'
    )


def _bound(
    event: Event, shown: Event, chained: Chained
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The commitments to what is covered, and the salts of what of it is shown."""
    if chained.salt is None:
        return chained.commitments, {}
    known = chained.commitments or chain.commitments(chained.salt, covered(event))
    return known, chain.salts(chained.salt, [name for name in known if name in shown.data])


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
