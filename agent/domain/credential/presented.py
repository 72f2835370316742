"""Credentials that were laid before the kiosk, as far as bytes alone can tell what they are."""

from dataclasses import dataclass, field
from datetime import date

from agent.domain.credential.factor import Factor
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.reason import Reason


@dataclass(frozen=True, slots=True)
class CredentialId:
    """Which credential it is by what was verified of it, never by bytes that anybody may change.

    ``value`` is a pass's id, or the keyed hash of a document's or card's number.
    """

    kind: Factor
    value: str = field(repr=False)


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

    @property
    def factor(self) -> Factor:
        """Which kind of credential it is."""
        return Factor.PASS

    @property
    def credential(self) -> CredentialId | None:
        """Which pass it is; None where it is not believed."""
        if self.reason is not None or self.gate_pass is None:
            return None
        return CredentialId(Factor.PASS, self.gate_pass.id)

    def same_as(self, other: "PassPresented") -> bool:
        """Whether both say the same of the same pass, whatever their bytes were."""
        return self.credential is not None and self.gate_pass == other.gate_pass


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

    @property
    def factor(self) -> Factor:
        """Which kind of credential it is."""
        return Factor.ID_DOCUMENT

    @property
    def credential(self) -> CredentialId | None:
        """Which document it is; None where the reader does not believe it."""
        if self.reason is not None or not self.number_hash:
            return None
        return CredentialId(Factor.ID_DOCUMENT, self.number_hash)

    def same_as(self, other: "DocumentPresented") -> bool:
        """Whether both are the same document."""
        return self.credential is not None and self.credential == other.credential


@dataclass(frozen=True, slots=True)
class CardPresented:
    """A card at the reader, by the keyed hash of its number and never by the number.

    ``reason`` says why what the reader heard is no card; then there is no hash.
    """

    id: int
    presented_s: float
    card_hash: str = field(repr=False)
    reason: Reason | None = None

    @property
    def factor(self) -> Factor:
        """Which kind of credential it is."""
        return Factor.CARD

    @property
    def credential(self) -> CredentialId | None:
        """Which card it is; None where it was not read whole."""
        if self.reason is not None or not self.card_hash:
            return None
        return CredentialId(Factor.CARD, self.card_hash)

    def same_as(self, other: "CardPresented") -> bool:
        """Whether both are the same card, or what cannot be told from it."""
        return self.credential is not None and self.credential == other.credential


@dataclass(frozen=True, slots=True)
class HealthPresented:
    """A health certificate; ``reason`` None where it was found valid."""

    id: int
    presented_s: float
    reason: Reason | None = None

    @property
    def factor(self) -> Factor:
        """Which kind of credential it is."""
        return Factor.HEALTH_CERTIFICATE

    @property
    def credential(self) -> None:
        """It names nobody here, so nothing is remembered of it."""
        return None


Presented = PassPresented | DocumentPresented | CardPresented | HealthPresented
