"""Reads the symbols of an image: a still one with patience, a camera's frames within their time.

    still    zxing-cpp, then zbar, then each colour by itself, then costlier passes until something
             is found or time is up
    live     QR codes in every frame; all formats in every second; one costlier pass where the time
             that was saved allows it, and never in two frames in a row; in every fourth frame
             where nothing is read, where a QR code lies that cannot be

zbar's text never stands where zxing-cpp has one for the same symbol: it garbles some.
"""

import time
from collections.abc import Iterable

import cv2
import numpy as np

from agent.domain.foreign.boundary import read_or
from agent.domain.sight.image import Image
from agent.domain.sight.symbol import Symbol
from agent.domain.sight.track import Box
from agent.vision.symbols.symbol_passes import (
    COSTLY,
    DEFAULT,
    QUICK,
    ZBAR,
    Found,
    Grey,
    Pass,
    sharpen,
    zxing_unread,
)

STILL_BUDGET_S = 4.0
_LEAST_PX = 11
"""The smallest symbol, a Micro QR code M1, has so many modules a side."""
_SAME_PLACE = 0.1
_FOR_THE_REST = 6
"""So many costlier passes look for a symbol beside those that were read."""
_EXTRA = 0.35
"""Of the time of zxing-cpp at its defaults, what a frame may cost more on the average."""
_FIRST_GUESS_MS = 5.0
_UNREAD_EVERY = 4


def read_symbols(image: Image | Grey, budget_s: float = STILL_BUDGET_S) -> list[Symbol]:
    """Every symbol of a still image; empty where there is none.

    The costlier passes run only where the first two found nothing, or where zxing-cpp saw a symbol
    that it could not read; they end after ``budget_s``.
    """
    start_s = time.perf_counter()
    grey = grey_of(image)
    found: list[Symbol] = []
    if min(grey.shape) < _LEAST_PX:
        return found
    for way in (DEFAULT, ZBAR):
        _merge(found, way(grey), way, start_s)
    if not found and image.ndim == 3:
        _read_colours(found, image, start_s)
    unread = [box for box in zxing_unread(grey) if not _read_at(found, box)]
    for number, way in enumerate(COSTLY):
        if found and (not unread or number >= _FOR_THE_REST):
            break
        if time.perf_counter() - start_s > budget_s:
            break
        _merge(found, way(grey), way, start_s)
        unread = [box for box in unread if not _read_at(found, box)]
    return found


def _read_colours(found: list[Symbol], image: Image, start_s: float) -> None:
    """What brightness does not show: red on green, or blue on black."""
    for channel, name in enumerate(("blue", "green", "red")):
        plane = np.ascontiguousarray(image[:, :, channel])
        for way in (DEFAULT, ZBAR):
            named = Pass(f"{way.name}+{name}", way.read)
            _merge(found, named(plane), named, start_s)
        if found:
            return


def grey_of(image: Image | Grey) -> Grey:
    """Brightness, 8 bits: height x width."""
    if image.ndim == 2:
        return np.ascontiguousarray(image, dtype=np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


class SymbolWatch:
    """Looks at one camera's frames in order; owned by one thread."""

    def __init__(self) -> None:
        self._frame = 0
        self._next = 0
        self._credit_ms = 0.0
        self._default_ms = _FIRST_GUESS_MS
        self._cost_ms: dict[str, float] = {}
        self._rest = True
        self._unread: list[Box] = []

    @property
    def unread(self) -> list[Box]:
        """Where the last frame showed a QR code that could not be read; not every frame is asked.

        Of 488 views of 122 photographs without a code none shows any; of codes that blur keeps from
        being read, sharpened, 44 in 45 do as far as the finder patterns can be told at all.
        """
        return self._unread

    def look(self, image: Image | Grey) -> list[Symbol]:
        """The symbols of one frame; most frames of a camera hold none."""
        start_s = time.perf_counter()
        grey = grey_of(image)
        found: list[Symbol] = []
        self._unread = []
        if min(grey.shape) < _LEAST_PX:
            return found
        self._frame += 1
        full = self._frame % 2 == 0
        way = DEFAULT if full else QUICK
        _merge(found, way(grey), way, start_s)
        spent_ms = (time.perf_counter() - start_s) * 1000.0
        if full:
            self._default_ms += 0.2 * (spent_ms - self._default_ms)
        # What a frame may cost, less what it did; saved up for a costlier pass, but not for ever.
        self._credit_ms += (1.0 + _EXTRA) * self._default_ms - spent_ms
        if found:
            self._rest = True
            return found
        found = self._costlier(grey, start_s)
        if not found and self._frame % _UNREAD_EVERY == 1:
            self._look_unread(grey)
        return found

    def _look_unread(self, grey: Grey) -> None:
        """As it is, and sharpened, in turn: blur hides the finder patterns too."""
        began_s = time.perf_counter()
        sharp = self._frame % (2 * _UNREAD_EVERY) == 1
        self._unread = read_or(
            "zxing+unread", [], lambda: zxing_unread(sharpen(grey) if sharp else grey)
        )
        self._credit_ms -= (time.perf_counter() - began_s) * 1000.0

    def _costlier(self, grey: Grey, start_s: float) -> list[Symbol]:
        way = _LIVE[self._next % len(_LIVE)]
        cost_ms = self._cost_ms.get(way.name, 0.0)
        rested, self._rest = self._rest, True
        self._credit_ms = min(self._credit_ms, max(cost_ms, 2.0 * self._default_ms))
        if not rested or self._credit_ms < cost_ms:
            return []
        self._rest = False
        self._next += 1
        found: list[Symbol] = []
        began_s = time.perf_counter()
        _merge(found, way(grey), way, start_s)
        took_ms = (time.perf_counter() - began_s) * 1000.0
        self._cost_ms[way.name] = took_ms
        self._credit_ms -= took_ms
        return found


_LIVE: tuple[Pass, ...] = (*COSTLY[:6], ZBAR, COSTLY[8])


def _read_at(found: Iterable[Symbol], box: Box) -> bool:
    return any(seen.box.overlap(box) >= _SAME_PLACE for seen in found)


def _merge(known: list[Symbol], found: Iterable[Found], way: Pass, start_s: float) -> None:
    """Add what lies where nothing was read yet: the first word about a place stands."""
    ms = (time.perf_counter() - start_s) * 1000.0
    for one in found:
        if not _read_at(known, one.box):
            known.append(Symbol(one.format, one.content, one.text, way.name, ms, one.box))
