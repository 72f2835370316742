"""What the loudspeaker says next: a short queue by priority, in a thread of its own.

    waiting    highest priority first, then in the order of arrival; at most eight
    playing    is cut by a higher priority, and by a newer one of its own channel
    cut        an announcement begins anew when its turn comes; what was said to a person is over
    expired    is dropped unsaid
    full       the least important one that waits, the newest of those, is dropped and counted

``say`` never blocks, so the controller may call it. A loudspeaker that fails is told once, and once
more when it plays (again); what it could not play is over.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from agent.domain.access.hints import Priority
from agent.errors import GateAgentError
from agent.ports import Clock, Loudspeaker

_MOST_WAITING = 8

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """Files to play one after the other; ``files`` is asked in the player's thread, and may work.

    A newer one of the same ``channel`` takes its place. ``until_s`` is on the monotonic clock:
    past it nothing of it begins. ``again`` says that it is begun anew where it was cut.
    """

    priority: Priority
    files: Callable[[], Sequence[Path]]
    channel: str | None = None
    until_s: float | None = None
    again: bool = False


class Player:
    """The queue and its thread's work; ``failed`` and ``recovered`` are called from that thread."""

    def __init__(
        self,
        loudspeaker: Loudspeaker,
        clock: Clock,
        *,
        failed: Callable[[str], None] = lambda _why: None,
        recovered: Callable[[], None] = lambda: None,
    ) -> None:
        self._loudspeaker = loudspeaker
        self._clock = clock
        self._failed = failed
        self._recovered = recovered
        self._condition = threading.Condition()
        self._waiting: list[Utterance] = []
        self._playing: Utterance | None = None
        self._cut = False
        self._over = False
        self._works: bool | None = None
        self._stopping = False
        self.dropped = 0

    def say(self, utterance: Utterance) -> None:
        """Say it when its turn comes; returns at once."""
        with self._condition:
            if self._stopping:
                return
            self._drop_channel(utterance.channel)
            self._insert(utterance)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.pop()
                self.dropped += 1
                _log.warning("voice_queue_full", dropped=self.dropped)
            playing = self._playing
            if playing is not None and utterance in self._waiting:
                if utterance.channel is not None and utterance.channel == playing.channel:
                    self._end_playing(for_good=True)
                elif utterance.priority > playing.priority:
                    self._end_playing()
            self._condition.notify()

    def hush(self, channel: str) -> None:
        """Say no more of this channel, waiting or begun."""
        with self._condition:
            self._drop_channel(channel)
            if self._playing is not None and self._playing.channel == channel:
                self._end_playing(for_good=True)

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            with self._condition:
                while not self._waiting and not self._stopping:
                    self._condition.wait()
                if self._stopping:
                    return
                utterance = self._playing = self._waiting.pop(0)
                self._cut = self._over = False
            self._play(utterance)
            with self._condition:
                self._playing = None
                if self._cut and not self._over and utterance.again:
                    self._insert(utterance, first=True)
                    del self._waiting[_MOST_WAITING:]

    def stop(self) -> None:
        """End ``work`` in the middle of a word."""
        with self._condition:
            self._stopping = True
            self._waiting.clear()
            self._end_playing(for_good=True)
            self._condition.notify_all()

    def _play(self, utterance: Utterance) -> None:
        try:
            for file in () if self._late(utterance) else utterance.files():
                if self._cut or self._late(utterance):
                    return
                self._loudspeaker.play(file, lambda: not self._cut)
                if not self._cut:
                    self._played()
        except GateAgentError as error:
            if self._works is not False:
                self._works = False
                _log.error("voice_failed", error=str(error))
                self._failed(str(error).partition("\n")[0])

    def _played(self) -> None:
        # Also at first: the fault may be one that outlived an earlier agent.
        if not self._works:
            self._works = True
            self._recovered()

    def _late(self, utterance: Utterance) -> bool:
        until_s = utterance.until_s
        return until_s is not None and self._clock.now().monotonic_s >= until_s

    def _end_playing(self, *, for_good: bool = False) -> None:
        self._cut = True
        self._over = self._over or for_good
        self._loudspeaker.cut()

    def _drop_channel(self, channel: str | None) -> None:
        if channel is not None:
            self._waiting = [one for one in self._waiting if one.channel != channel]

    def _insert(self, utterance: Utterance, *, first: bool = False) -> None:
        """Before those of less priority; ``first`` also before its equals."""
        least = utterance.priority + 1 if first else utterance.priority
        place = sum(one.priority >= least for one in self._waiting)
        self._waiting.insert(place, utterance)
