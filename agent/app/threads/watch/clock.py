"""Keeps what is known of the time: asks for a signed one where somebody signs it, and writes the
confirmed one down, so that the next start knows that it is at least so late.
"""

import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.signed.time import NONCE_BYTES, verify_time
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Reckoning
from agent.errors import StoreError
from agent.ports import Clock, TrustedTime

_WRITE_EVERY_S = 300.0
_ASK_EVERY_S = 30.0
_ASK_AGAIN_S = 6 * 3600.0
_LONGEST_ANSWER_S = 5.0
_POLL_S = 1.0

_log = structlog.get_logger(__name__)


class BelievingClock(Clock, Protocol):
    """A clock that may be told a time that was signed."""

    def believe(self, utc: datetime, monotonic_s: float) -> None:
        """It was surely ``utc`` at ``monotonic_s``."""


class JudgedClock:
    """A clock that is trusted only where the controller believes it."""

    def __init__(self, clock: Clock, reckoning: Callable[[], Reckoning]) -> None:
        self._clock = clock
        self._reckoning = reckoning

    def now(self) -> Instant:
        """This moment."""
        now, reckoning = self.reckoned()
        return reckoning.judged(now)

    def reckoned(self) -> tuple[Instant, Reckoning]:
        """This moment as the clock itself says it, and what is known of the time by then."""
        now = self._clock.now()
        return now, self._reckoning().heard(now)

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """As the clock's own."""
        return self._clock.after(delay_s, call)


class TimeKeeper:
    """The thread that looks after the time; ``heard`` is called from the broker's."""

    def __init__(
        self,
        clock: BelievingClock,
        ledger: TrustedTime,
        *,
        key: Ed25519PublicKey | None,
        kiosk: str,
        ask: Callable[[bytes], bool],
        reckoning: Callable[[], Reckoning],
        commanded: bool = False,
    ) -> None:
        """``ask`` publishes a nonce, False where nobody is connected.

        It is asked where there is a ``key``, or no time is trusted and a signed command may answer
        (``commanded``).
        ``reckoning`` is what the controller knows of the time.
        """
        self._clock = clock
        self._ledger = ledger
        self._key = key
        self._kiosk = kiosk
        self._ask = ask
        self._reckoning = reckoning
        self._commanded = commanded
        self._writing = threading.Lock()
        self._owed = False  # a person's word that the disk did not take
        self._lock = threading.Lock()
        self._asked: tuple[bytes, float] | None = None
        self._next_ask_s = float("-inf")
        self._next_write_s = float("-inf")
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.wait(_POLL_S):
            self.tend()
        self._write()

    def tend(self) -> None:
        """What is due now: a question, a line in the ledger."""
        now = self._clock.now()
        asks = self._key is not None or (self._commanded and not self._trusted())
        if asks and now.monotonic_s >= self._next_ask_s:
            nonce = os.urandom(NONCE_BYTES)
            with self._lock:
                self._asked = (nonce, now.monotonic_s)
            if self._ask(nonce):
                self._next_ask_s = now.monotonic_s + _ASK_EVERY_S
        if now.monotonic_s >= self._next_write_s and self._confirmed() is not None:
            self._next_write_s = now.monotonic_s + _WRITE_EVERY_S
            self._write()

    def heard(self, payload: bytes) -> None:
        """An answer came; it counts once, in time, and with the right signature."""
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is None or self._key is None:
            return
        nonce, asked_s = asked
        now_s = self._clock.now().monotonic_s
        if now_s - asked_s > _LONGEST_ANSWER_S:
            _log.warning("time_refused", why="time: the answer came too late")
            return
        try:
            utc = verify_time(payload, self._key, nonce, self._kiosk)
        except CredentialError as error:
            _log.warning("time_refused", why=error.detail)
            with self._lock:
                # Whoever may publish there must not silence the true answer.
                self._asked = asked
            return
        self._believe(utc, asked_s, now_s)

    def commanded(self, nonce: bytes, utc: datetime) -> bool:
        """A signed command says that it was ``utc``; whether it answers the question of just now.

        It counts once, and in time.
        """
        now_s = self._clock.now().monotonic_s
        with self._lock:
            asked = self._asked
            if asked is None or asked[0] != nonce or now_s - asked[1] > _LONGEST_ANSWER_S:
                return False
            self._asked = None
        self._believe(utc, asked[1], now_s)
        return True

    def told(self, utc: datetime) -> None:
        """A person's word, which the controller has taken: durable before it returns.

        Raises:
            StoreError: it could not be written.
        """
        with self._writing:
            self._owed = True
            self._ledger.set_trusted(utc)
            self._owed = False

    def stop(self) -> None:
        """End ``work`` within a second."""
        self._stopping.set()

    def _believe(self, utc: datetime, asked_s: float, now_s: float) -> None:
        # It was signed somewhere between question and answer.
        middle = utc + timedelta(seconds=(now_s - asked_s) / 2)
        self._clock.believe(middle, now_s)
        self._next_ask_s = now_s + _ASK_AGAIN_S
        _log.info("time_believed", round_trip_ms=round((now_s - asked_s) * 1000.0, 1))

    def _trusted(self) -> bool:
        now = self._clock.now()
        return self._reckoning().heard(now).judged(now).utc_trusted

    def _confirmed(self) -> datetime | None:
        """Never what one source alone claims: that would stay after it."""
        now = self._clock.now()
        return self._reckoning().heard(now).confirmed(now.monotonic_s)

    def _write(self) -> None:
        try:
            # What is read before a person's word must not be written after it.
            with self._writing:
                if (confirmed := self._confirmed()) is None:
                    return
                if self._owed:
                    self._ledger.set_trusted(confirmed)
                    self._owed = False
                else:
                    self._ledger.note_trusted(confirmed)
        except StoreError as error:
            _log.warning("time_not_written", error=str(error))
