"""What a symbol may be, and whether it holds."""

from dataclasses import dataclass
from enum import StrEnum

from agent.domain.credential.reason import Reason


class CredentialKind(StrEnum):
    """What a symbol's text is, by how it begins."""

    GATE_PASS = "gate_pass"  # noqa: S105 - a gate pass, no password
    EU_DCC = "eu_dcc"
    SMART_HEALTH_CARD = "smart_health_card"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a credential holds; the first reason against it where it does not.

    ``unknown_issuer`` is who a pass says signed it, where no such key is trusted here.
    """

    valid: bool
    reason: Reason | None = None
    unknown_issuer: str | None = None
