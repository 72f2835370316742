"""What became of the backups that a timer makes, and whether somebody has to be told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.domain.hours.instant import utc_text

NEVER = "none was made yet"


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """When the newest was made, None: none was; ``error`` is why the last one failed, in words."""

    made: datetime | None = None
    error: str | None = None

    def wrong(self, now: datetime, max_age: timedelta) -> str | None:
        """What is wrong at ``now`` in one line; None where nothing is."""
        newest = NEVER if self.made is None else f"the newest is of {utc_text(self.made)}"
        if self.error is not None:
            return f"the last one failed: {self.error}; {newest}"
        if self.made is None or now - self.made > max_age:
            return newest
        return None
