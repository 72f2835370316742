"""An archive category: for how long a record holds and is kept, and where else it is led."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum


class Ledger(StrEnum):
    """Which ledger leads its people besides the archive; the value is the word in config."""

    NONE = "none"
    RETURNEES = "returnees"
    ISOLATION = "isolation"
    VISITORS = "visitors"


class Alternative(StrEnum):
    """By what somebody passes who gives no face; the value is the word in config."""

    PASS = "pass"  # noqa: S105 - the word of the config
    CARD = "card"
    ID_DOCUMENT = "id_document"
    STAFFED = "staffed"


@dataclass(frozen=True, slots=True)
class Category:
    """A category as the registers need it; who passes by it is a rule (``access.rule``).

    ``valid_days`` None: a record has no end of its own. ``retention_days`` count from the end of
    the validity, or from the day on which somebody left the category.
    """

    id: str
    zh: str
    en: str
    alternative: Alternative
    ledger: Ledger = Ledger.NONE
    valid_days: int | None = None
    retention_days: int = 30

    def names(self) -> tuple[str, ...]:
        """By what a table on paper or in a file may call it."""
        return tuple(one for one in (self.id, self.zh, self.en) if one)

    def ends(self, begins: datetime, zone: tzinfo) -> datetime | None:
        """When a record that begins then ends: at midnight of the kiosk, after whole days."""
        if self.valid_days is None:
            return None
        last = begins.astimezone(zone).date() + timedelta(days=self.valid_days)
        return datetime.combine(last + timedelta(days=1), time(0), zone)
