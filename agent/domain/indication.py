"""What whoever stands there is told: nothing that a bystander may not know."""

from dataclasses import dataclass
from enum import StrEnum

from agent.domain.reason import Reason


class Outcome(StrEnum):
    """How it stands with the attempt."""

    WAITING = "waiting"
    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Indication:
    """One message at one access point.

    ``waiting_for`` names the factors that are still missing. ``reason`` is for who may know it: a
    light says only that it was denied.
    """

    access_point: str
    outcome: Outcome
    waiting_for: tuple[str, ...] = ()
    reason: Reason | None = None
