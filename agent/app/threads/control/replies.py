"""Sends the signed replies that are owed, until the broker has each of them.

    owed (on the disk) --published--> under way --PUBACK--> forgotten
           ^------ connection lost, or refused ---'

One that is under way when the connection breaks is sent again: whoever reads it drops a repeat by
the command's id.
"""

import threading
from collections.abc import Callable

import structlog

from agent.errors import StoreError
from agent.ports import TOO_LARGE, CommandStore

_POLL_S = 5.0
_MOST_UNDER_WAY = 8

_log = structlog.get_logger(__name__)
Publish = Callable[[str, bytes, bytes | None], int | None]
"""Topic, payload and correlation data to a message id; None while not connected."""


class Replies:
    """A thread of its own; the callbacks only note."""

    def __init__(self, store: CommandStore, publish: Publish) -> None:
        self._store = store
        self._publish = publish
        self._condition = threading.Condition()
        self._under_way: dict[int, int] = {}
        self._answers: list[tuple[int, str | None]] = []
        self._publishing = False
        self._awake = True
        self._stopping = False

    def notify(self) -> None:
        """There may be one to send; never blocks."""
        with self._condition:
            self._awake = True
            self._condition.notify()

    def connected(self) -> None:
        """The broker is there again: paho sends again what it kept, and so may this."""
        with self._condition:
            self._under_way.clear()
        self.notify()

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered some message, perhaps one of these."""
        with self._condition:
            if not self._publishing and mid not in self._under_way:
                return
            self._answers.append((mid, refusal))
            # What was refused is tried again with the next look.
            if refusal is None or refusal.startswith(TOO_LARGE):
                self._awake = True
                self._condition.notify()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            with self._condition:
                if not self._awake and not self._stopping:
                    self._condition.wait(_POLL_S)
                self._awake = False
                stopping = self._stopping
            try:
                self.round()
            except StoreError as error:
                _log.warning("replies_wait", error=str(error))
            if stopping:
                return

    def round(self) -> None:
        """Forget what was acknowledged, and send what may go.

        Raises:
            StoreError: the file cannot be read or written.
        """
        with self._condition:
            answers, self._answers = self._answers, []
            done = [(self._under_way.pop(mid, None), refusal) for mid, refusal in answers]
            busy = set(self._under_way.values())
            self._publishing = True
        try:
            self._settle(done)
            self._send(busy)
        finally:
            with self._condition:
                self._publishing = False

    def _settle(self, done: list[tuple[int | None, str | None]]) -> None:
        for number, refusal in done:
            if number is None:
                continue
            if refusal is None or refusal.startswith(TOO_LARGE):
                self._store.acknowledged(number)
            if refusal is not None:
                _log.warning("reply_refused", why=refusal)

    def _send(self, busy: set[int]) -> None:
        for owed in self._store.owed()[:_MOST_UNDER_WAY]:
            if owed.number in busy:
                continue
            # Whose answer may come before this returns: it waits in the list until the next round.
            mid = self._publish(owed.topic, owed.payload, owed.correlation)
            if mid is None:
                return
            with self._condition:
                self._under_way[mid] = owed.number

    def stop(self) -> None:
        """End ``work`` after one more round."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
