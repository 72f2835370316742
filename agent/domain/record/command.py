"""The words of signed commands: what is asked, how it ended, and why not."""

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


STRICT = frozenset({Verb.LOCKDOWN, Verb.DISABLE, Verb.REMOVE, Verb.REVOKE_PASS})
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
