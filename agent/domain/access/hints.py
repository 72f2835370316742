"""Which message is told for an outcome, a reason or a standing: nothing a bystander may not know.

A loudspeaker talks to the whole street. So a denial is one of a few hints about what to do next,
and every reason that presupposes that somebody was recognised gives the same one:

    hint            said of                          why a bystander may hear it
    try_again       nobody was recognised            it is true of any stranger
    show_more       what belongs together is not     the gate asked for it aloud before
                    complete
    see_attendant   somebody or their credential     one hint for all of them: revoked, expired,
                    was recognised and is refused    too warm, inside already, at the wrong hour
    cannot_check    the gate itself is unwell        it is about the gate, whoever stands there
    closed          the gate is locked down          it is about the gate, whoever stands there

``try_again`` and ``see_attendant`` differ because whoever was not recognised has to act otherwise;
so a bystander hears whether somebody was recognised, and nothing more. An attack is told as not
recognised: who tries one learns nothing of it, and who is wrongly taken for one is not accused.
"""

from enum import IntEnum, StrEnum

from agent.domain.access.indication import Indication, Outcome, Standing
from agent.domain.access.signs import SIGNS
from agent.domain.credential.reason import Reason

LANGUAGE_PATTERN = r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}"
KEY_PATTERN = r"[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31})?"
ANNOUNCEMENT_PREFIX = "announce."
LONGEST_TEXT = 200
"""Characters of one message: some twenty seconds of speech."""


class Hint(StrEnum):
    """What whoever was denied is told to do; the value is a part of the message's key."""

    TRY_AGAIN = "try_again"
    SHOW_MORE = "show_more"
    SEE_ATTENDANT = "see_attendant"
    CANNOT_CHECK = "cannot_check"
    CLOSED = "closed"


HINTS: dict[Reason, Hint] = {
    Reason.CREDENTIAL_NOT_ENABLED: Hint.SEE_ATTENDANT,
    Reason.CREDENTIAL_NOT_ACTIVE: Hint.SEE_ATTENDANT,
    Reason.CREDENTIAL_EXPIRED: Hint.SEE_ATTENDANT,
    Reason.NOT_PERMITTED_AT_THIS_TIME: Hint.SEE_ATTENDANT,
    Reason.UNAUTHORIZED: Hint.SEE_ATTENDANT,
    Reason.OTHER: Hint.SEE_ATTENDANT,
    Reason.NO_MATCH: Hint.TRY_AGAIN,
    Reason.AMBIGUOUS: Hint.TRY_AGAIN,
    Reason.PRESENTATION_ATTACK: Hint.TRY_AGAIN,
    Reason.CREDENTIAL_FORGED: Hint.SEE_ATTENDANT,
    Reason.CREDENTIAL_REVOKED: Hint.SEE_ATTENDANT,
    Reason.CREDENTIAL_REPLAYED: Hint.SEE_ATTENDANT,
    Reason.FACTOR_MISSING: Hint.SHOW_MORE,
    Reason.HOLDER_MISMATCH: Hint.SEE_ATTENDANT,
    Reason.HEALTH_CERTIFICATE_INVALID: Hint.SEE_ATTENDANT,
    Reason.ELEVATED_TEMPERATURE: Hint.SEE_ATTENDANT,
    Reason.ANTI_PASSBACK: Hint.SEE_ATTENDANT,
    Reason.SENSOR_FAULT: Hint.CANNOT_CHECK,
    Reason.CLOCK_UNTRUSTED: Hint.CANNOT_CHECK,
    Reason.LOCKED_DOWN: Hint.CLOSED,
}
"""The hint of every reason; a test holds the table whole."""


def hint_of(reason: Reason, lacking: tuple[str, ...] = ()) -> Hint:
    """The hint of a denial that lacks ``lacking``.

    Whoever only did not turn their head hears what a stranger hears, and may try again.
    """
    only_turn = reason is Reason.FACTOR_MISSING and bool(lacking) and set(lacking) <= TURNS.keys()
    return Hint.TRY_AGAIN if only_turn else HINTS[reason]


WAITING_FOR = ("card", "cold", "face", "health_certificate", "id_document", "pass", "temperature")
"""What may be asked for aloud; anything else is told as ``waiting.other``."""

TURNS = {"turn_left": "sign.turn_left", "turn_right": "sign.turn_right"}
"""The turns of the head that a challenge asks for; a language may leave them out."""

STANDINGS: dict[Standing, str | None] = {
    Standing.READY: None,
    Standing.WALK_TEST: "sign.walk_test",
    Standing.FREE_PASSAGE: "free_passage",
    Standing.LOCKED_DOWN: "locked_down",
    Standing.OUT_OF_ORDER: "out_of_order",
    Standing.ALARM: "alarm",
}
"""What is said when a standing begins; of a gate that is ready, nothing."""

_CAME_LATER = ("card",)
"""Asked for since there were languages without it: an update must not silence those."""

NEEDED_KEYS = (
    "granted",
    *(f"denied.{hint}" for hint in Hint),
    *(f"waiting.{what}" for what in (*WAITING_FOR, "other") if what not in _CAME_LATER),
    *(key for key in STANDINGS.values() if key is not None and not key.startswith("sign.")),
)
"""The messages that every language must have."""

SIGN_KEYS = tuple(
    key
    for key in (
        *(f"waiting.{what}" for what in _CAME_LATER),
        *dict.fromkeys(key for sign in SIGNS.values() for key in sign.messages),
        "sign.walk_test",
    )
    if key not in NEEDED_KEYS
)
"""What is said before a decision. A community's own language may leave it out: lights show it."""


class Priority(IntEnum):
    """Who is heard: a higher one cuts a lower one short."""

    ROUTINE = 0
    GUIDANCE = 1
    ATTEMPT = 2
    URGENT = 3
    EMERGENCY = 4


def messages_of(indication: Indication) -> tuple[str, ...]:
    """The keys of what is said, in order; of a named person's reason no more than its hint."""
    match indication.outcome:
        case Outcome.GRANTED:
            return ("granted",)
        case Outcome.DENIED:
            # Without a reason there is nothing to go by but that it was refused.
            lacking, reason = indication.waiting_for, indication.reason
            hint = hint_of(reason, lacking) if reason else Hint.SEE_ATTENDANT
            return (f"denied.{hint}",)
        case Outcome.WAITING:
            return tuple(dict.fromkeys(_asked(what) for what in indication.waiting_for))


def _asked(what: str) -> str:
    known = what if what in WAITING_FOR else "other"
    return TURNS.get(what, f"waiting.{known}")
