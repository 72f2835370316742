"""What a message is: judged by its topic and its bytes alone, before anything is stored.

Everything comes from strangers: what is no message of the contract is a ``Refusal``, which is
counted, and nothing more. An event whose chain or commitments fail is an event all the same.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from agent.credentials.errors import CredentialError
from agent.credentials.formats import strict_json
from agent.credentials.shown_keys import raw_half
from agent.domain.record import chain
from agent.domain.record.events import CONTRACT

MAX_BYTES = 65_536
_TOPIC = re.compile(r"gate/((?:[A-Za-z0-9._-]{1,64}/){3})(.+)", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EPOCH = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SEQUENCE = re.compile(r"[0-9]{20}")
_TYPE = re.compile(r"gate\.[a-z_]{1,64}\.[a-z_]{1,64}")
_SCHEMA = re.compile(r"urn:gate:contract:([0-9]{1,9})#.*", re.DOTALL)
_LINK = re.compile(r"[0-9a-f]{64}")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LAST = 2**63 - 2
_REGISTRY = {"registry/receipts": "receipt", "registry/request": "request"}


class Reason(StrEnum):
    """Why a message is refused; the word under which it is counted."""

    TOPIC = "topic"
    OVERSIZED = "oversized"
    NOT_JSON = "not_json"
    NOT_OF_CONTRACT = "not_of_contract"
    VERSION = "unknown_version"
    OTHER_KIOSK = "other_kiosk"
    NOT_SIGNED = "not_signed"
    NOT_PINNED = "not_pinned"
    STORE = "not_storable"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came is nothing; ``kiosk`` by the topic, empty where that names none."""

    kiosk: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Heard:
    """An event; ``body`` is its JSON, ``altered`` that a value does not fit its commitment.

    ``previous`` is None where it came without, ``time`` is the kiosk's own.
    """

    kiosk: str
    epoch: str
    sequence: int
    id: str
    type: str
    time: datetime
    clock_synced: bool
    access_point: str | None
    holder: str | None
    previous: bytes | None
    link: bytes
    altered: bool
    body: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """A status or a heartbeat: ``kind`` is ``status`` or ``health``; ``body`` is its JSON."""

    kiosk: str
    kind: str
    said: dict[str, Any]
    body: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys that the broker carries under a kiosk's name: to be compared."""

    kiosk: str
    signing: bytes | None
    sealing: bytes | None


@dataclass(frozen=True, slots=True)
class Signed:
    """A ``reply``, ``receipt`` or ``request``: bytes that the kiosk's key has to vouch for."""

    kiosk: str
    kind: str
    payload: bytes


Judged = Heard | Standing | Keys | Signed | Refusal


class _RefusedError(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def judge(topic: str, payload: bytes) -> Judged | None:
    """What came on ``topic``; None where it is nothing that a backend listens to."""
    try:
        return _judged(topic, payload)
    except Exception:  # noqa: BLE001 - a decoder of what strangers sent may raise anything at all
        return Refusal("", Reason.UNREADABLE)


def _judged(topic: str, payload: bytes) -> Judged | None:
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return Refusal("", Reason.TOPIC)
    kiosk, rest = match[1].rstrip("/"), match[2]
    if not payload and rest in {"status", "keys"}:
        return None  # retained once, and taken back
    if len(payload) > MAX_BYTES:
        return Refusal(kiosk, Reason.OVERSIZED)
    try:
        family, _, name = rest.partition("/")
        if (family == "events" and name) or rest == "ranges":
            return _event(kiosk, payload)
        if rest in {"status", "health"}:
            return _standing(kiosk, rest, payload)
        if rest == "keys":
            return _keys(kiosk, _object(payload))
        if family == "replies":
            return Signed(kiosk, "reply", payload)
        if rest in _REGISTRY:
            return Signed(kiosk, _REGISTRY[rest], payload)
    except _RefusedError as refused:
        return Refusal(kiosk, refused.reason)
    return None


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = strict_json.loads(payload)
    except CredentialError:
        raise _RefusedError(Reason.NOT_JSON) from None
    if not isinstance(found, dict):
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    return found


def _storable(payload: bytes, value: dict[str, Any]) -> str:
    """``value``, read from ``payload``, as PostgreSQL keeps it: no NUL, no half a character."""
    if b"\\u" not in payload:
        return payload.decode()
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _RefusedError(Reason.NOT_OF_CONTRACT) from None
    if _NUL.search(text):
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    return text


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    return value


def _word_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and _EPOCH.fullmatch(value) else None


def _time(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
        utc = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _RefusedError(Reason.NOT_OF_CONTRACT) from None
    if found.tzinfo is None:
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    return utc


def _event(kiosk: str, payload: bytes) -> Heard:
    event = _object(payload)
    if event.get("specversion") != "1.0":
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    if event.get("source") != f"/gate/{kiosk}":
        raise _RefusedError(Reason.OTHER_KIOSK)
    # Events of before there was that key are of version 1.
    schema = event.get("dataschema")
    version = 1 if schema is None else _version(schema)
    if version != CONTRACT:
        raise _RefusedError(Reason.VERSION)
    data = event.get("data")
    if not isinstance(data, dict):
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    sequence = int(_matching(_SEQUENCE, event.get("sequence")))
    if not 1 <= sequence <= _LAST:
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    previous = None
    if "previous" in event:
        previous = bytes.fromhex(_matching(_LINK, event["previous"]))
    try:
        link = chain.link(event)
    except (ValueError, TypeError, KeyError, AttributeError):
        # What has no canonical form: half a character, a number beyond every double.
        raise _RefusedError(Reason.NOT_OF_CONTRACT) from None
    return Heard(
        kiosk=kiosk,
        epoch=_matching(_EPOCH, event.get("epoch")),
        sequence=sequence,
        id=_matching(_UUID, event.get("id")),
        type=_matching(_TYPE, event.get("type")),
        time=_time(event.get("time")),
        clock_synced=data.get("clock_synced") is True,
        access_point=_word_or_none(data.get("access_point")),
        holder=_word_or_none(data.get("holder")),
        previous=previous,
        link=bytes.fromhex(link),
        altered=previous is not None and not chain.values_fit(event),
        body=_storable(payload, event),
        data=data,
    )


def _version(schema: object) -> int:
    return int(_matching(_SCHEMA, schema).split(":")[3].partition("#")[0])


def _standing(kiosk: str, kind: str, payload: bytes) -> Standing:
    body = _object(payload)
    if body.get("contract", CONTRACT) != CONTRACT:
        raise _RefusedError(Reason.VERSION)
    if kind == "status" and not isinstance(body.get("online"), bool):
        raise _RefusedError(Reason.NOT_OF_CONTRACT)
    return Standing(kiosk, kind, body, _storable(payload, body))


def _keys(kiosk: str, body: dict[str, Any]) -> Keys:
    if body.get("kiosk") != kiosk:
        raise _RefusedError(Reason.OTHER_KIOSK)
    try:
        return Keys(kiosk, *(raw_half(body, name) for name in ("signing", "sealing")))
    except ValueError:
        raise _RefusedError(Reason.NOT_OF_CONTRACT) from None
