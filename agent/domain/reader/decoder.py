"""A reader on two wires as a pure decoder: pulses in, cards and entries out, the rest counted.

pulses --collector--> frame --length--> keypad --> Entered
                                   '--> format --> CardNumber
                                   '--> Unread: noise, length, parity
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from agent.domain.reader.card_format import CardFormat, CardNumber
from agent.domain.reader.keypad import Entered, Keypad, KeypadKind, frame_lengths, keys_of
from agent.domain.reader.pulses import SILENCE_S, Frame, Pulse, PulseCollector


class Why(StrEnum):
    """Why a frame is nothing; the value is the word in the status."""

    NOISE = "noise"
    LENGTH = "length"
    PARITY = "parity"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something was sent, or only heard, that is no card and no key."""

    why: Why
    bits: int


Heard = CardNumber | Entered | Unread
"""What a reader says."""


@dataclass(frozen=True, slots=True)
class ReaderTerms:
    """Of which formats its cards are, and which pad it has."""

    formats: tuple[CardFormat, ...]
    keypad: KeypadKind = "none"
    silence_s: float = SILENCE_S


class WiegandDecoder:
    """One reader; any thread may call, one at a time."""

    def __init__(self, terms: ReaderTerms) -> None:
        """The terms name one format for a length, and none of the pad's, as the config sees to."""
        self._formats = {one.bits: one for one in terms.formats}
        self._kind: KeypadKind = terms.keypad
        self._keypad = Keypad()
        self._collector = PulseCollector(terms.silence_s)
        self.counts: Counter[str] = Counter()
        """Frames so far: ``card``, ``keys``, and the words of ``Why``."""

    def pulse(self, one: Pulse, now_s: float) -> None:
        """A pulse was heard at ``now_s`` on the monotonic clock."""
        self._collector.pulse(one, now_s)

    def settle(self, now_s: float) -> list[Heard]:
        """What the silence up to ``now_s`` has ended."""
        return [*self._each(self._collector.settle(now_s), now_s)]

    def stormy(self, now_s: float) -> bool:
        """Whether its wires oscillate: nothing can be read by them."""
        return self._collector.stormy(now_s)

    @property
    def deadline_s(self) -> float | None:
        """When ``settle`` may have something; None while nothing comes."""
        return self._collector.deadline_s

    def _each(self, frames: Iterable[Frame], now_s: float) -> Iterable[Heard]:
        for frame in frames:
            found = self._frame(frame, now_s)
            if isinstance(found, Unread):
                self.counts[found.why.value] += 1
                yield found
            elif isinstance(found, CardNumber):
                self.counts["card"] += 1
                yield found
            else:
                self.counts["keys"] += 1
                yield from found

    def _frame(self, frame: Frame, now_s: float) -> CardNumber | Unread | list[Entered]:
        size = len(frame.bits)
        if frame.noisy:
            return Unread(Why.NOISE, size)
        if size in frame_lengths(self._kind):
            keys = keys_of(frame.bits, self._kind)
            if keys is None:
                return Unread(Why.PARITY, size)
            return self._keypad.pressed(keys, now_s)
        known = self._formats.get(size)
        if known is None:
            return Unread(Why.LENGTH, size)
        return known.read(frame.bits) or Unread(Why.PARITY, size)
