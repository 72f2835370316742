"""How far a stream has come, kept beside the journal to know a file that was put back.

An older copy of the journal would give the numbers of its epoch a second time. So the epoch, the
file (its inode) and the last number given also stand in a small file of their own, which a copy of
the journal does not take along; where they disagree, a new epoch begins. Nothing is flushed: after
a power failure either file may be the older one, and a new epoch too many harms nobody.
"""

import os
from pathlib import Path

from agent.adapters.store.aside import put_aside
from agent.adapters.store.names import MARK
from agent.adapters.store.owners import told
from agent.errors import StoreError

_BYTES = 128


class StreamMark:
    """The file ``<journal>-stream``; one short write an event."""

    def __init__(self, journal: Path) -> None:
        """Open or make it.

        Raises:
            StoreError: the folder cannot be written.
        """
        path = Path(f"{journal}{MARK}")
        try:
            if os.path.lexists(path) and not path.is_file():
                put_aside(path)  # a folder, say, or a pipe: no mark
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            fix = f"make {path.parent} writable for this user"
            said, fix = told(path, "written", error, fix)
            raise StoreError(said, fix) from error

    def fits(self, epoch: str, inode: int, last_sequence: int) -> bool:
        """Whether this file may go on with its epoch from ``last_sequence``."""
        words = os.pread(self._descriptor, _BYTES, 0).split()
        if len(words) != 3 or not (words[1].isdigit() and words[2].isdigit()):
            return False
        known = (words[0], int(words[1]))
        return known == (epoch.encode(), inode) and int(words[2]) <= last_sequence

    def write(self, epoch: str, inode: int, last_sequence: int) -> None:
        """``last_sequence`` was given in ``epoch``.

        Raises:
            StoreError: it cannot be written.
        """
        # Of one length, so that a number never keeps digits of a longer one.
        text = f"{epoch} {inode:020d} {last_sequence:020d}\n".encode()
        try:
            os.pwrite(self._descriptor, text, 0)
        except OSError as error:
            raise StoreError(f"the journal's mark cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)
