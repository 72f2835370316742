"""Whether somebody is there in a picture without light, or with too much: no face is found in it.

The picture is compared with itself as it was while nothing moved in it, block by block as motion is
(``vision.frames.motion``). Who came has changed it, and stays a change however still they stand.

    picture without light, or with too much                              somebody is there
    a lamp went on or off less than two seconds ago                      no
    the same, and somebody was seen just before                          yes, for eight seconds
    moved within a second                                                yes
    differs from the empty one, and moved within half a minute           yes
    as the empty one, or still for half a minute: the empty one by now   no
"""

import cv2
import numpy as np

from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.image import Image
from agent.vision.frames.motion import Blocks, blocks, differ

_DARK, _BRIGHT = 25.0, 235.0
"""Mean grey values, below and above which a picture shows no face."""
_MOVES_S = 1.0
_STILL_S = 30.0
"""Something that was put down is no person for longer."""
_SETTLES_S = 2.0
"""A camera adjusts to another light for so long."""
_KNOWN_S = 8.0
_LAMP = 2.0
"""By so much the light of a whole picture changes at once where a lamp does it, and no person."""
_NOISE = 2.0
"""Grey levels, which a black picture has."""


class Unlit:
    """One camera's approach zone, owned by one thread; times on the frames' clock."""

    def __init__(self) -> None:
        self._empty: Blocks | None = None
        self._last: Blocks | None = None
        self._last_s = self._moved_s = self._known_s = self._settled_s = float("-inf")

    def look(self, part: Image, at_s: float, *, somebody: bool = False) -> Hindrance | None:
        """What whoever is there suffers from; None where it is lit, or nobody is there.

        ``somebody``: a face was seen just before.
        """
        there = self._changed(blocks(part), at_s, somebody=somebody)
        return _exposure(part) if there else None

    def _changed(self, now: Blocks, at_s: float, *, somebody: bool) -> bool:
        last, empty = self._last, self._empty
        self._last = now
        backwards, self._last_s = at_s < self._last_s, at_s
        if last is None or empty is None or last.shape != now.shape or backwards:
            self._begins(now, at_s)
            return False
        if _lamp(last, now):
            self._begins(now, at_s)
            self._known_s = at_s + _KNOWN_S if somebody else at_s
        if at_s < max(self._settled_s, self._known_s):
            self._empty = now
            return at_s < self._known_s
        if differ(last, now):
            self._moved_s = at_s
        still_s = at_s - self._moved_s
        if still_s > _STILL_S or not differ(empty, now):
            self._empty = now
            return still_s <= _MOVES_S
        return True

    def _begins(self, now: Blocks, at_s: float) -> None:
        """Nothing is known of what was before."""
        self._empty, self._moved_s, self._known_s = now, float("-inf"), float("-inf")
        self._settled_s = at_s + _SETTLES_S


def _lamp(before: Blocks, now: Blocks) -> bool:
    was, is_now = (float(np.median(one)) + _NOISE for one in (before, now))
    return max(was, is_now) > _LAMP * min(was, is_now)


def _exposure(part: Image) -> Hindrance | None:
    mean = float(cv2.mean(part[::4, ::4])[1])
    if mean < _DARK:
        return Hindrance.TOO_DARK
    return Hindrance.TOO_BRIGHT if mean > _BRIGHT else None
