"""What of one stream of events is there: stretches without a gap, each held together by its links.

    event after event --> the stretch that it goes on, or a new one
    at the end        --> stretches in their order: what joins, what is missing between

So the events may come in any order, and one that comes in order costs eight bytes.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.domain.record import chain

_SHORT = 16
"""So many digits of a link tell a repeat from another event at the same place."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event's place and links; ``previous`` None is from before the chain."""

    sequence: int
    previous: str | None
    link: str

    def joins(self, before: "Seen") -> bool:
        """Whether it was recorded right after ``before``."""
        if self.previous is None:
            return before.previous is None
        return self.previous == (chain.ORIGIN if before.previous is None else before.link)


def seen(event: Mapping[str, Any]) -> Seen:
    """The place of a CloudEvent.

    Raises:
        ValueError: it has none, or no canonical form.
    """
    sequence, previous = event.get("sequence"), event.get("previous")
    if not isinstance(sequence, str) or not (sequence.isascii() and sequence.isdigit()):
        raise ValueError("no sequence")
    said = None if "previous" not in event else str(previous)
    return Seen(int(sequence), said, chain.link(event))


@dataclass(slots=True)
class _Stretch:
    first: Seen
    last: Seen
    links: "array[int]" = field(default_factory=lambda: array("Q"))


@dataclass(slots=True)
class Stretches:
    """Those of one stream."""

    loose: list[int] = field(default_factory=list)
    """The sequences of those that do not join the one before them."""
    unchained: int = 0
    _all: list[_Stretch] = field(default_factory=list)
    _highest: int = 0

    def take(self, one: Seen) -> bool:
        """Add an event; False where this place was there already."""
        if one.sequence <= self._highest and self._around(one.sequence) is not None:
            return False
        self._highest = max(self._highest, one.sequence)
        for stretch in reversed(self._all):
            if one.sequence == stretch.last.sequence + 1:
                if not one.joins(stretch.last):
                    self.loose.append(one.sequence)
                stretch.last = one
                break
        else:
            stretch = _Stretch(one, one)
            self._all.append(stretch)
        stretch.links.append(int(one.link[:_SHORT], 16))
        self.unchained += one.previous is None
        return True

    def is_that(self, sequence: int, link: str) -> bool | None:
        """Whether the event at this place has this link; None where it is not there."""
        stretch = self._around(sequence)
        if stretch is None:
            return None
        return stretch.links[sequence - stretch.first.sequence] == int(link[:_SHORT], 16)

    def close(self) -> Iterator[tuple[int, int]]:
        """Join what came apart; between which sequences (both of them there no more) gaps are.

        The first, up to where it begins, is one of them, unless that is the very first of all.
        """
        before: Seen | None = None
        for stretch in sorted(self._all, key=lambda one: one.first.sequence):
            first = stretch.first
            gap = (1 if before is None else before.sequence + 1, first.sequence - 1)
            if gap[0] <= gap[1]:
                yield gap
            elif before is None:
                if first.previous not in (None, chain.ORIGIN):
                    self.loose.append(first.sequence)
            elif not first.joins(before):
                self.loose.append(first.sequence)
            before = stretch.last

    def _around(self, sequence: int) -> _Stretch | None:
        for stretch in reversed(self._all):
            if stretch.first.sequence <= sequence <= stretch.last.sequence:
                return stretch
        return None

    @property
    def first(self) -> int:
        """The lowest sequence."""
        return min(one.first.sequence for one in self._all)

    @property
    def last(self) -> int:
        """The highest sequence."""
        return max(one.last.sequence for one in self._all)

    @property
    def events(self) -> int:
        """How many are there."""
        return sum(len(one.links) for one in self._all)


def blamed(loose: list[int]) -> list[int]:
    """Which events are not what was recorded, where these do not join the one before them.

    One that joins neither side is it; where only one joint is open, its earlier side: another
    content has another link.
    """
    found: list[int] = []
    left = sorted(set(loose))
    for place, sequence in enumerate(left):
        goes_on = place + 1 < len(left) and left[place + 1] == sequence + 1
        came = place > 0 and left[place - 1] == sequence - 1
        if goes_on:
            found.append(sequence)
        elif not came:
            found.append(max(sequence - 1, 1))
    return found
