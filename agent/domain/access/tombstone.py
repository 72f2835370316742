"""What stays of a holder who was removed: that there was one, until when, and no more.

Without it a removed holder would be one whom the registry never knew, and a pass about them would
open again. Whoever reads the hash learns no id: it is keyed (HMAC-SHA-256, RFC 2104), by a key that
serves nothing else and so outlives a change of the gallery's.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.domain.credential.holder import HolderId

_PURPOSE = b"gate-agent tombstone\0"


def tombstone_hash(key: bytes, holder: HolderId) -> str:
    """By which a removed holder is found again, and only by whoever asks for that very id."""
    return hmac.new(key, _PURPOSE + holder.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Removed:
    """Who was removed: the latest removal by ``tombstone_hash``, None where its time is lost.

    Where ``incomplete``, somebody was removed of whom nobody knows any more who: then whom the
    registry does not know may be that very person.
    """

    at: Mapping[str, datetime | None] = field(default_factory=dict)
    key: bytes = field(default=b"", repr=False)
    incomplete: bool = False

    def revokes(self, holder: HolderId, issued_at: datetime | None) -> bool:
        """Whether a pass about ``holder`` is older than their removal.

        One that does not say when it was issued counts as older. Enrolling the holder again leaves
        this as it is: only passes that are issued afterwards open.
        """
        if not self.at:
            return False
        found = tombstone_hash(self.key, holder)
        if found not in self.at:
            return False
        removed_at = self.at[found]
        return removed_at is None or issued_at is None or issued_at <= removed_at

    def completed(self, before: "Removed") -> "Removed":
        """These, and where they are incomplete what was known ``before``."""
        if not self.incomplete or (self.key and before.key not in (b"", self.key)):
            return self
        return Removed({**before.at, **self.at}, self.key or before.key, before.incomplete)


NOBODY_REMOVED = Removed()
