"""What several messages are made of: the words come from the enumerations that the gate goes by."""

from collections.abc import Iterable, Mapping
from typing import get_args

from agent.config.base import NAME_PATTERN
from agent.config.tables.access_point import AccessPointConfig
from agent.controller.false_grants import Probing
from agent.domain.access.challenge import Side
from agent.domain.access.part import pattern
from agent.domain.access.warmth import Warned
from agent.domain.credential.factor import Factor
from agent.domain.credential.holder import HOLDER_ID_PATTERN
from agent.domain.credential.reason import Reason
from agent.domain.door.door_mode import Cause, Mode
from agent.domain.hours.reckoning import Certainty
from agent.domain.record.published import PERSONAL, THINNED
from agent.domain.skin.skin_temperature import Unreliable
from agent.lab.contract.schema import (
    Schema,
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

NAME_WORDS = "1 to 64 of A-Z a-z 0-9 . _ -"
KEY_ID = "^[0-9a-f]{16}$"
LINK = "^[0-9a-f]{64}$"
BASE64 = "^[A-Za-z0-9_-]+$"
_DIRECTIONS = get_args(AccessPointConfig.model_fields["direction"].annotation)

EVENT: Schema = {
    "type": "object",
    "required": [
        *("specversion", "id", "source", "type", "time", "datacontenttype"),
        *("epoch", "sequence", "data"),
    ],
    "properties": {
        "specversion": constant("1.0"),
        "id": text("UUIDv7; drop repeats by it", format="uuid"),
        "source": text(pattern="^/gate/[^/]+/[^/]+/[^/]+$"),
        "type": text("gate. and the message's name"),
        "subject": text("the access point; only where there is one", pattern=NAME_PATTERN),
        "time": moment("when it happened, by the kiosk's clock"),
        "datacontenttype": constant("application/json"),
        "dataschema": text(
            "names this contract's major version; kiosks before it had a name sent none"
        ),
        "epoch": text("no order between two", pattern="^[0-9a-f]{16}$"),
        "sequence": text("sorts as text", pattern="^[0-9]{20}$"),
        "previous": text(
            "the link of the event before it in this epoch; kiosks before the chain sent none",
            pattern=LINK,
        ),
        "data": {"type": "object"},
    },
}

SHARED: dict[str, Schema] = {
    "event": EVENT,
    "clock_synced": flag("false: time is what a clock said that nobody had set"),
    "commitments": by_name(
        text(pattern="^[A-Za-z0-9_-]{43}$"),
        "a salted hash of each value that may be withheld or erased: docs/events.md",
    ),
    "salts": by_name(
        text(pattern="^[A-Za-z0-9_-]{22}$"), "of those of the commitments whose value is here"
    ),
    "recorded_late": flag("the door opened before the row was written"),
    "access_point": text("as subject", pattern=NAME_PATTERN),
    "holder": text("opaque; never an ID number", pattern=f"^{HOLDER_ID_PATTERN}$"),
    "pass": text("the id of a gate pass", pattern="^[0-9a-f]{16,32}$"),
    "factor": word(Factor),
    "by": text("who: a user of the kiosk (uid:0 root), or agent for the agent itself"),
    "door": text("an output of the config; a turnstile has two, .entry and .exit"),
    "direction": word(_DIRECTIONS),
    "mode": word(Mode, "what lasts, whoever stands there"),
    "cause": word(
        Cause,
        "restart: a mode from before the agent started, entered again; state: locked down because"
        " the file of the modes is missing, older or another's",
    ),
    "part": text(
        "a kind, with a name where there are several: camera:front, disk", pattern=pattern()
    ),
    "reason": word(Reason, "why it was denied; the first six are ONVIF's"),
    "warned": word(Warned),
    "challenge": table(
        {
            "side": word(Side, "the person's own, drawn at random"),
            "passed": flag("who was recognised turned so, and came back"),
        }
    ),
    "temperature": table(
        {
            "samples": integer("how many made the reading"),
            "rejected": integer("how many were too far from their median"),
            "spread_c": or_null(number(), "of all samples, a robust standard deviation"),
            "ambient_c": or_null(number(), "of the air, as the thermometer's own temperature says"),
            "baseline_c": or_null(
                number(), "what most people had here lately; null while too few passed"
            ),
            "limit_c": or_null(
                number(), "above which a reading is elevated; null where no rule asks"
            ),
            "unreliable": or_null(word(Unreliable), "why it is not to be relied on"),
        }
    ),
    "false_grants": table(
        {
            "stage": word(Probing, "second_factor: no face opens alone, for 15 minutes at most"),
            "threshold": number("in force there; it rises as less is left"),
            "fmr": number("at that threshold"),
            "attempts": integer("without a grant in the last ten minutes"),
            "left": number("of what may still be risked: 0 to 1"),
            "expected_last_day": number("expected false grants of the last 24 hours"),
        },
        says="what faces alone risk at one access point",
    ),
    "clock": table(
        {
            "state": word(Certainty),
            "confirmed": or_null(moment(), "it is at least so late"),
            "claimed": or_null(
                moment(), "the latest that one source alone has claimed, until it is settled"
            ),
        },
        says="what is known of the time: docs/clock.md",
    ),
}


def covered(fields: Mapping[str, Schema], optional: Iterable[str] = (), says: str = "") -> Schema:
    """The data of an event: by whom somebody is known may be erased, its commitment stays."""
    proof = ("commitments", "salts")
    known = {**fields, **{name: ref(name) for name in proof}}
    return table(known, {*optional, *proof, *(PERSONAL & fields.keys())}, says)


ACCESS = covered(
    {
        "clock_synced": ref("clock_synced"),
        "access_point": ref("access_point"),
        "reason": or_null(ref("reason"), "why it was denied; null where granted"),
        "holder": or_null(
            ref("holder"),
            "who was recognised or named, whatever then spoke against it; null where nobody",
        ),
        "factors": {"type": "array", "items": ref("factor"), "description": "what was shown"},
        "missing": {
            "type": "array",
            "items": ref("factor"),
            "description": "what the rule still asked for",
        },
        "pass": or_null(ref("pass"), "the gate pass that was shown and believed"),
        "compared": or_null(
            word(("1:N", "1:1")),
            "with the gallery, or with the holder whom a credential names; null: no face",
        ),
        "direction": ref("direction"),
        "score": or_null(number(), "comparison score; higher is more alike"),
        "runner_up_score": or_null(number(), "of the best other holder"),
        "margin": or_null(number(), "between the two"),
        "frames": integer("different frames that agree"),
        "threshold": or_null(number()),
        "threshold_fmr": number("false match rate of one comparison"),
        "threshold_extrapolated": flag("beyond what the pack was measured at"),
        "pack": text(),
        "pack_version": text(),
        "pad_score": or_null(number(), "null: no attack detection took part"),
        "thermal_score": or_null(
            number(), "1 as warm as a face, 0 not; null: it cannot be told, or nothing looked"
        ),
        "liveness_score": or_null(
            number(),
            "1 the face has depth over its frames, 0 it is flat or fixed; null: it cannot be told,"
            " or nothing looked",
        ),
        "screen_score": or_null(
            number(),
            "1 no border or grid of a screen shows about the face, 0 one does; null: it cannot be"
            " told, or nothing looked",
        ),
        "infrared_score": or_null(
            number(),
            "1 the infrared camera sees a face there, 0 it sees none; null: it said nothing, or"
            " there is none",
        ),
        "temperature_c": or_null(
            number(),
            "at the skin, degrees Celsius: the median of temperature.samples; no diagnosis",
        ),
        "temperature": or_null(
            ref("temperature"),
            "how temperature_c came about; null where no rule asks, or no thermometer answers",
        ),
        "warnings": {
            "type": "array",
            "items": ref("warned"),
            "description": "what was let pass by a rule or setting",
        },
        "stage_ms": by_name(number(), "milliseconds by stage"),
        "challenge": or_null(
            ref("challenge"), "the turn of the head that was asked for; null where none was"
        ),
        "boot_id": text("of the kernel's run"),
        "passback": flag(
            "by anti-passback the holder is inside already; granted where that only warns"
        ),
        "recorded_late": ref("recorded_late"),
    },
    optional=THINNED,
    says="""The decision and how it came about. What is not required is there only where the kiosk's
config says `[events] trace = "full"`, and in the kiosk's own journal. `holder` and `pass`
are missing only in what is sent after the end of retention: it has their `commitments`.""",
)
PASSAGE = covered(
    {
        "clock_synced": ref("clock_synced"),
        "recorded_late": ref("recorded_late"),
        "access_point": ref("access_point"),
        "door": ref("door"),
        "holder": or_null(ref("holder"), "as in access.granted"),
        "direction": ref("direction"),
    },
    optional=("recorded_late",),
)
SHARED |= {"access": ACCESS, "passage": PASSAGE}
