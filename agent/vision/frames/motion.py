"""Whether anything moved before a camera, cheaply: most of a day nobody stands there.

A part of one channel's pixels, averaged in sixty rows of blocks, is compared with the same of the
frame that was looked at last. What all blocks share is
light, and left out; what they differ by in the middle is the sensor's noise. A change counts where
three by three blocks together differ by clearly more than both.

Because the picture compared with is that of the last look, which is never older than
``at_latest_s``, slow light (clouds, dusk, a camera that adjusts) has no time to add up.
"""

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import Image

Blocks = npt.NDArray[np.float32]
"""Mean grey values of a frame's blocks, rows x columns."""

AT_LATEST_S = 0.5
"""A frame is looked at after so long at the latest, however still it is."""
_ROWS = 60
_SAMPLES = 4
"""Rows of pixels that a block's mean is taken of."""
_LEAST_CHANGE = 1.5
"""Grey levels, over three by three blocks. A face that comes near differs by tens."""
_TIMES_NOISE = 8.0
"""Compressed films have noise that neighbours share, so more than for a sensor's own."""
_LOUDEST = 3.0
"""Grey levels: what is told as a block's noise at most, or a crowd would pass for it."""


def blocks(image: Image) -> Blocks:
    """The frame's mean grey values by block, some sixty rows of them."""
    height, width = image.shape[:2]
    step = max(height // (_SAMPLES * _ROWS), 1)
    thinned = np.ascontiguousarray(image[::step, ::step, 1])
    size = (max(round(_ROWS * width / height), 1), _ROWS)
    if thinned.shape[0] > _ROWS:
        thinned = np.asarray(cv2.resize(thinned, size, interpolation=cv2.INTER_AREA))
    return thinned.astype(np.float32)


def differ(before: Blocks, now: Blocks) -> bool:
    """Whether something moved between two pictures of one size."""
    difference = now - before
    difference -= np.median(difference)
    noise = min(1.4826 * float(np.median(np.abs(difference))), _LOUDEST)
    together = cv2.blur(difference, (3, 3))
    # The mean of nine has a third of the noise; light that is not quite even adds to it.
    least = max(_LEAST_CHANGE, _TIMES_NOISE * noise / 3.0)
    return bool(np.abs(together).max() > least)


class MotionGate:
    """Says which frames deserve a full look; owned by one thread."""

    def __init__(self, at_latest_s: float = AT_LATEST_S) -> None:
        self._at_latest_s = at_latest_s
        self._looked_at: Blocks | None = None
        self._looked_s = float("-inf")
        self.moved_s = float("-inf")
        """When something moved last, on the frames' clock."""

    def wants(self, image: Image, captured_s: float, *, followed: bool) -> bool:
        """Whether this frame is looked at; who is ``followed`` is looked at in every frame.

        Also where the size changed, or where time ran backwards: nothing is known then.
        """
        now, before = blocks(image), self._looked_at
        same = before is not None and before.shape == now.shape
        moved = before is None or not same or differ(before, now)
        if moved:
            self.moved_s = captured_s
        still_s = captured_s - self._looked_s
        # A hair early rather than late: frames come at their own times.
        if moved or followed or not 0.0 <= still_s < 0.9 * self._at_latest_s:
            self._looked_at, self._looked_s = now, captured_s
            return True
        return False
