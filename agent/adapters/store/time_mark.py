"""The latest sure time of the last hour, beside the passes' ledger: one short write in place.

A transaction of SQLite for it, its index file and what is remembered of the ledger's new counter
were 100 KB each five minutes, and most of what an agent at rest wrote to its card. So the ledger
has the time at each start and once an hour, and this small file what came since. It is on the disk
before ``write`` returns. Torn by a power cut, missing or altered it counts as none, and the
ledger's time holds, which is an hour older at most.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from agent.adapters.store.names import TIME
from agent.adapters.store.sqlite import stored_moment, sync_folder

_CHECK = 16
_LARGEST_BYTES = 128


class TimeMark:
    """The file ``<ledger>-time``; opened for each use, so that a person may remove it."""

    def __init__(self, ledger: Path) -> None:
        """Nothing is read or made yet."""
        self._path = Path(f"{ledger}{TIME}")

    def read(self) -> datetime | None:
        """The time that was written last; None where none can be read."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            said, _, check = os.read(descriptor, _LARGEST_BYTES).decode("ascii").partition(" ")
            return stored_moment(said) if check == f"{_check(said)}\n" else None
        except (OSError, ValueError, TypeError):
            return None
        finally:
            os.close(descriptor)

    def write(self, utc: datetime) -> None:
        """It is ``utc``: durable once this returns.

        Raises:
            OSError: it cannot be written.
        """
        said = utc.astimezone(UTC).isoformat(timespec="microseconds")
        is_new = not os.path.lexists(self._path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            # Always of one length, and over the same bytes of the card's file.
            os.pwrite(descriptor, f"{said} {_check(said)}\n".encode(), 0)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self._path.parent)

    def remove(self) -> None:
        """It is known no more, durably.

        Raises:
            OSError: it is there and stays.
        """
        if os.path.lexists(self._path):
            self._path.unlink()
            sync_folder(self._path.parent)


def _check(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:_CHECK]
