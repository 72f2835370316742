"""Cards that nobody has, tried one after the other: how many, before a card alone opens no more.

    bucket of an access point   an unknown card   half an hour    a card alone
    10 ... 1                    one less          one more        opens, where a rule says so
    0                           stays 0           one more        is not enough: more must be shown

A number of 26 bits can be made up: with 500 cards of one facility code one in 131 is somebody's,
and whoever plays frames into the wires tries ten a second. So what counts is each card that was
tried and is nobody's, not what was judged: ten at once and 48 a day. A card beside a face, or a
pass, opens all the while, so that whoever empties the bucket shuts nobody out who has a face
enrolled; and the other access points have their own. The same unknown card again, a resident's bank
card, is no second try. What stands here ends with the process, as with faces (``wrong_faces``).
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta

from agent.domain.credential.presented import CardPresented
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.record.events import EventDraft, EventType

MOST_AT_ONCE = 10
ONE_MORE_S = 1800.0
_REMEMBERED = 64


@dataclass(slots=True)
class _Bucket:
    left: float = float(MOST_AT_ONCE)
    at_s: float | None = None
    wrong: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)

    def refill(self, now_s: float) -> None:
        if self.at_s is not None:
            more = max(now_s - self.at_s, 0.0) / ONE_MORE_S
            self.left = min(self.left + more, float(MOST_AT_ONCE))
        self.at_s = now_s


class CardGuesses:
    """All access points of one kiosk."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def tried(self, access_point: str, card: CardPresented, now: Instant) -> list[EventDraft]:
        """A card that nobody has was shown there; the event of the one that emptied the bucket."""
        bucket = self._buckets.setdefault(access_point, _Bucket())
        bucket.refill(now.monotonic_s)
        known = card.card_hash in bucket.wrong
        bucket.wrong[card.card_hash] = None
        bucket.wrong.move_to_end(card.card_hash)
        while len(bucket.wrong) > _REMEMBERED:
            bucket.wrong.popitem(last=False)
        if known or bucket.left < 1.0:
            return []
        bucket.left -= 1.0
        if bucket.left >= 1.0:
            return []
        wait_s = (1.0 - bucket.left) * ONE_MORE_S
        data = {
            "wrong_cards": MOST_AT_ONCE,
            "until": utc_text(now.utc + timedelta(seconds=wait_s)),
            "seconds": wait_s,
        }
        kind = EventType.CARDS_GUESSED
        return [EventDraft(kind, now.utc, now.utc_trusted, access_point, data)]

    def spent(self, access_point: str, now: Instant) -> bool:
        """Whether a card alone is not enough there now."""
        bucket = self._buckets.get(access_point)
        if bucket is None:
            return False
        bucket.refill(now.monotonic_s)
        return bucket.left < 1.0
