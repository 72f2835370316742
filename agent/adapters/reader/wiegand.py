"""A reader on the two Wiegand wires: whatever its lines queue becomes cards and entries.

    lines (a queue, no thread of its own) --take--> WiegandDecoder --read--> who asks

Wires that oscillate are a fault until they are silent again: nothing can be read by them, and a
frame that chance makes of hum is no card's. While they are, the lines listen no longer than it
takes to see whether it is over. Not yet run on hardware.
"""

from collections.abc import Sequence
from typing import Protocol

from agent.domain.reader.decoder import Heard, ReaderTerms, WiegandDecoder
from agent.domain.reader.pulses import Pulse
from agent.errors import UnavailableError
from agent.ports import Clock


class PulseLines(Protocol):
    """The two wires of one reader."""

    def take(self) -> Sequence[Pulse]:
        """What was heard since the last call; a bounded queue, of which the oldest goes first.

        Raises:
            UnavailableError: the pins cannot be listened to.
        """

    def wait(self, timeout_s: float) -> None:
        """Until a pulse was heard, or ``timeout_s``."""

    @property
    def drowned(self) -> bool:
        """Whether so many edges came that nobody listens for a moment."""

    def close(self) -> None:
        """Let the pins go; safe to call twice."""


class WiegandReader:
    """Implements ``ports.CardReader``; used by one thread."""

    def __init__(self, name: str, lines: PulseLines, terms: ReaderTerms, clock: Clock) -> None:
        self._name = name
        self._lines = lines
        self._clock = clock
        self._decoder = WiegandDecoder(terms)

    def read(self, timeout_s: float) -> Sequence[Heard]:
        """What was shown or entered, oldest first; empty where nothing was within ``timeout_s``.

        Raises:
            UnavailableError: its wires oscillate, or the pins are gone.
        """
        ends_s = self._clock.now().monotonic_s + timeout_s
        while True:
            now_s = self._clock.now().monotonic_s
            for one in self._lines.take():
                self._decoder.pulse(one, now_s)
            heard = self._decoder.settle(now_s)
            if self._lines.drowned or self._decoder.stormy(now_s):
                raise UnavailableError(
                    f"the wires of reader {self._name} oscillate",
                    "look for a loose wire, a missing common ground, or a cable beside a motor's",
                )
            if heard or now_s >= ends_s:
                return heard
            due_s = self._decoder.deadline_s
            until_s = ends_s if due_s is None else min(ends_s, due_s)
            self._lines.wait(max(until_s - now_s, 0.001))

    @property
    def counts(self) -> dict[str, int]:
        """Frames so far by what they were."""
        return dict(self._decoder.counts)

    def close(self) -> None:
        """Let the pins go; safe to call twice."""
        self._lines.close()
