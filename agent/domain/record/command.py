"""The words of signed commands: what is asked, how it ended, and why not."""

from collections.abc import Mapping
from enum import StrEnum


class Verb(StrEnum):
    """What a kiosk may be asked; the value is the word in a command, a key's rights and events."""

    UNLOCK = "unlock"
    LOCKDOWN = "lockdown"
    FREE_PASSAGE = "free_passage"
    RESUME = "resume"
    ANNOUNCE = "announce"
    ENROL = "enrol"
    UPDATE_HOLDER = "update_holder"
    DISABLE = "disable"
    REMOVE = "remove"
    SET_RULE = "set_rule"
    REVOKE_PASS = "revoke_pass"  # noqa: S105 - a gate pass, no password
    REVOKE_PERMIT = "revoke_permit"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"
    TRUST_ISSUER = "trust_issuer"
    ROTATE_KIOSK_KEY = "rotate_kiosk_key"
    SET_TIME = "set_time"
    HEALTH = "health"
    RANGE = "range"
    RESTART = "restart"


STRICT = frozenset({Verb.LOCKDOWN, Verb.DISABLE, Verb.REMOVE, Verb.REVOKE_PASS, Verb.REVOKE_PERMIT})
"""What lets nobody in whom nothing else would."""


class Outcome(StrEnum):
    """How a command ended."""

    DONE = "done"
    REFUSED = "refused"
    """It was not begun, and nothing has changed."""
    FAILED = "failed"
    """It was begun and came to nothing, or not to all of it."""
    INTERRUPTED = "interrupted"
    """The agent ended while it ran: it may have been carried out, and never is again."""


class CommandReason(StrEnum):
    """Why a command was refused or failed; the value is the word in replies, events and counts."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    FORGED = "forged"
    RETAINED = "retained"
    REPEATED = "repeated"
    """Delivered again by the broker (dup): the first delivery may have been taken."""
    WRONG_KIOSK = "wrong_kiosk"
    KEY_ENDED = "key_ended"
    NOT_PERMITTED = "not_permitted"
    UNKNOWN_VERB = "unknown_verb"
    BAD_ARGUMENTS = "bad_arguments"
    UNKNOWN_ACCESS_POINT = "unknown_access_point"
    UNKNOWN_HOLDER = "unknown_holder"
    KNOWN_HOLDER = "known_holder"
    UNSUPPORTED = "unsupported"
    CLOCK_UNTRUSTED = "clock_untrusted"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    VALID_TOO_LONG = "valid_too_long"
    BEFORE_RESTORE = "before_restore"
    """It was issued before the state of this kiosk was put back: it may have run before that."""
    REPLAYED = "replayed"
    SUPERSEDED = "superseded"
    """One about the same door or holder that was issued later has run: a delay undoes nothing."""
    WRONG_NONCE = "wrong_nonce"
    BUSY = "busy"
    LOCKED_DOWN = "locked_down"
    FAULT = "fault"
    NOT_READY = "not_ready"
    NOT_CONFIRMED = "not_confirmed"
    STORE = "store"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


MEANING: Mapping[CommandReason, str] = {
    CommandReason.TOO_LARGE: "longer than a kiosk hears; counted only",
    CommandReason.MALFORMED: "not CBOR, not a COSE_Sign1, or not these fields",
    CommandReason.UNKNOWN_VERSION: "a field that is not known here",
    CommandReason.UNKNOWN_KEY: "no `[[command_key]]` has this key; counted only",
    CommandReason.FORGED: "the signature is wrong, or for another purpose; counted only",
    CommandReason.RETAINED: "the broker kept it: send it anew",
    CommandReason.REPEATED: "the broker delivers it again (MQTT's dup): send it anew",
    CommandReason.WRONG_KIOSK: "for another kiosk, on this one's topic",
    CommandReason.KEY_ENDED: "the key's `until` is past",
    CommandReason.NOT_PERMITTED: "the key has not this verb, or not there",
    CommandReason.UNKNOWN_VERB: "none that this agent knows",
    CommandReason.BAD_ARGUMENTS: "an argument is missing, unknown or none",
    CommandReason.UNKNOWN_ACCESS_POINT: "this kiosk has none of this name",
    CommandReason.UNKNOWN_HOLDER: "the registry knows nobody of this id",
    CommandReason.KNOWN_HOLDER: "somebody of this id is in the registry: update_holder",
    CommandReason.UNSUPPORTED: "there is nothing here that could do it",
    CommandReason.CLOCK_UNTRUSTED: "no time is trusted there (clock show): only stricter verbs run",
    CommandReason.NOT_YET_VALID: "issued later than the kiosk's clock says, by more than 5 s",
    CommandReason.EXPIRED: "its time is over, by the latest time that it may be",
    CommandReason.VALID_TOO_LONG: "it is valid for longer than its verb may be",
    CommandReason.BEFORE_RESTORE: "issued before the kiosk's state was put back, or begun",
    CommandReason.REPLAYED: "its id is known, or may have been",
    CommandReason.SUPERSEDED: "one about the same door or holder, issued later or stricter, ran",
    CommandReason.WRONG_NONCE: "not the nonce that was asked just now",
    CommandReason.BUSY: "more at a time, or in all, than a key may ask",
    CommandReason.LOCKED_DOWN: "the door is locked down",
    CommandReason.FAULT: "the output, or a file, is in fault",
    CommandReason.NOT_READY: "the agent is still starting",
    CommandReason.NOT_CONFIRMED: "it was asked of the door, which did not follow",
    CommandReason.STORE: "the disk did not take the note, or the change",
    CommandReason.REFUSED: "what carries it out said no; the log says why",
    CommandReason.INTERRUPTED: "the agent ended meanwhile: it may have been carried out",
}
"""What each says to a person."""


def in_words(reason: str | None) -> str | None:
    """The reason with what it means, for people; a word of a later agent's alone."""
    if reason not in list(CommandReason):
        return reason
    return f"{reason}: {MEANING[CommandReason(reason)]}"
