"""What happened, in the words that the broker and the backend read.

An event is made once, by the controller or a use case, and never changed: the journal gives it its
place (epoch, sequence), the broker gets a copy. ``data`` holds JSON values only and never a name,
an ID number, a template or a photograph.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from agent.domain.hours.instant import utc_text

CONTRACT = 1
"""The version of config/asyncapi.yaml: within it keys and words are only added."""


class EventType(StrEnum):
    """The kinds of events; the value is the CloudEvents ``type`` behind the prefix ``gate.``."""

    ACCESS_GRANTED = "access.granted"
    ACCESS_DENIED = "access.denied"
    ACCESS_TAKEN = "access.taken"
    ACCESS_NOT_TAKEN = "access.not_taken"
    ACCESS_UNJUDGED = "access.unjudged"
    ACCESS_PROBING = "access.probing"
    WALK_TEST_GRANTED = "walktest.granted"
    WALK_TEST_DENIED = "walktest.denied"
    WALK_TEST_BEGAN = "walktest.began"
    WALK_TEST_ENDED = "walktest.ended"
    DOOR_RELEASED = "door.released"
    DOOR_MODE_CHANGED = "door.mode_changed"
    DOOR_FORCED = "door.forced"
    DOOR_HELD_OPEN = "door.held_open"
    DOOR_ALARM_OVER = "door.alarm_over"
    DOOR_TAILGATED = "door.tailgated"
    DURESS_SIGNALLED = "duress.signalled"
    CREDENTIAL_LOCKED = "credential.locked"
    CARDS_GUESSED = "cards.guessed"
    PASSBACK_FORGIVEN = "passback.forgiven"
    HOLDER_CHANGED = "holder.changed"
    HOLDER_REMOVED = "holder.removed"
    RULES_CHANGED = "rules.changed"
    MODEL_CHANGED = "model.changed"
    ISSUER_CHANGED = "issuer.changed"
    PASS_REVOKED = "pass.revoked"  # noqa: S105 - a gate pass, no password
    TRUST_CHANGED = "trust.changed"
    KEY_ROTATED = "key.rotated"
    REGISTRY_UPDATED = "registry.updated"
    REGISTRY_REFUSED = "registry.refused"
    FAULT_RAISED = "fault.raised"
    FAULT_CLEARED = "fault.cleared"
    CLOCK_SET = "clock.set"
    AGENT_STARTED = "agent.started"
    AGENT_STOPPED = "agent.stopped"
    JOURNAL_SET_ASIDE = "journal.set_aside"
    STATE_ADOPTED = "state.adopted"
    STATE_ACCEPTED = "state.accepted"
    JOURNAL_EVENTS_LOST = "journal.events_lost"
    COMMAND_DONE = "command.done"
    COMMAND_REFUSED = "command.refused"
    COMMAND_FAILED = "command.failed"
    COMMAND_INTERRUPTED = "command.interrupted"
    JOURNAL_CHECKPOINT = "journal.checkpoint"


TROUBLE = frozenset(
    {
        *(EventType.FAULT_RAISED, EventType.DOOR_FORCED, EventType.DOOR_HELD_OPEN),
        *(EventType.DOOR_TAILGATED, EventType.DURESS_SIGNALLED, EventType.ACCESS_PROBING),
        *(EventType.CREDENTIAL_LOCKED, EventType.CARDS_GUESSED),
        EventType.JOURNAL_EVENTS_LOST,
    }
)
"""What somebody has to look after; ``journalctl -p warning`` shows it."""


ATTEMPTS = frozenset(
    {
        *(EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED),
        *(EventType.WALK_TEST_GRANTED, EventType.WALK_TEST_DENIED),
    }
)
"""What has a decision's trace. Those of a walk test are no passages, and have types of their own:
whoever counts passages and has never heard of walk tests counts none of them."""


def type_words() -> list[str]:
    """What names types of events: each, and each family of them."""
    names = [kind.value for kind in EventType]
    return [*dict.fromkeys(name.partition(".")[0] for name in names), *names]


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it has its id: what the controller says, free of clocks and chance."""

    type: EventType
    time: datetime
    clock_synced: bool
    access_point: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def with_id(self, event_id: str) -> "Event":
        """The event itself, with a UUIDv7 made by the caller."""
        return Event(
            event_id, self.type, self.time, self.clock_synced, self.access_point, self.data
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; ``id`` is a UUIDv7 and the key by which a reader drops repeats."""

    id: str
    type: EventType
    time: datetime
    clock_synced: bool
    access_point: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def dataschema(name: str) -> str:
    """What the data of a message of this name adheres to: a URI that changes with ``CONTRACT``."""
    return f"urn:gate:contract:{CONTRACT}#{name}"


def cloud_event(event: Event, *, source: str, epoch: str, sequence: int) -> dict[str, Any]:
    """The event as a CloudEvents 1.0 JSON object (structured mode).

    ``source`` is ``/gate/{community}/{grid}/{kiosk}``. The extensions ``epoch`` and ``sequence``
    (20 digits, so that it sorts as text, after the CloudEvents sequence extension) name the
    event's place in the kiosk's stream: a pair never repeats.
    """
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": f"gate.{event.type.value}",
        "time": utc_text(event.time),
        "datacontenttype": "application/json",
        "dataschema": dataschema(event.type.value),
        "epoch": epoch,
        "sequence": f"{sequence:020d}",
        "data": {**event.data, "clock_synced": event.clock_synced},
    }
    if event.access_point is not None:
        body["subject"] = event.access_point
        body["data"]["access_point"] = event.access_point
    return body
