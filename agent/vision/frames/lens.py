"""What stands on the lens or the camera itself: it repeats one frame, shows nothing, or less.

    trouble    told when                                                            after
    frozen     the same bytes again and again; a living sensor always has noise      5 s
    nothing    hardly any contour anywhere: covered, capped, or dark                 10 s
    soiled     a part of the picture lost its contours and stays as it is, while
               the rest has kept them: a fly, a drop, dirt, breath, a sticker        30 s

``frozen`` is a fault of the camera, for what it shows is not there. The others are told, and deny
nothing: whoever can still be recognised is. A person may stand for long in plain clothes, but
moves; what lies on the lens is far out of focus and does not. What is on the lens from the start is
not seen, nor what is as sharp as the scene behind it, and at night nothing is said of dirt.
"""

import zlib
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import Image

_EVERY_S = 0.5
_FROZEN_S = 5.0
_NOTHING_S = 10.0
_SOILED_S = 30.0
_COLUMNS, _ROWS = 40, 30
_LEAST_CONTOUR = 3.0
"""Grey levels: the standard deviation within a block that is called a contour."""
_NOTHING_CONTOURS = 0.01
"""Of the blocks, below which a picture shows nothing."""
_LOST = 0.35
"""Of its usual contour, below which a block has lost it."""
_STILL = 6.0
"""Grey levels that a block on which something lies may drift by."""
_SMALLEST = 0.01
"""Of the picture: a fly."""
_DARK = 30.0
"""Mean grey value below which nothing is said of dirt."""
_LEARNS = 1.0 / 60.0
"""Of the newest look, in what a block usually shows: with two a second, within half a minute."""
_FORGETS = 1.0 / 7200.0
"""Where it lost its contour: a wall painted, a cupboard moved. Within hours."""
_WARM_UP = 60
"""Looks before anything is usual."""

Grid = npt.NDArray[np.float32]


class LensTrouble(StrEnum):
    """What is wrong with a camera's picture; its sense is the table above."""

    FROZEN = "frozen"
    NOTHING = "nothing"
    SOILED = "soiled"


class LensWatch:
    """Looks at two frames a second; owned by one thread."""

    def __init__(self) -> None:
        self._looked_s = float("-inf")
        self._trouble: LensTrouble | None = None
        self._digest: int | None = None
        self._same_since_s = 0.0
        self._nothing_since_s: float | None = None
        self._looks = 0
        self._usual: Grid = np.zeros((0, 0), dtype=np.float32)
        self._held: Grid = np.zeros((0, 0), dtype=np.float32)
        self._since_s: npt.NDArray[np.float64] = np.zeros((0, 0), dtype=np.float64)

    def look(self, image: Image, captured_s: float) -> LensTrouble | None:
        """What is wrong by now; the last word stands between two looks.

        A frame of another size, or one whose time runs backwards, begins the scene anew.
        """
        since_s = captured_s - self._looked_s
        if 0.0 <= since_s < _EVERY_S:
            return self._trouble
        if not since_s >= 0.0:
            self._usual = np.zeros((0, 0), dtype=np.float32)
            self._nothing_since_s, self._digest = None, None
        self._looked_s = captured_s
        self._trouble = self._looked(image, captured_s)
        return self._trouble

    def _looked(self, image: Image, captured_s: float) -> LensTrouble | None:
        digest = zlib.crc32(np.ascontiguousarray(image).data)
        if digest != self._digest:
            self._digest, self._same_since_s = digest, captured_s
        elif captured_s - self._same_since_s >= _FROZEN_S:
            return LensTrouble.FROZEN
        mean, contour = _grids(image)
        if (contour > _LEAST_CONTOUR).mean() >= _NOTHING_CONTOURS:
            self._nothing_since_s = None
        elif self._nothing_since_s is None:
            self._nothing_since_s = captured_s
        elif captured_s - self._nothing_since_s >= _NOTHING_S:
            return LensTrouble.NOTHING
        if self._nothing_since_s is not None or float(mean.mean()) < _DARK:
            return None
        return LensTrouble.SOILED if self._soiled(mean, contour, captured_s) else None

    def _soiled(self, mean: Grid, contour: Grid, captured_s: float) -> bool:
        """Whether one patch of the picture has lost its contours for long enough."""
        if self._usual.shape != contour.shape:
            self._looks = 0
            self._usual, self._held = contour.copy(), mean.copy()
            self._since_s = np.full(contour.shape, captured_s, dtype=np.float64)
        had = self._usual > _LEAST_CONTOUR / _LOST
        lost = had & (contour < _LOST * self._usual) & (self._looks >= _WARM_UP)
        still = np.abs(mean - self._held) <= _STILL
        anew = ~(lost & still)
        self._held[anew], self._since_s[anew] = mean[anew], captured_s
        self._looks += 1
        pace = np.where(lost, _FORGETS, _LEARNS if self._looks > _WARM_UP else 1.0 / self._looks)
        self._usual += (pace * (contour - self._usual)).astype(np.float32)
        gone = (captured_s - self._since_s >= _SOILED_S) & ~anew
        return _largest_patch(gone) >= _SMALLEST * had.size


def _grids(image: Image) -> tuple[Grid, Grid]:
    """Mean and standard deviation of each block's grey values, the noise of single pixels smoothed.

    A picture is halved until it is some 320 wide: contours of less than that are a sensor's noise.
    """
    grey = cv2.resize(image, (_COLUMNS * 8, _ROWS * 8), interpolation=cv2.INTER_AREA)
    plane = cv2.cvtColor(grey, cv2.COLOR_BGR2GRAY).astype(np.float32)
    tiles = plane.reshape(_ROWS, 8, _COLUMNS, 8)
    return (
        tiles.mean(axis=(1, 3), dtype=np.float32),
        tiles.std(axis=(1, 3), dtype=np.float32),
    )


def _largest_patch(blocks: npt.NDArray[np.bool_]) -> int:
    """Blocks of the largest patch that hangs together."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(blocks.astype(np.uint8), connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
