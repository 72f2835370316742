"""Credentials that were laid before the kiosk, as far as bytes alone can tell what they are."""

from dataclasses import dataclass, field
from datetime import date

from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.reason import Reason


@dataclass(frozen=True, slots=True)
class PassPresented:
    """A symbol that was shown as a gate pass, or as nothing that is known here.

    ``id`` names the presentation, ``presented_s`` is its first sight on the monotonic clock.
    ``reason`` says why it is not believed; without one the signature is true and ``gate_pass``
    what it says. ``comparable``: it carries a template that this kiosk could open.
    """

    id: int
    presented_s: float
    gate_pass: GatePass | None = None
    reason: Reason | None = None
    comparable: bool = False


@dataclass(frozen=True, slots=True)
class DocumentPresented:
    """An ID document on the reader, by keyed hashes of its number and never by the number.

    ``number_hash`` is by the kiosk's key, as the registry has it; ``community_hash`` by the
    community's, as a pass has it. ``comparable``: its photograph could be made into a template.
    ``reason`` says why what lies on the reader is not believed.
    """

    id: int
    presented_s: float
    number_hash: str = field(repr=False)
    community_hash: str | None = field(default=None, repr=False)
    valid_from: date | None = None
    valid_until: date | None = None
    comparable: bool = False
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class HealthPresented:
    """A health certificate; ``reason`` None where it was found valid."""

    id: int
    presented_s: float
    reason: Reason | None = None


Presented = PassPresented | DocumentPresented | HealthPresented
