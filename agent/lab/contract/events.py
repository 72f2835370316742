"""What each type of event carries as its data, and what it says, for a reader."""

from agent.app.threads.record.losses import LossCause
from agent.domain.credential.factor import Factor
from agent.domain.door.walking import WalkTestEnd
from agent.domain.hours.reckoning import ClockChange
from agent.domain.record.command import CommandReason
from agent.domain.record.events import EventType, dataschema
from agent.domain.record.registry_sync import SyncReason
from agent.lab.contract.event_data import at_door, command_of, data_of, walk_test_of
from agent.lab.contract.schema import (
    Schema,
    array,
    by_name,
    constant,
    flag,
    integer,
    moment,
    number,
    or_null,
    ref,
    table,
    text,
    word,
)
from agent.lab.contract.shared import BASE64, KEY_ID, LINK

_BOOT = text("of the kernel's run")
_FILE = text("its name in the kiosk's state directory")


EVENTS: dict[EventType, tuple[str, Schema]] = {
    EventType.ACCESS_GRANTED: (
        "Somebody was recognised and may pass; written down before the relay moved.",
        {"allOf": [ref("access"), {"properties": {"reason": constant(None)}}]},
    ),
    EventType.ACCESS_DENIED: (
        "A presentation that opened nothing, with one reason. One presentation is one event.",
        {"allOf": [ref("access"), {"properties": {"reason": ref("reason")}}]},
    ),
    EventType.ACCESS_TAKEN: (
        "Whoever was let through went through; only where a contact or sensor can tell.",
        ref("passage"),
    ),
    EventType.ACCESS_NOT_TAKEN: (
        "Whoever was let through did not go; only where a contact or sensor can tell.",
        ref("passage"),
    ),
    EventType.ACCESS_UNJUDGED: (
        "So many presentations of the last minute ended before they were judged.",
        data_of(
            {
                "access_point": ref("access_point"),
                "count": integer("each drew on the day's false grants"),
                "period_s": number("from the first of them to this event"),
                "boot_id": _BOOT,
            }
        ),
    ),
    EventType.ACCESS_PROBING: (
        "Somebody tries faces at an access point, or has ended it; each change once.",
        {
            "allOf": [
                ref("false_grants"),
                data_of({"access_point": ref("access_point"), "boot_id": _BOOT}),
            ]
        },
    ),
    EventType.WALK_TEST_GRANTED: (
        "In a walk test somebody would have been let through. Nothing opened: it is no passage.",
        {"allOf": [ref("access"), {"properties": {"reason": constant(None)}}]},
    ),
    EventType.WALK_TEST_DENIED: (
        "In a walk test somebody would have been refused, with one reason. It is no attempt.",
        {"allOf": [ref("access"), {"properties": {"reason": ref("reason")}}]},
    ),
    EventType.WALK_TEST_BEGAN: (
        "A technician tests access points: nothing opens there by a decision, all else as ever.",
        walk_test_of(until=moment("by the kiosk's clock; it is over then at the latest")),
    ),
    EventType.WALK_TEST_ENDED: (
        "The gate is as ever. An agent that was killed does not say so: its next start does.",
        walk_test_of(
            cause=word(
                WalkTestEnd,
                "asked: by a person; time: as said at its beginning; left: nobody looked any more;"
                " stopped: with the agent",
            )
        ),
    ),
    EventType.DOOR_RELEASED: (
        "The door was freed for one person by the exit button or an operator, not by a decision.",
        at_door(
            "reason",
            cause=ref("cause"),
            by=ref("by"),
            reason=text("a person's word on why; absent where they said none"),
        ),
    ),
    EventType.DOOR_MODE_CHANGED: (
        "Lockdown or free passage began or ended.",
        at_door(
            "until",
            mode=ref("mode"),
            cause=ref("cause"),
            by=ref("by"),
            until=moment("of a free passage that ends by itself"),
        ),
    ),
    EventType.DOOR_FORCED: ("Alarm. It opened without a release.", at_door()),
    EventType.DOOR_HELD_OPEN: ("Alarm. It stays open for too long.", at_door()),
    EventType.DOOR_ALARM_OVER: (
        "The door that was forced or held open is closed again, or free.",
        at_door(),
    ),
    EventType.DOOR_TAILGATED: ("Somebody went through whom nobody let through.", at_door()),
    EventType.DURESS_SIGNALLED: (
        "Somebody pressed the hidden button. Nothing at the gate shows it.",
        at_door(),
    ),
    EventType.CREDENTIAL_LOCKED: (
        "Three wrong faces met a pass, ID document or card: it opens nothing for a while.",
        data_of(
            {
                "access_point": ref("access_point"),
                "kind": word((Factor.PASS, Factor.ID_DOCUMENT, Factor.CARD)),
                "pass": or_null(
                    ref("pass"),
                    "null where it is a document or a card, which have no name here",
                ),
                "wrong_faces": integer(),
                "until": moment("by the kiosk's clock; a lock ends by itself"),
                "seconds": number("how long it is locked; at most 3600"),
            }
        ),
    ),
    EventType.CARDS_GUESSED: (
        "So many cards were tried that nobody has: a card alone is not enough for a while.",
        data_of(
            {
                "access_point": ref("access_point"),
                "wrong_cards": integer("different ones, that were tried at once"),
                "until": moment("by the kiosk's clock; then one more may be tried"),
                "seconds": number("until then; at most 1800"),
            }
        ),
    ),
    EventType.PASSBACK_FORGIVEN: (
        "Anti-passback forgot where somebody is.",
        data_of(
            {
                "holder": or_null(ref("holder"), "null where everybody was forgiven"),
                "by": ref("by"),
            }
        ),
    ),
    EventType.HOLDER_CHANGED: (
        "Somebody was enrolled or changed. A change and its event are one transaction.",
        data_of(
            {
                "holder": ref("holder"),
                "new": flag(),
                "fields": array(
                    word(
                        (
                            *("name", "category", "enabled", "valid_from", "valid_until"),
                            *("references", "id_document", "card", "consent", "record"),
                        )
                    ),
                    "the names of what changed, never values",
                ),
                "references": integer("how many were enrolled; only where they were"),
                "category": data_of({"was": text(), "became": text()}),
                "reason": text("why the category changed, as somebody at the desk wrote it"),
                "by": ref("by"),
            },
            ("references", "category", "reason"),
        ),
    ),
    EventType.HOLDER_REMOVED: (
        "A holder and all their references were forgotten.",
        data_of({"holder": ref("holder"), "by": ref("by")}),
    ),
    EventType.RULES_CHANGED: (
        "Other rules hold than before: by the config at a start, or of one category.",
        data_of(
            {
                "by": ref("by"),
                "sha256": or_null(
                    text("of the rules", pattern="^[0-9a-f]{64}$"),
                    "null where the config's hold again",
                ),
                "category": or_null(text(), "null: nobody knows any more which it was"),
            },
            ("category",),
        ),
    ),
    EventType.MODEL_CHANGED: (
        "A model pack was installed or removed.",
        data_of(
            {
                "pack": text(),
                "change": word(("installed", "removed")),
                "version": or_null(text(), "null where it was removed"),
                "by": ref("by"),
            }
        ),
    ),
    EventType.ISSUER_CHANGED: (
        "Passes signed by a key are believed from now on, or no longer.",
        data_of(
            {
                "issuer": text(),
                "key_id": text(pattern=KEY_ID),
                "change": word(("trusted", "removed")),
                "by": ref("by"),
            }
        ),
    ),
    EventType.PASS_REVOKED: (
        "A gate pass opens nothing on this kiosk any more.",
        data_of({"pass": ref("pass"), "by": ref("by")}),
    ),
    EventType.TRUST_CHANGED: (
        "A trust list of health certificates was installed or removed.",
        data_of(
            {
                "list": text(),
                "change": word(("installed", "removed")),
                "keys": or_null(integer(), "null where it was removed"),
                "by": ref("by"),
            }
        ),
    ),
    EventType.KEY_ROTATED: (
        "The gallery's key was changed; said again where the change was cut short at its very end.",
        data_of(
            {
                "key_id": text("of the new key; tells nothing of it", pattern=KEY_ID),
                "was": text("of the old one", pattern=KEY_ID),
                "by": ref("by"),
            }
        ),
    ),
    EventType.REGISTRY_UPDATED: (
        "The community's registry was taken over; single changes in it are no events of their own.",
        data_of(
            {
                "version_from": integer("0 for a snapshot"),
                "version_to": integer("which the kiosk has from now on"),
                "snapshot": flag("whether it said everything"),
                "key_id": text("of the key that signed it", pattern=KEY_ID),
                "counts": by_name(integer(), "what changed, by kind"),
                "by": constant("registry"),
            }
        ),
    ),
    EventType.REGISTRY_REFUSED: (
        "Something that came for the registry counted nothing; once an hour for each reason.",
        data_of(
            {
                "reason": word(SyncReason),
                "count": integer("how often since it was told last"),
                "version": integer("which the kiosk has"),
            }
        ),
    ),
    EventType.FAULT_RAISED: (
        "A part failed. A fault latches and denies what depends on the part.",
        data_of({"part": ref("part"), "detail": text("for a person")}),
    ),
    EventType.FAULT_CLEARED: (
        "The part works again, or somebody cleared its fault.",
        data_of({"part": ref("part"), "by": ref("by")}),
    ),
    EventType.CLOCK_SET: (
        "A person's word on the time, which no clock may contradict at once.",
        data_of(
            {
                "change": word(ClockChange, "set_back: what was believed was wrong"),
                "by": ref("by"),
                "reason": text("why, in that person's words"),
                "was": or_null(moment(), "the confirmed time until then"),
                "utc": moment("the confirmed time from then on"),
            }
        ),
    ),
    EventType.AGENT_STARTED: (
        "The agent is in service. Without agent.stopped before it, it had died.",
        data_of({"version": text()}),
    ),
    EventType.AGENT_STOPPED: (
        "The agent ended by itself, its outputs at rest.",
        data_of({"why": text("for a person")}),
    ),
    EventType.JOURNAL_SET_ASIDE: (
        "The journal was damaged; what could still be read came along, a new epoch begins.",
        data_of({"file": _FILE}),
    ),
    EventType.JOURNAL_EVENTS_LOST: (
        "Events that nobody got are lost: no room was left for them in memory, or in the journal.",
        data_of(
            {
                "total": integer("how many events are lost"),
                "counts": by_name(integer(), "how many of each type, without the prefix gate."),
                "first": moment("the oldest lost one's time"),
                "last": moment("the newest lost one's time"),
                "cause": word(
                    LossCause, "unwritten: they never had a sequence number; no_room: they had"
                ),
                "ranges": array(
                    table(
                        {
                            "epoch": text(pattern="^[0-9a-f]{16}$"),
                            "first": text("sequence of the oldest", pattern="^[0-9]{20}$"),
                            "last": text("sequence of the newest", pattern="^[0-9]{20}$"),
                        }
                    ),
                    "of no_room: what never comes of what lies there is among the lost",
                ),
            },
            ("cause", "ranges"),
        ),
    ),
    EventType.JOURNAL_CHECKPOINT: (
        "What the kiosk signs of its journal: how far it has come, and the link there.",
        data_of(
            {
                "until": text("the sequence of the event right before it", pattern="^[0-9]{20}$"),
                "link": text("of that event", pattern=LINK),
                "key_id": text("of the kiosk's signing key: gate-agent key show", pattern=KEY_ID),
                "signature": text("a COSE_Sign1 in base64url: docs/events.md", pattern=BASE64),
            }
        ),
    ),
    EventType.COMMAND_DONE: ("A signed command was carried out.", command_of()),
    EventType.COMMAND_REFUSED: (
        "A command whose signature holds was not begun; of many only some are told, all counted.",
        command_of(*CommandReason),
    ),
    EventType.COMMAND_FAILED: (
        "A signed command was begun, and came to nothing or not to all of it.",
        command_of(*CommandReason),
    ),
    EventType.COMMAND_INTERRUPTED: (
        "The agent ended while it ran: it may have been carried out, and never is again.",
        command_of(CommandReason.INTERRUPTED),
    ),
    EventType.STATE_ADOPTED: (
        "Files of the state are this installation's from now on: once in its life, or by a backup.",
        data_of(
            {
                "files": array(text()),
                "from": word(
                    ("an earlier version", "what the other files remember", "a backup"),
                    "the second where the installation's own file was gone",
                ),
                "by": ref("by"),
            }
        ),
    ),
    EventType.STATE_ACCEPTED: (
        "A person accepted a file of the state that was missing, empty, older or another's.",
        data_of(
            {
                "file": _FILE,
                "detail": text("what was wrong with it"),
                "reason": text("why, in that person's words"),
                "by": ref("by"),
            }
        ),
    ),
}


def payload_of(kind: EventType) -> Schema:
    """The whole event as it crosses the wire."""
    named = {
        "type": constant(f"gate.{kind.value}"),
        "dataschema": constant(dataschema(kind.value)),
        "data": EVENTS[kind][1],
    }
    return {"allOf": [ref("event"), {"properties": named}]}
