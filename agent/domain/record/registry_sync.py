"""The words of registry sync: why an update is refused, and what a kiosk answers of an entry."""

from enum import StrEnum


class SyncReason(StrEnum):
    """Why something that came for the registry changes nothing."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    FORGED = "forged"
    OTHER_KIOSK = "other_kiosk"
    OTHER_SEALING_KEY = "other_sealing_key"
    REPLAYED = "replayed"
    GAP = "gap"
    BROKEN_CHUNK = "broken_chunk"
    NOT_ASKED = "not_asked"
    NOT_WRITTEN = "not_written"


class ReceiptOutcome(StrEnum):
    """What became of somebody; ``kept_*``: what was done here in an emergency stands."""

    ERASED = "erased"
    NOT_HERE = "not_here"
    KEPT_DISABLED = "kept_disabled"
    KEPT_REMOVED = "kept_removed"
    ENROLLED = "enrolled"
    NOT_ENROLLED = "not_enrolled"
    RULES_REFUSED = "rules_refused"
    """In the place of the holder stands the category."""
    TRUST_LIST_REFUSED = "trust_list_refused"
    """In the place of the holder stands the list's name."""
