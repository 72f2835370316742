"""The token of a console that systemd starts: made by a person at the kiosk, redeemed by the page.

    gate-agent console --token --its digest--> /run/gate-agent-console/token --used, late--> gone

The word itself is shown once and kept nowhere, not in the journal either: the file has its digest,
in a folder of root's and the agent's own user, in memory. A guess takes nothing from it.
"""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from agent.errors import UnavailableError
from agent.technician.console.tickets import TOKEN_BYTES, TOKEN_S

FOLDER = Path("/run/gate-agent-console")
_NAME = "token"
_MOST_BYTES = 200
_OFF = "the console is not started by its socket here"
_FIX = "as root: systemctl enable --now gate-agent-console.socket; then gate-agent console --token"


class KeptToken:
    """One token in a folder; the newest counts."""

    def __init__(
        self, folder: Path | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """``now_s`` is the same for every process of a boot."""
        self._folder = folder or FOLDER
        self._now_s = now_s

    def issue(self) -> str:
        """A new token, good once within ten minutes; the one before it is void.

        Raises:
            UnavailableError: the folder is not there, or another user's.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        line = f"{_digest(token)} {self._now_s() + TOKEN_S:.3f}\n".encode()
        new = self._folder / f".{secrets.token_hex(8)}"
        try:
            owner = self._folder.stat()
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                os.write(descriptor, line)
                if os.geteuid() == 0:
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
            finally:
                os.close(descriptor)
            new.rename(self._folder / _NAME)
        except FileNotFoundError as error:
            raise UnavailableError(_OFF, _FIX) from error
        except OSError as error:
            said = f"the token cannot be put into {self._folder}: {error.strerror}"
            raise UnavailableError(said, "as root, or as the agent's own user") from error
        return token

    def redeem(self, token: str) -> bool:
        """Whether it is the one that is kept, and in time; then it is gone. Total."""
        path = self._folder / _NAME
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                digest, _, ends = os.read(descriptor, _MOST_BYTES).decode().partition(" ")
            finally:
                os.close(descriptor)
            late = not self._now_s() < float(ends)
        except (OSError, ValueError):
            return False
        if late:
            with suppress(OSError):
                path.unlink()
            return False
        if not secrets.compare_digest(digest, _digest(token)):
            return False
        try:
            path.unlink()
        except OSError:
            return False  # somebody else was let in by it, or it would be good twice
        return True


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
