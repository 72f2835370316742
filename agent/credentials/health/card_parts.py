"""Collects the QR codes of a SMART Health Card that is too large for one.

    "shc:/1/3/..."  "shc:/2/3/..."  "shc:/3/3/..."   in any order, other codes between them

A part says which it is and of how many, but not of which card, and nothing in it is true before
the whole card's signature is. So the parts of two people, or rubbish that a stranger holds beside
them, may lie in the same place: each place keeps its newest few, and a new part is tried with what
lies in the others, newest first, up to a bound. Who verifies takes the first that holds; what the
others would have said is nobody's failure.
"""

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from agent.credentials.health.smart_health_card import MAX_CHARS

_PART = re.compile(r"shc:/(\d{1,3})/(\d{1,3})/(\d+)", re.ASCII)
_MOST_PARTS = 32
"""A card of 32,768 characters has fewer; more are no card that could be read."""
_MOST_IN_A_PLACE = 4
_MOST_COUNTS = 8
"""Cards of so many different numbers of parts are collected at a time."""
_MOST_DIFFERING = 4
_MOST_TRIES = 32
"""Wholes that one new part may make; verifying each takes some 0.2 ms."""


@dataclass(frozen=True, slots=True)
class Part:
    """One code of a card: the ``number``-th of ``count``, 1 the first."""

    number: int
    count: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """Parts that may be one card: ``text`` is what ``verify_card`` takes, ``parts`` its codes."""

    text: str = field(repr=False)
    parts: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a part came to: ``have`` of ``count`` places are known, and what they may be together.

    ``wholes`` is empty while places are missing, and where a part that was there is seen again.
    """

    have: int
    count: int
    wholes: tuple[Whole, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether parts are missing: no failure, and no credential yet."""
        return self.have < self.count


def part_of(text: str | None) -> Part | None:
    """The part that ``text`` is; None for a card in one code and for all other texts.

    ``shc:/1/1/...`` is a whole card, and a number beyond the count is no part of any.
    """
    found = None if text is None or len(text) > MAX_CHARS else _PART.fullmatch(text)
    if text is None or found is None:
        return None
    number, count = int(found[1]), int(found[2])
    if not (1 <= number <= count and 1 < count <= _MOST_PARTS):
        return None
    return Part(number, count, text)


class PartCollector:
    """Parts that were seen within ``window_s`` seconds; of one thread, or locked by its owner.

    It holds texts that are somebody's health data, in memory only and never longer than the window
    after they were last seen; ``forget`` drops what has been judged.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._places: dict[int, dict[int, dict[str, float]]] = {}

    def add(self, part: Part, now_s: float) -> Collected:
        """Take ``part`` as seen at ``now_s`` of any clock that does not go back."""
        self.expire(now_s)
        places = self._places.pop(part.count, {})
        self._places[part.count] = places
        while len(self._places) > _MOST_COUNTS:
            del self._places[next(iter(self._places))]
        seen = places.setdefault(part.number, {})
        new = seen.pop(part.text, None) is None
        seen[part.text] = now_s
        while len(seen) > _MOST_IN_A_PLACE:
            del seen[next(iter(seen))]
        missing = len(places) < part.count
        wholes = () if missing or not new else tuple(_wholes(places, part))
        return Collected(len(places), part.count, wholes)

    def forget(self, whole: Whole, shared: Collection[str] = ()) -> None:
        """Drop the parts of ``whole``: they are one card, which was judged.

        Those of ``shared`` stay: cards of one issuer may begin alike, down to the whole first code.
        """
        for text in whole.parts:
            part = part_of(text)
            if part is not None and text not in shared:
                self._places.get(part.count, {}).get(part.number, {}).pop(text, None)
        self._tidy()

    def expire(self, now_s: float) -> None:
        """Drop what was not seen for the window; ``add`` does so by itself."""
        for places in self._places.values():
            for seen in places.values():
                for text in [t for t, at_s in seen.items() if now_s - at_s > self._window_s]:
                    del seen[text]
        self._tidy()

    def _tidy(self) -> None:
        for count, places in list(self._places.items()):
            for number in [n for n, seen in places.items() if not seen]:
                del places[number]
            if not places:
                del self._places[count]


def _wholes(places: dict[int, dict[str, float]], part: Part) -> Iterator[Whole]:
    """The new part with every choice of the others, the newest of each first."""
    choices = [
        (part.text,) if number == part.number else tuple(reversed(places[number]))
        for number in range(1, part.count + 1)
    ]
    for texts in itertools.islice(_newest_first(choices), _MOST_TRIES):
        whole = " ".join(texts)
        if len(whole) <= MAX_CHARS:
            yield Whole(whole, texts)


def _newest_first(choices: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    # The newest of all, then those where one place differs from it, then two: cards are shown one
    # after the other, and rubbish beside them lies in few places.
    doubtful = [number for number, choice in enumerate(choices) if len(choice) > 1]
    for differing in range(_MOST_DIFFERING + 1):
        for places in itertools.combinations(doubtful, differing):
            options = [
                choice[1:] if number in places else choice[:1]
                for number, choice in enumerate(choices)
            ]
            yield from itertools.product(*options)
