"""What whoever stands there is told: nothing that a bystander may not know."""

from dataclasses import dataclass
from enum import StrEnum

from agent.domain.credential.reason import Reason

SHOWN_S = 3.0
"""How long an outcome that ends the attempt is shown: nothing else takes its place meanwhile."""


class Outcome(StrEnum):
    """How it stands with the attempt."""

    WAITING = "waiting"
    GRANTED = "granted"
    DENIED = "denied"


class Standing(StrEnum):
    """How the access point stands while nobody is being told anything; the last one that holds."""

    READY = "ready"
    WALK_TEST = "walk_test"
    FREE_PASSAGE = "free_passage"
    LOCKED_DOWN = "locked_down"
    OUT_OF_ORDER = "out_of_order"
    ALARM = "alarm"


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
