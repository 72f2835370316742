"""Codes that are held up and cannot be read: when whoever holds one is told to hold it still.

seen once                      nothing: a pattern on a coat may look like one for a frame
twice within three seconds,    it is said, for two seconds after it was seen last, so that it
in places that overlap         outlasts the frames in which nobody looks for it
a code is read                 nothing more
"""

from collections import deque
from collections.abc import Iterable

from agent.domain.sight.track import Box

WITHIN_S, LASTS_S = 3.0, 2.0
_SAME_PLACE = 0.1
_LEAST_PX = 40
_MOST_KEPT = 32


class Unread:
    """One access point's; of one thread. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Box]] = deque(maxlen=_MOST_KEPT)
        self._surely_s = float("-inf")

    def look(self, boxes: Iterable[Box], now_s: float) -> bool:
        """Whether a code is held up that cannot be read, after a frame that shows it at ``boxes``.

        Smaller than 40 pixels a side it may be anything, and nobody holds it up.
        """
        while self._seen and now_s - self._seen[0][0] > WITHIN_S:
            self._seen.popleft()
        for box in boxes:
            if min(box.width, box.height) < _LEAST_PX:
                continue
            before = (one for at_s, one in self._seen if at_s < now_s)
            if any(box.overlap(one) >= _SAME_PLACE for one in before):
                self._surely_s = now_s
            self._seen.append((now_s, box))
        return now_s - self._surely_s <= LASTS_S

    def read(self) -> None:
        """A code was read: whoever holds it up did well."""
        self._seen.clear()
        self._surely_s = float("-inf")
