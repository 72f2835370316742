"""What is no event: how the kiosk stands, its heartbeat, and the little that it listens to."""

from agent.app.threads.tell.announcements import LARGEST_BYTES, NEEDED
from agent.domain.access.hints import KEY_PATTERN, LANGUAGE_PATTERN, LONGEST_TEXT
from agent.domain.door.access_point import State
from agent.domain.record.announcement import PRIORITIES
from agent.domain.record.events import CONTRACT
from agent.domain.sight.thresholds import Source
from agent.lab.contract import registry
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

_CONTRACT: Schema = {
    "type": "integer",
    "enum": [CONTRACT],
    "description": "this contract's major version",
}
_EPOCH, _LAST = text("as in an event"), integer("given by then; compare with what arrived")
_UNPUBLISHED = integer("events still in the journal only")
_HOLDERS = integer("with and without references")

STATUS = table(
    {
        "online": constant(True),
        "contract": _CONTRACT,
        "version": text("of the agent"),
        "boot_id": text(),
        "started": moment(),
        "time": moment(),
        "clock_synced": ref("clock_synced"),
        "epoch": _EPOCH,
        "last_sequence": _LAST,
        "unpublished": _UNPUBLISHED,
        "pack": text(),
        "pack_version": text(),
        "holders": _HOLDERS,
        "references": integer(),
        "ambiguous_holders": integer("for whom no face alone opens"),
        "unreadable_rows": integer("of the registry; they grant nothing"),
        "holders_of_other_packs": integer(
            "their references are of other packs only: no face is theirs"
        ),
        "threshold": table(
            {
                "score": number(),
                "fmr": number(),
                "extrapolated": flag(),
                "sufficient": flag("false: no face alone opens for anybody"),
                "decided_by": word(
                    Source,
                    "whose word it is: the pack's curve, these people's own scores, or the worst"
                    " group measured",
                ),
            },
            optional=("decided_by",),
        ),
        "face_without_pad": flag(
            "no attack detection runs, and a rule counts a face all the same, alone or beside a"
            " pass: a photograph may pass"
        ),
        "pad": table(
            {
                "packs": by_name(text(), "version by name; empty where none runs"),
                "threshold": or_null(
                    number(), "the least score of a face that is no picture; null where none runs"
                ),
            },
            says="the attack detection that runs",
        ),
        "faults": by_name(text(), "latched; detail by part"),
        "access_points": by_name(word(State)),
        "modes": by_name(ref("mode"), "by access point"),
        "causes": by_name(
            ref("cause"),
            "by access point, what frees it or locks it down; ordinary ones are not here",
        ),
        "false_grants": table(
            {
                "max_per_day": number("expected ones that the config allows the kiosk"),
                "access_points": by_name(ref("false_grants")),
            }
        ),
        "walk_test": or_null(
            table(
                {
                    "access_points": array(
                        ref("access_point"), "where nothing opens by a decision"
                    ),
                    "by": ref("by"),
                    "until": moment("it is over then at the latest"),
                }
            ),
            "null: none is on",
        ),
        "clock": ref("clock"),
        "registry_sync": registry.STATUS,
        "pack_why": text("why it is this model pack"),
        "pack_not_measured_for": array(text(), "for whom the pack promises nothing: docs/packs.md"),
    },
    optional=("contract", "registry_sync", "walk_test"),
)
OFFLINE = table({"online": constant(False), "reason": word(("stopped", "lost"))})
HEALTH = table(
    {
        "contract": _CONTRACT,
        "time": moment(),
        "clock_synced": ref("clock_synced"),
        "version": text("of the agent"),
        "boot_id": text("of the kernel's run"),
        "uptime_s": number("since the agent's start"),
        "queue": or_null(
            table({"epoch": _EPOCH, "last_sequence": _LAST, "unpublished": _UNPUBLISHED}),
            "null: the journal does not answer",
        ),
        "disk": or_null(
            table({"free_bytes": integer(), "total_bytes": integer()}),
            "where the state lies; null: it does not answer",
        ),
        "temperatures_c": by_name(
            number(), "degrees Celsius by the system's name of the sensor; empty where none is told"
        ),
        "clock": ref("clock"),
        "faults": array(ref("part"), "what is latched; the status has the details"),
        "holders": _HOLDERS,
        "references": integer(),
        "expected_false_grants_last_day": number("all access points together"),
        "commands_refused": by_name(
            integer(), "signed commands that were not carried out, by the reason; since the start"
        ),
        "written": or_null(
            table(
                {
                    "date": or_null(
                        text("the day, in UTC", pattern=r"^\d{4}-\d\d-\d\d$"), "no time is known"
                    ),
                    "bytes": integer("by the agent, its log included"),
                    "log_bytes": integer("of its log"),
                    "device_bytes": integer("by everybody, to the disk where the state lies"),
                    "budget_bytes": integer("[store] written_mb_a_day"),
                    "over": flag("more than the budget: log and status say less"),
                    "measured": flag("false: this system tells of the log alone"),
                }
            ),
            "what wears the memory card, of this day",
        ),
    },
    ("commands_refused", "written"),
)
_HALF = table(
    {
        "key_id": text("the first 8 bytes of SHA-256 of the key", pattern="^[0-9a-f]{16}$"),
        "public": text("the 32 bytes, base64url without padding", pattern="^[A-Za-z0-9_-]{43}$"),
    }
)
KEYS = table(
    {
        "kiosk": text("community/grid/kiosk"),
        "signing": {**_HALF, "description": "Ed25519: checkpoints, replies and receipts"},
        "sealing": {**_HALF, "description": "X25519: what is for this kiosk alone is sealed to it"},
    }
)
KEYS_SAYS = """\
A backend pins them from `gate-agent key show --json`, or from the label on the kiosk; what
the broker carries is only compared with that, and another one is an alarm.
"""
_SHOWN = table(
    {
        "platform": word(("binary_sensor", "event", "sensor"), "never one that takes commands"),
        "unique_id": text(),
        "name": text(),
        "state_topic": text("one of this kiosk's own"),
        "value_template": text("how the figure is found in what is said there"),
        "device_class": text(),
        "state_class": constant("measurement"),
        "unit_of_measurement": text(),
        "entity_category": constant("diagnostic"),
        "options": array(text(), "all words of an enumeration"),
        "event_types": array(text()),
        "expire_after": integer("seconds: three heartbeats"),
        "json_attributes_topic": text(),
        "json_attributes_template": text(),
    },
    optional=(
        *("unique_id", "name", "state_topic", "value_template", "device_class", "state_class"),
        *("unit_of_measurement", "entity_category", "options", "event_types", "expire_after"),
        *("json_attributes_topic", "json_attributes_template"),
    ),
    says="one with nothing but its platform is gone",
)
HOME_ASSISTANT = table(
    {
        "device": table(
            {
                "identifiers": array(text()),
                "name": text(),
                "model": text(),
                "sw_version": text("of the agent"),
            }
        ),
        "origin": table({"name": constant("gate-agent"), "sw_version": text("of the agent")}),
        "availability": array(table({"topic": text("the status"), "value_template": text()})),
        "qos": constant(1),
        "components": by_name(_SHOWN),
    }
)
HOME_ASSISTANT_SAYS = """\
In the form of Home Assistant's device discovery (docs/home-assistant.md). It names this
kiosk's other topics and how to read them, and no topic for commands.
"""
ANNOUNCEMENT: Schema = {
    "type": "object",
    "required": sorted(NEEDED),
    "additionalProperties": False,
    "properties": {
        "id": text(pattern="^[A-Za-z0-9._-]{1,64}$"),
        "message": text(
            "the key of a prepared message: announce.visitors", pattern=f"^{KEY_PATTERN}$"
        ),
        "text": text(
            "free text, where the kiosk's config has speak_text = true", maxLength=LONGEST_TEXT
        ),
        "priority": word(PRIORITIES),
        "expires": text("RFC 3339", format="date-time"),
        "repeat": {
            "type": "integer",
            "enum": [1, 2, 3],
            "description": "how often it is said; once without it",
        },
        "language": text(
            "one of the kiosk's languages; all of them without it", pattern=f"^{LANGUAGE_PATTERN}$"
        ),
    },
}
ANNOUNCEMENT_SAYS = f"""\
At most {LARGEST_BYTES} bytes. Either message or text. Dropped, and counted: what is
malformed, has an unknown key, has expired or does so in more than 7 days, has an id that
was heard before, comes while the kiosk's clock is not trusted, or comes too often (six at
once, then one in 10 s; emergencies have six of their own). It may be retained: who
connects later says it, once, until it expires.
"""
TIME_ANSWER_SAYS = """\
COSE_Sign1 (RFC 9052) with EdDSA by the key that the kiosk's config names; its payload is
CBOR {1: the nonce, 2: UTC in seconds, 3: "community/grid/kiosk"}.
"""
