"""Which codes of an access point's frames are verified, when, and what of them is said.

    no credential of ours      nothing: no entry here, no word to the controller
    new                        verified within the frame's budget, in a fair order
    known, still shown         its presentation again, now and then: it was looked at once
    gone, and shown anew       a new presentation, verified anew

Anybody may hold up codes, hang them on a wall, or play a film of them. So no code is verified twice
while it stays, only so many are in one frame, and half of those are the ones that have waited
longest: what is shown a frame long never keeps a pass waiting that is shown for half a second. What
is in the frame keeps its place here, or its wait would begin anew with each frame. Of the rest what
was not believed gives its place away first, and all of it once it is gone.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from agent.app.threads.senses.verifier import CredentialVerifier
from agent.credentials.health.card_parts import Part, PartCollector, part_of
from agent.credentials.kinds import kind_of
from agent.domain.credential.credential import CredentialKind
from agent.domain.credential.presented import HealthPresented, PassPresented
from agent.domain.hours.instant import Instant
from agent.domain.sight.symbol import Symbol
from agent.domain.sight.track import Box

Shown = PassPresented | HealthPresented

_GONE_AFTER_S = 1.5
_GONE_WHERE_IT_WAS_AFTER_S = 10.0
"""A code on a wall is missed now and then, and is no other one for that."""
_STILL = 0.8
_MOVED_WITHIN_S = 1.0
_SAID_EVERY_S = 0.25
_MOST_KEPT = 64
_MOST_IN_FRAME = 256
"""The largest: no frame has room for so many as large as a pass that can be read."""
_BUDGET = 6
"""Codes verified in one frame; a pass takes some 0.2 ms, a health certificate 0.5."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What of an access point counts here.

    ``in_zone`` says whether a box lies in the approach zone of a frame of that width and height;
    parts of one SMART Health Card may lie ``factor_window_s`` apart.
    """

    in_zone: Callable[[Box, int, int], bool]
    factor_window_s: float = 15.0


ANYWHERE = Outlook(lambda *_: True)
"""Of a camera without a zone."""


@dataclass(slots=True)
class _Code:
    """One code as it was seen; ``place`` is where it has been since ``moved_s``."""

    place: Box
    first_s: float
    seen_s: float
    moved_s: float
    presented: Shown | None = None
    looked_at: bool = False
    said_s: float = float("-inf")

    @property
    def believed(self) -> bool:
        """Whether what it says is signed by whom it should be."""
        return self.presented is not None and self.presented.reason is None

    def gone(self, box: Box, now_s: float) -> bool:
        """Whether what is at ``box`` now is another presentation of the same code."""
        still = self.place.overlap(box) >= _STILL
        return now_s - self.seen_s > (_GONE_WHERE_IT_WAS_AFTER_S if still else _GONE_AFTER_S)

    def see(self, box: Box, now_s: float) -> None:
        """It is still there."""
        self.seen_s = now_s
        if self.place.overlap(box) < _STILL:
            self.place, self.moved_s = box, now_s


@dataclass(frozen=True, slots=True)
class _Seen:
    """A code in the frame that is looked at."""

    code: _Code
    text: str = field(repr=False)
    in_zone: bool
    moving: bool
    area: int

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """In hand before on the wall, believed before all others."""
        return (not self.code.believed, not self.in_zone, not self.moving, -self.area)


class Codes:
    """One access point's; of one thread. It keeps no text, only digests of what was shown."""

    def __init__(
        self,
        verifier: CredentialVerifier,
        outlook: Outlook = ANYWHERE,
    ) -> None:
        self._verifier = verifier
        self._in_zone = outlook.in_zone
        self._parts = PartCollector(outlook.factor_window_s)
        self._codes: dict[bytes, list[_Code]] = {}

    def look(self, symbols: Sequence[Symbol], size: tuple[int, int], now: Instant) -> list[Shown]:
        """What is to be said of a frame of ``size``, width and height, in pixels."""
        now_s = now.monotonic_s
        seen = list(self._seen(symbols, size, now_s))
        for one in _chosen([one for one in seen if not one.code.looked_at]):
            one.code.looked_at = True
            one.code.presented = self._looked_at(one.text, now)
        self._give_away(now_s)
        said = []
        for one in sorted(seen, key=lambda one: one.rank):
            code = one.code
            if code.presented is not None and now_s - code.said_s >= _SAID_EVERY_S:
                code.said_s = now_s
                said.append(code.presented)
        return said

    def _seen(
        self, symbols: Sequence[Symbol], size: tuple[int, int], now_s: float
    ) -> Iterator[_Seen]:
        """The credentials among the symbols."""
        by_key: dict[bytes, list[Symbol]] = {}
        ours = [one for one in symbols if kind_of(one.text) is not CredentialKind.TEXT]
        for symbol in sorted(ours, key=lambda one: -one.box.area)[:_MOST_IN_FRAME]:
            key = hashlib.blake2b(symbol.content, digest_size=16).digest()
            by_key.setdefault(key, []).append(symbol)
        for key, same in by_key.items():
            for symbol, code in self._told_apart(key, same, now_s):
                code.see(symbol.box, now_s)
                text = symbol.text or ""
                in_zone = self._in_zone(symbol.box, *size)
                moving = now_s - code.moved_s <= _MOVED_WITHIN_S
                yield _Seen(code, text, in_zone, moving, symbol.box.area)

    def _told_apart(
        self, key: bytes, same: Sequence[Symbol], now_s: float
    ) -> list[tuple[Symbol, _Code]]:
        """Each of the symbols that say the same, with the code that it has been so far.

        A photograph of somebody's pass may hang beside them: what stays in its place is that one
        still, and what is in the frame beside it is another.
        """
        before = self._codes.get(key, [])
        pairs: list[tuple[Symbol, _Code]] = []
        for symbol in sorted(
            same, key=lambda one: -max(map(one.box.overlap, _places(before)), default=0.0)
        ):
            free = [code for code in before if all(code is not taken for _, taken in pairs)]
            code = max(free, key=lambda one: one.place.overlap(symbol.box), default=None)
            if code is None or code.gone(symbol.box, now_s):
                code = _Code(symbol.box, now_s, now_s, now_s)
            pairs.append((symbol, code))
        taken = [code for _, code in pairs]
        kept = [
            code
            for code in before
            if all(code is not one for one in taken)
            and now_s - code.seen_s <= _GONE_WHERE_IT_WAS_AFTER_S
        ]
        self._codes[key] = [*kept, *taken]
        return pairs

    def _looked_at(self, text: str, now: Instant) -> Shown | None:
        part = part_of(text)
        if part is not None:
            return self._collected(part, now)
        presented = self._verifier.verify(text, now)
        return self._known(presented, now.monotonic_s) or presented

    def _known(self, presented: Shown, now_s: float) -> Shown | None:
        """The presentation of the same pass in other bytes a moment ago."""
        if not isinstance(presented, PassPresented):
            return None
        for code in itertools.chain.from_iterable(self._codes.values()):
            before = code.presented
            there = code.seen_s == now_s
            near = now_s - code.seen_s <= _GONE_AFTER_S and not there
            if near and isinstance(before, PassPresented) and before.same_as(presented):
                return before
        return None

    def _collected(self, part: Part, now: Instant) -> Shown | None:
        """The card that the part makes whole; None while others are missing: no failure.

        A part counts from when it was seen first: one that hangs on a wall is soon forgotten.
        """
        wholes = self._parts.add(part, now.monotonic_s).wholes
        presented: Shown | None = None
        for whole in wholes:
            presented = self._verifier.verify(whole.text, now)
            if presented.reason is None:
                self._parts.forget(whole)
                return presented
        # Where strangers' parts lie between, what is not a card is nobody's failure.
        return presented if len(wholes) == 1 else None

    def _give_away(self, now_s: float) -> None:
        """Keep to the bound: what is not believed goes first, then what was seen longest ago."""
        codes = [(key, code) for key, same in self._codes.items() for code in same]
        here = [(key, code) for key, code in codes if code.seen_s == now_s]
        left = [
            (key, code)
            for key, code in codes
            if 0.0 < now_s - code.seen_s <= _GONE_WHERE_IT_WAS_AFTER_S
        ]
        left.sort(key=lambda item: _worth(item[1]), reverse=True)
        self._codes = {}
        for key, code in [*here, *left[: max(_MOST_KEPT - len(here), 0)]]:
            self._codes.setdefault(key, []).append(code)


def _places(codes: Sequence[_Code]) -> list[Box]:
    return [code.place for code in codes]


def _worth(code: _Code) -> tuple[bool, float, float]:
    return (code.believed, code.seen_s, -code.first_s)


def _chosen(new: list[_Seen]) -> Iterator[_Seen]:
    """Those that this frame has time for: by rank and by how long they wait, in turn.

    At most one of them is a part of a card: it may make many wholes.
    """
    by_rank = iter(sorted(new, key=lambda one: one.rank))
    by_wait = iter(sorted(new, key=lambda one: one.code.first_s))
    turns = itertools.chain.from_iterable(itertools.zip_longest(by_wait, by_rank))
    parts = left = 0
    for one in turns:
        if one is None or one.code.looked_at or left == _BUDGET:
            continue
        is_part = part_of(one.text) is not None
        if is_part and parts:
            continue
        parts += is_part
        left += 1
        yield one
