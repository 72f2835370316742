"""An example of each message, put together by the same code as the real ones."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.controller.false_grants import Probing
from agent.credentials.shown_keys import shown_keys
from agent.credentials.signed.checkpoint import Checkpoint, signed_data
from agent.domain.access.part import PartKind
from agent.domain.access.registry import Registry
from agent.domain.credential.factor import Factor
from agent.domain.credential.reason import Reason
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Cause, Mode
from agent.domain.door.walking import WalkTestEnd
from agent.domain.hours.instant import utc_text
from agent.domain.hours.reckoning import Certainty, ClockChange
from agent.domain.record.chain import LINK_BYTES, link
from agent.domain.record.command import CommandReason, Verb
from agent.domain.record.events import Event, EventDraft, EventType
from agent.domain.record.health import Health, Queue, Space
from agent.domain.record.home_assistant import Shown, discovery
from agent.domain.record.message import Chained, Place, message
from agent.domain.record.published import PERSONAL, Trace
from agent.domain.record.registry_sync import SyncReason
from agent.domain.record.status import FaceStatus, Status, offline
from agent.domain.record.topics import Topics
from agent.domain.record.uuid7 import uuid7
from agent.domain.record.wear import Day, Wear
from agent.domain.sight.operating_point import OperatingPoint
from agent.lab.contract.events import EVENTS
from agent.lab.contract.schema import Schema
from agent.lab.contract.shared import SHARED

TOPICS = Topics("lakeside", "g3", "north-1")
POINT = "north-entry"
BEGUN = datetime(2026, 11, 23, 7, 12, 9, 412_000, tzinfo=UTC)
EPOCH = "7f1c2a9e04b8d6c5"
ROW_SALT = bytes(range(16))
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
_FIRST = 42
_BOOT = "8d8a5f0e-6f2b-4f0e-9c1d-2a53b7c6e910"
_VERSION = "0.1.0"
"""Any: a release alone must not change the contract."""
_OFFICE = "uid:1000 office"

_VALUES: Mapping[str, Any] = {
    "holder": "anna",
    "direction": "entry",
    "door": "turnstile",
    "by": _OFFICE,
    "boot_id": _BOOT,
    "pack": "retail",
    "pack_version": "1",
    "factors": [Factor.FACE],
    "missing": [],
    "warnings": [],
    "challenge": None,
    "passback": False,
    "recorded_late": False,
    "stage_ms": {"detect": 9.1, "embed": 6.4},
    "version": _VERSION,
    "pass": "0f1e2d3c4b5a6978",
    "issuer": "office",
    "key_id": "d5b3bb1e5347223f",
    "part": PartKind.CAMERA.part("front"),
    "command": "1d0f8c62a94b4e57b3c0d9e8f7a6b5c4",
    "verb": Verb.UNLOCK,
    "key": "office",
}
"""What a key carries where its event says nothing else."""

_SAYS: Mapping[EventType, Mapping[str, Any]] = {
    EventType.ACCESS_GRANTED: {"reason": None, "pass": None},
    EventType.ACCESS_DENIED: {
        "reason": Reason.NO_MATCH,
        "holder": None,
        "factors": [],
        "missing": [Factor.FACE],
        "pass": None,
    },
    EventType.ACCESS_UNJUDGED: {"count": 3, "period_s": 60.0},
    EventType.ACCESS_PROBING: {
        "stage": Probing.SUSPECTED,
        "threshold": 0.58,
        "fmr": 2.4e-5,
        "attempts": 23,
        "left": 0.61,
        "expected_last_day": 0.0021,
    },
    EventType.WALK_TEST_GRANTED: {"reason": None, "pass": None},
    EventType.WALK_TEST_DENIED: {
        "reason": Reason.NO_MATCH,
        "holder": None,
        "factors": [],
        "missing": [Factor.FACE],
        "pass": None,
    },
    EventType.WALK_TEST_BEGAN: {
        "access_points": [POINT],
        "until": utc_text(BEGUN + timedelta(minutes=10)),
    },
    EventType.WALK_TEST_ENDED: {"access_points": [POINT], "cause": WalkTestEnd.ASKED},
    EventType.DOOR_RELEASED: {"cause": Cause.REX, "by": "agent"},
    EventType.DOOR_MODE_CHANGED: {"mode": Mode.LOCKED_DOWN, "cause": Cause.COMMAND},
    EventType.CREDENTIAL_LOCKED: {
        "kind": Factor.PASS,
        "wrong_faces": 3,
        "until": utc_text(BEGUN + timedelta(minutes=5)),
        "seconds": 300.0,
    },
    EventType.CARDS_GUESSED: {
        "wrong_cards": 10,
        "until": utc_text(BEGUN + timedelta(minutes=30)),
        "seconds": 1800.0,
    },
    EventType.HOLDER_CHANGED: {"new": False, "fields": ["valid_until"]},
    EventType.RULES_CHANGED: {"by": "config", "sha256": "24cf1e5d07c7ef5c" * 4},
    EventType.MODEL_CHANGED: {"change": "installed", "version": "1"},
    EventType.ISSUER_CHANGED: {"change": "trusted"},
    EventType.TRUST_CHANGED: {"list": "eu", "change": "installed", "keys": 412},
    EventType.KEY_ROTATED: {"was": "7859f751f5792981"},
    EventType.REGISTRY_UPDATED: {
        "version_from": 41,
        "version_to": 42,
        "snapshot": False,
        "counts": {"holders": 1, "references": 1, "removed": 0},
        "by": "registry",
    },
    EventType.REGISTRY_REFUSED: {"reason": SyncReason.REPLAYED, "count": 1, "version": 42},
    EventType.FAULT_RAISED: {"detail": "no frame for 5 s"},
    EventType.FAULT_CLEARED: {"by": "agent"},
    EventType.CLOCK_SET: {
        "change": ClockChange.CONFIRMED,
        "reason": "the router was wrong",
        "was": utc_text(BEGUN - timedelta(days=2)),
        "utc": utc_text(BEGUN),
    },
    EventType.AGENT_STOPPED: {"why": "SIGTERM"},
    EventType.JOURNAL_SET_ASIDE: {"file": "journal.sqlite.broken-20261123T071209Z-e350"},
    EventType.JOURNAL_EVENTS_LOST: {
        "total": 2,
        "counts": {EventType.ACCESS_GRANTED: 1, EventType.ACCESS_TAKEN: 1},
        "first": utc_text(BEGUN - timedelta(hours=1)),
        "last": utc_text(BEGUN - timedelta(minutes=59)),
    },
    EventType.COMMAND_REFUSED: {"reason": CommandReason.EXPIRED},
    EventType.COMMAND_FAILED: {"reason": CommandReason.NOT_CONFIRMED},
    EventType.COMMAND_INTERRUPTED: {"reason": CommandReason.INTERRUPTED},
    EventType.STATE_ADOPTED: {
        "files": ["latches.sqlite"],
        "from": "an earlier version",
        "by": "agent",
    },
    EventType.STATE_ACCEPTED: {
        "file": "registry.sqlite",
        "detail": "it is empty",
        "reason": "a new card",
    },
}


def event(kind: EventType) -> dict[str, Any]:
    """A cloud event of this kind, with no more than what is always there.

    In the order of their types they follow each other in one chain.
    """
    return deepcopy(_chain()[list(EventType).index(kind)])


@cache
def _chain() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for kind in EventType:
        before = bytes.fromhex(link(made[-1])) if made else bytes(LINK_BYTES)
        made.append(message(*placed(kind, before), Trace.MINIMAL))
    return made


def placed(kind: EventType, before: bytes) -> tuple[Event, Place]:
    """The event of this kind as the journal has it, behind the one with the link ``before``."""
    number = list(EventType).index(kind)
    drawn, sequence = draft(kind, number, before), _FIRST + number
    name = uuid7(int(drawn.time.timestamp() * 1000), bytes.fromhex("5a556a1f0c2b7d10"), 0)
    chained = Chained(TOPICS.source, before, ROW_SALT, {})
    return drawn.with_id(name), Place(TOPICS.source, EPOCH, sequence, chained)


def draft(kind: EventType, number: int, before: bytes) -> EventDraft:
    """The event of this kind, ``number`` seconds after the first of all."""
    named = _names(EVENTS[kind][1])
    says = _SAYS.get(kind, {})
    if kind is EventType.JOURNAL_CHECKPOINT:
        says = _checkpoint(_FIRST + number - 1, before, BEGUN + timedelta(seconds=number))
    own = {key: says.get(key, _VALUES.get(key)) for key in sorted(named)}
    of_a_point = own.pop("access_point", POINT) is None or "door" in own
    own.pop("clock_synced")
    return EventDraft(
        kind,
        BEGUN + timedelta(seconds=number),
        clock_synced=True,
        access_point=POINT if of_a_point else None,
        data=json.loads(json.dumps(own)),
    )


def _checkpoint(sequence: int, link_there: bytes, time: datetime) -> dict[str, Any]:
    known = Checkpoint(TOPICS.source, EPOCH, sequence, link_there, time, clock_trusted=True)
    return signed_data(known, SIGNING_KEY)


def _names(schema: Schema) -> set[str]:
    """What an event of this schema has where nothing was erased yet."""
    if "$ref" in schema:
        return _names(SHARED[schema["$ref"].rpartition("/")[2]])
    inner = [_names(one) for one in schema.get("allOf", ())]
    personal = PERSONAL & schema.get("properties", {}).keys()
    return set(schema.get("required", ())).union(personal, *inner)


def status() -> dict[str, Any]:
    """A kiosk in service whose camera has failed."""
    risk = {
        "stage": Probing.CALM.value,
        "threshold": 0.55,
        "fmr": 8.1e-5,
        "attempts": 1,
        "left": 0.98,
        "expected_last_day": 0.0016,
    }
    return Status(
        version=_VERSION,
        boot_id=_BOOT,
        started=BEGUN,
        now=BEGUN + timedelta(hours=2),
        clock_synced=True,
        epoch=EPOCH,
        last_sequence=311,
        unpublished=0,
        registry=Registry(
            revision=7,
            holders={},
            references=412,
            operating=OperatingPoint(0.55, 8.1e-5, extrapolated=False, sufficient=True),
            too_close=frozenset(),
            pack="retail",
            pack_version="1",
        ),
        faces=FaceStatus(without_pad=True, pack_why="the config names it"),
        faults={PartKind.CAMERA.part("front"): "no frame for 5 s"},
        access_points={POINT: State.SECURED.value},
        modes={POINT: Mode.NORMAL.value},
        false_grants={POINT: risk},
        clock=_CLOCK,
    ).as_json()


def health() -> dict[str, Any]:
    """The heartbeat of the same kiosk."""
    return Health(
        now=BEGUN + timedelta(hours=2),
        clock_synced=True,
        version=_VERSION,
        boot_id=_BOOT,
        uptime_s=7200.0,
        queue=Queue(EPOCH, 311, 0),
        disk=Space(free=21_474_836_480, total=31_268_536_320),
        temperatures_c={"cpu-thermal": 51.1},
        clock=_CLOCK,
        faults=[PartKind.CAMERA.part("front")],
        holders=398,
        references=412,
        expected_last_day=0.0016,
        commands_refused={CommandReason.EXPIRED: 1, CommandReason.UNKNOWN_KEY: 12},
        written=Wear(
            Day(BEGUN.date(), written=6_221_824, logged=418_304, device=9_822_208),
            budget=50_000_000,
            measured=True,
        ),
    ).as_json()


def home_assistant() -> dict[str, Any]:
    """What Home Assistant is told of a kiosk with one door, whose contact it sees."""
    return discovery(TOPICS, [Shown(POINT, contact=True)], version=_VERSION, health_every_s=60)


def announcement() -> dict[str, Any]:
    """Something that the kiosk is to say."""
    return {
        "id": "2026-11-23-1",
        "message": "announce.visitors",
        "priority": "routine",
        "expires": "2026-11-23T18:00:00Z",
        "repeat": 2,
        "language": "en",
    }


def keys() -> dict[str, Any]:
    """The public halves of two keys that nobody has."""
    sealing = X25519PrivateKey.from_private_bytes(bytes(32))
    return shown_keys(TOPICS.kiosk_path, SIGNING_KEY.public_key(), sealing.public_key())


def others() -> dict[str, list[dict[str, Any]]]:
    """Those of the messages that are no events, by the message's name."""
    return {
        "announcement": [announcement()],
        "status.online": [status()],
        "status.offline": [offline("stopped"), offline("lost")],
        "health": [health()],
        "keys": [keys()],
        "home_assistant": [home_assistant()],
    }


_CLOCK = {
    "state": Certainty.SETTLED.value,
    "confirmed": utc_text(BEGUN + timedelta(hours=2)),
    "claimed": None,
}
