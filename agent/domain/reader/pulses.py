"""From the pulses of two wires to frames of bits: what a silence ends is one frame.

    state    a pulse                       silence (30 ms)            2 s without silence
    quiet    gathering                     -                          -
    gathering  kept, up to 260 of them     frames, then quiet         stormy
    stormy   counted only                  refused as noise; quiet    -

A pulse is a falling edge with the kernel's time in nanoseconds: on D0 a bit 0, on D1 a bit 1. The
two wires are heard one after the other, so a frame is put in order by those times once it is over,
never by when a callback came; a gap that is as long as the silence parts two frames that were heard
together. Only differences of the kernel's times count, so their clock need not be ours: how long
nothing came is measured on the monotonic clock of whoever calls.

Edges of one wire within 30 us are one pulse that rings (a real one lasts 20 us, and the next comes
after 200). Pulses on both wires within 30 us are no bit: a reader never does that, a cable beside a
motor does, and the whole frame is noise. Memory is bounded by the 260 pulses of the longest frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

SILENCE_S = 0.03
STORM_S = 2.0
MOST_BITS = 256
_MOST_PULSES = MOST_BITS + 4
_RINGS_NS = 30_000
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Pulse:
    """A falling edge: ``bit`` says on which wire, ``at_ns`` when, by the kernel."""

    at_ns: int
    bit: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The bits between two silences, first to last; ``noisy``: they are none that were sent."""

    bits: tuple[int, ...]
    noisy: bool = False


@dataclass(slots=True)
class PulseCollector:
    """One reader's wires; seconds are on the caller's monotonic clock."""

    silence_s: float = SILENCE_S
    _kept: list[Pulse] = field(default_factory=list)
    _over: bool = False
    _first_s: float | None = None
    _last_s: float = 0.0

    def pulse(self, one: Pulse, now_s: float) -> None:
        """A pulse was heard at ``now_s``."""
        if self._first_s is None:
            self._first_s = now_s
        self._last_s = max(self._last_s, now_s)
        if len(self._kept) < _MOST_PULSES:
            self._kept.append(one)
        else:
            self._over = True

    @property
    def deadline_s(self) -> float | None:
        """When what was gathered is a frame, if nothing more comes; None while it is quiet."""
        return None if self._first_s is None else self._last_s + self.silence_s

    def stormy(self, now_s: float) -> bool:
        """Whether pulses come without a silence, as no reader sends them."""
        return self._first_s is not None and now_s - self._first_s >= STORM_S

    def settle(self, now_s: float) -> list[Frame]:
        """The frames that a silence has ended; empty while there is none."""
        due_s = self.deadline_s
        if due_s is None or now_s < due_s:
            return []
        kept, over = self._kept, self._over
        self._kept, self._over, self._first_s = [], False, None
        # Of what was too long nobody knows where a frame began.
        return [Frame((), noisy=True)] if over else _frames(kept, int(self.silence_s * _NS))


def _frames(kept: Sequence[Pulse], silence_ns: int) -> list[Frame]:
    ordered = sorted(kept, key=lambda one: one.at_ns)
    frames: list[Frame] = []
    run: list[Pulse] = []
    for one in ordered:
        if run and one.at_ns - run[-1].at_ns >= silence_ns:
            frames.append(_frame(run))
            run = []
        run.append(one)
    return [*frames, _frame(run)]


def _frame(run: Sequence[Pulse]) -> Frame:
    bits: list[int] = []
    noisy, last = False, None
    for one in run:
        close = last is not None and one.at_ns - last.at_ns < _RINGS_NS
        if close and last is not None and one.bit == last.bit:
            continue  # of the same pulse: the first edge is its time
        noisy |= close
        bits.append(one.bit)
        last = one
    return Frame(tuple(bits), noisy=noisy or len(bits) > MOST_BITS)
