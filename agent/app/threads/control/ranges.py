"""Says stored events again, for whoever noticed a gap: the same bytes, paced, beside the stream.

    range --one at a time--> rows by their numbers --paced--> BASE/ranges --PUBACK--> ... --> reply

It has a thread of its own, so that no other command waits for it; the reply says how many came, and
which numbers are gone. What retention has erased comes without it, and in its place.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from agent.app.threads.control.deeds import Asked, Deed, DeedRefused, Plan, Result, bad
from agent.domain.record.command import CommandReason, Verb
from agent.domain.record.pace import Pace
from agent.errors import StoreError
from agent.ports import RangeLog, StoredEvent

MOST_EVENTS = 100_000
MOST_GAPS = 200
_LONGEST_S = 3600
_PAGE, _WINDOW = 200, 32
_PATIENCE_S = 1800.0

_log = structlog.get_logger(__name__)
Done = Callable[[Result | DeedRefused], None]
Publish = Callable[[bytes], int | None]
"""An event's text to a message id; None while not connected."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    epoch: str
    first: int
    last: int
    done: Done


class Ranges:
    """One job at a time; ``acknowledged`` is the broker's thread's."""

    def __init__(
        self,
        log: RangeLog,
        text: Callable[[StoredEvent], bytes],
        publish: Publish,
        pace: Pace,
    ) -> None:
        """``text`` is what was published of a row."""
        self._log = log
        self._text = text
        self._publish = publish
        self._pace = pace
        self._condition = threading.Condition()
        self._wanted: _Wanted | None = None
        self._under_way: set[int] = set()
        self._early: set[int] = set()
        self._publishing = False
        self._stopping = False

    def deeds(self) -> Mapping[Verb, Deed]:
        """The verb that asks for it."""
        return {Verb.RANGE: Deed(self._range, frozenset({"epoch", "first", "last"}), _LONGEST_S)}

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopping or self._wanted is not None)
                wanted = self._wanted
                if self._stopping or wanted is None:
                    return
            ended = self._say(wanted)
            with self._condition:
                self._wanted = None
            # Stopped meanwhile it has not ended: the next start calls it interrupted.
            if not self._is_stopped():
                wanted.done(ended)

    def stop(self) -> None:
        """End ``work`` soon."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def _is_stopped(self) -> bool:
        with self._condition:
            return self._stopping

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered some message, perhaps one of these."""
        del refusal  # an event that is too large for the broker stays a gap
        with self._condition:
            if mid in self._under_way:
                self._under_way.discard(mid)
                self._condition.notify_all()
            elif self._publishing:
                self._early.add(mid)

    def _range(self, asked: Asked) -> Plan:
        epoch, first, last = (asked.arguments.get(name) for name in ("epoch", "first", "last"))
        if not isinstance(epoch, str) or type(first) is not int or type(last) is not int:
            raise bad("range names epoch, first and last")
        if not 0 < first <= last or last - first >= MOST_EVENTS:
            raise bad(f"a range has 1 to {MOST_EVENTS} numbers, from 1 on")
        with self._condition:
            if self._wanted is not None:
                raise DeedRefused(CommandReason.BUSY, "another range is being said")

        def later(done: Done) -> None:
            with self._condition:
                self._wanted = _Wanted(epoch, first, last, done)
                self._condition.notify_all()

        return Plan(dict, later=later)

    def _say(self, wanted: _Wanted) -> Result | DeedRefused:
        sent, gaps, following = 0, list[list[int]](), wanted.first
        newest: dict[str, int] = {}
        try:
            if wanted.epoch == self._log.epoch:
                # What comes after it is not gone: it has not happened yet.
                newest["last"] = self._log.last_sequence()
            while following <= wanted.last:
                rows = self._log.between(wanted.epoch, following, wanted.last, _PAGE)
                for row in rows:
                    if row.sequence > following:
                        gaps.append([following, row.sequence - 1])
                    if not self._sent(self._text(row)):
                        return DeedRefused(CommandReason.NOT_CONFIRMED, "the broker stayed away")
                    sent, following = sent + 1, row.sequence + 1
                if len(rows) < _PAGE:
                    break
        except StoreError as error:
            _log.warning("range_not_said", error=str(error))
            return DeedRefused(CommandReason.STORE, "the journal cannot be read")
        if following <= wanted.last:
            gaps.append([following, wanted.last])
        if not self._settled(0):
            return DeedRefused(CommandReason.NOT_CONFIRMED, "the broker stayed away")
        missing = {"missing": gaps[:MOST_GAPS], "more_missing": len(gaps) > MOST_GAPS}
        return {"sent": sent, **missing, **newest}

    def _sent(self, text: bytes) -> bool:
        """Hand one over, once it may go; False where the broker stayed away for too long."""
        until_s = self._pace.now_s + _PATIENCE_S
        while self._pace.now_s < until_s and not self._stopping:
            if self._pace.allowance < 1:
                self._wait(self._pace.wait_s)
                continue
            if not self._settled(_WINDOW - 1):
                return False
            with self._condition:
                self._publishing = True
            mid = self._publish(text)
            with self._condition:
                self._publishing = False
                if mid is not None and mid not in self._early:
                    self._under_way.add(mid)
                self._early.clear()
            if mid is not None:
                self._pace.took(1)
                return True
            self._wait(1.0)
        return False

    def _settled(self, most: int) -> bool:
        """Whether no more than ``most`` are under way, at once or within the patience."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self._stopping or len(self._under_way) <= most, _PATIENCE_S
            )

    def _wait(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopping, seconds)
