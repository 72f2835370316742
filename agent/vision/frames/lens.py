"""What stands on the lens or the camera itself: it repeats one frame, shows nothing, or less.

    trouble    told when                                                            after
    frozen     the same bytes again and again; a living sensor always has noise      5 s
    nothing    hardly any contour anywhere: covered, capped, or dark                 10 s
    soiled     half of what had contours has none (breath, grease), or a patch
               became dark, with a soft rim (a fly, dirt, a sticker), and stays so   30 s

``frozen`` is a fault of the camera, for what it shows is not there. The others are told, and deny
nothing: whoever can still be recognised is. A person may stand for long in plain clothes, but
moves; what lies on the lens does not, and is far out of focus, so that its rim is soft where a van
that parks has a sharp one. What is on the lens from the start is not seen, nor what is bright and
lies before a plain wall, and at night nothing is said of dirt.
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
LEAST_CONTOUR = 3.0
"""Grey levels: the standard deviation within a block that is called a contour."""
_NOTHING_CONTOURS = 0.01
"""Of the blocks, below which a picture shows nothing."""
_LOST = 0.35
"""Of its usual contour, below which a block has lost it."""
_DARKER, _DARKEST = 0.5, 70.0
"""Of its usual grey value, and in grey levels: below both a block became dark."""
_SHADE = 0.04
"""Of the change within a patch, that reaches two blocks beyond it where it is soft."""
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
Mask = npt.NDArray[np.bool_]


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
        self._shape: tuple[int, ...] = ()
        self._digest: int | None = None
        self._same_since_s = 0.0
        self._nothing_since_s: float | None = None
        self._looks = 0
        self._usual: Grid = np.zeros((0, 0), dtype=np.float32)
        self._usual_mean: Grid = np.zeros((0, 0), dtype=np.float32)
        self._held: Grid = np.zeros((0, 0), dtype=np.float32)
        self._since_s: npt.NDArray[np.float64] = np.zeros((0, 0), dtype=np.float64)

    def look(self, image: Image, captured_s: float) -> LensTrouble | None:
        """What is wrong by now; the last word stands between two looks.

        A frame of another size, or one whose time runs backwards, begins the scene anew.
        """
        since_s = captured_s - self._looked_s
        if 0.0 <= since_s < _EVERY_S:
            return self._trouble
        if image.shape != self._shape or not since_s >= 0.0:
            self._shape = image.shape
            self._looks = 0
            self._nothing_since_s, self._digest = None, None
        self._looked_s = captured_s
        self._trouble = self._looked(image, captured_s)
        return self._trouble

    def _looked(self, image: Image, captured_s: float) -> LensTrouble | None:
        mean, contour = grids(image)
        digest = zlib.crc32(np.ascontiguousarray(image).data)
        if digest != self._digest:
            self._digest, self._same_since_s = digest, captured_s
        if (contour > LEAST_CONTOUR).mean() < _NOTHING_CONTOURS:
            # Also where it is black to the pixel: a sensor shows no noise below its darkest value.
            if self._nothing_since_s is None:
                self._nothing_since_s = captured_s
            told = captured_s - self._nothing_since_s >= _NOTHING_S
            return LensTrouble.NOTHING if told else None
        self._nothing_since_s = None
        if captured_s - self._same_since_s >= _FROZEN_S:
            return LensTrouble.FROZEN
        if float(mean.mean()) < _DARK:
            return None
        return LensTrouble.SOILED if self._soiled(mean, contour, captured_s) else None

    def _soiled(self, mean: Grid, contour: Grid, captured_s: float) -> bool:
        """Whether one patch of the picture is covered, and has been for long enough."""
        if self._looks == 0:
            self._usual, self._usual_mean, self._held = contour.copy(), mean.copy(), mean.copy()
            self._since_s = np.full(contour.shape, captured_s, dtype=np.float64)
        learnt = self._looks >= _WARM_UP
        had = self._usual > LEAST_CONTOUR / _LOST
        lost = had & (contour < _LOST * self._usual) & learnt
        dark = (mean < _DARKER * self._usual_mean) & (mean < _DARKEST) & learnt
        anew = ~((lost | dark) & (np.abs(mean - self._held) <= _STILL))
        self._held[anew], self._since_s[anew] = mean[anew], captured_s
        self._looks += 1
        known = _LEARNS if learnt else 1.0 / self._looks
        pace = np.where(lost | dark, _FORGETS, known).astype(np.float32)
        change = self._usual_mean - mean
        self._usual += pace * (contour - self._usual)
        self._usual_mean -= pace * change
        long = ~anew & (captured_s - self._since_s >= _SOILED_S)
        if (lost & long).sum() > 0.5 * had.sum():
            return True
        patches = _patches(dark & long, round(_SMALLEST * long.size))
        return any(_soft_rim(patch, change) for patch in patches)


def grids(image: Image) -> tuple[Grid, Grid]:
    """Mean and standard deviation of each block's grey values.

    Of a picture reduced to blocks of four by four: finer contours are a sensor's noise.
    """
    small = cv2.resize(image, (_COLUMNS * 4, _ROWS * 4), interpolation=cv2.INTER_AREA)
    plane = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    tiles = plane.reshape(_ROWS, 4, _COLUMNS, 4)
    mean = tiles.mean(axis=(1, 3), dtype=np.float32)
    spread = (tiles * tiles).mean(axis=(1, 3), dtype=np.float32) - mean * mean
    return mean, np.sqrt(np.maximum(spread, 0.0))


def _patches(blocks: Mask, smallest: int) -> list[Mask]:
    """The patches of blocks that hang together, of at least so many."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(blocks.astype(np.uint8))
    large = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= smallest]
    return [labels == label for label in large]


def _soft_rim(patch: Mask, change: Grid) -> bool:
    """Whether what became dark there is out of focus: its shade reaches beyond its rim."""
    beyond = _grown(patch, 2) & ~_grown(patch, 1)
    if not beyond.any():
        return False
    light = float(np.median(change))
    shade, depth = (float(np.median(change[place])) - light for place in (beyond, patch))
    return shade > _SHADE * depth


def _grown(patch: Mask, blocks: int) -> Mask:
    kernel = np.ones((2 * blocks + 1, 2 * blocks + 1), np.uint8)
    return np.asarray(cv2.dilate(patch.astype(np.uint8), kernel)) > 0
