"""An ID document as a reader takes it from the card's chip."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class DocumentKind(StrEnum):
    """Whom a document is made out for."""

    RESIDENT = "resident_identity_card"
    HONG_KONG = "hong_kong_residence_permit"
    MACAU = "macau_residence_permit"
    TAIWAN = "taiwan_residence_permit"
    FOREIGNER = "foreign_permanent_resident_card"


@dataclass(frozen=True, slots=True)
class IdDocument:
    """What the chip says; valid from ``valid_from`` to ``valid_until``, both days included.

    It carries the number itself, because a reader has no key: which hashes are made of it, and by
    whose key, is for the application to say, which makes them at once and lets this value go.
    Number, name and photograph stay out of ``repr``. ``valid_until`` None is a card for life.
    ``photo`` is in the closed WLT format; only a decoder of the reader's maker opens it.
    """

    kind: DocumentKind
    number: str = field(repr=False)
    name: str = field(repr=False)
    valid_from: date
    valid_until: date | None
    photo: bytes = field(default=b"", repr=False)

    def valid_on(self, day: date) -> bool:
        """Whether ``day`` lies within its validity."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)
