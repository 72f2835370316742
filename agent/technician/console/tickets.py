"""Who may use the console: a one-time token begins a session, and both end by themselves.

    token    shown --redeemed--> gone, a session begins
                  `--10 min, or another is made--> gone
    session  begun --nothing asked for 15 min, or 2 h old--> gone

A session's word is sent by the page with each request and never by the browser of itself, as it
would send a cookie: to another page, or from another port of the same machine, nothing is said.
Both are 256 random bits, so nobody guesses one, and whoever tries shuts nobody out.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

TOKEN_S = 600.0
IDLE_S = 900.0
LONGEST_S = 7200.0
MOST_SESSIONS = 4
TOKEN_BYTES = 32


@dataclass(slots=True)
class _Session:
    begun_s: float
    asked_s: float


class Tickets:
    """The tokens and sessions of one console; any thread asks."""

    def __init__(
        self,
        now_s: Callable[[], float] = time.monotonic,
        kept: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """``kept`` takes a token that was made by another process, once."""
        self._now_s = now_s
        self._kept = kept
        self._lock = threading.Lock()
        self._token: tuple[bytes, float] | None = None
        self._sessions: dict[bytes, _Session] = {}

    def issue(self) -> str:
        """A new token, good once within ten minutes; the one before it is void."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._lock:
            self._token = (_digest(token), self._now_s() + TOKEN_S)
        return token

    def redeem(self, token: str) -> str | None:
        """The word of a new session, None for a wrong, used or late token.

        Where there are too many sessions, the one that was silent for longest ends.
        """
        with self._lock:
            now_s = self._now_s()
            if not self._takes(token, now_s) and not self._kept(token):
                return None
            self._forget_late(now_s)
            if len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[min(self._sessions, key=lambda one: self._sessions[one].asked_s)]
            word = secrets.token_urlsafe(TOKEN_BYTES)
            self._sessions[_digest(word)] = _Session(now_s, now_s)
            return word

    def holds(self, word: str) -> bool:
        """Whether the session goes on; to ask keeps it from being idle."""
        with self._lock:
            now_s = self._now_s()
            self._forget_late(now_s)
            # By digest: how long a look-up takes says nothing of the word itself.
            session = self._sessions.get(_digest(word))
            if session is None:
                return False
            session.asked_s = now_s
            return True

    def end(self, word: str) -> None:
        """Somebody leaves."""
        with self._lock:
            self._sessions.pop(_digest(word), None)

    @property
    def silent(self) -> bool:
        """Whether nobody is in and nobody can come in: the console has nothing more to do."""
        with self._lock:
            now_s = self._now_s()
            self._forget_late(now_s)
            waits = self._token is not None and now_s < self._token[1]
            return not waits and not self._sessions

    def _takes(self, token: str, now_s: float) -> bool:
        """Whether it is the one that was issued here; then it is void."""
        known = self._token
        if known is None or now_s >= known[1]:
            return False
        if not secrets.compare_digest(known[0], _digest(token)):
            return False
        self._token = None
        return True

    def _forget_late(self, now_s: float) -> None:
        late = [
            digest
            for digest, one in self._sessions.items()
            if now_s - one.asked_s >= IDLE_S or now_s - one.begun_s >= LONGEST_S
        ]
        for digest in late:
            del self._sessions[digest]


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
