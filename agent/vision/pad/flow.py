"""Points on a face, found again from frame to frame: Lucas and Kanade's optical flow.

J.-Y. Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker", 2000, as OpenCV has
it; a point that does not come back to where it began when it is followed backwards is left out.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.sight.image import Image
from agent.domain.sight.liveness import LEAST_POINTS, liveness
from agent.domain.sight.track import Box

_MOST_POINTS = 40
_MOST_FRAMES = 24
_LONGEST_S = 2.0
_GAP_S = 0.3
_FACE_PX = 160.0
"""A larger face is made so small first, so that its size costs nothing."""
_AROUND = 0.15
_LOST_PX = 0.5

Grey = NDArray[np.uint8]
Places = NDArray[np.float32]


class FaceFlow:
    """One presentation at a time; owned by the watcher's thread."""

    def __init__(self) -> None:
        self._track: int | None = None
        self._image: Image | None = None
        self._box = Box(0, 0, 0, 0)
        self._times: list[float] = []
        self._places: list[Places] = []

    def see(self, track: int | None, image: Image, box: Box, captured_s: float) -> None:
        """The next frame of a presentation; another one, a gap or too few points begin anew."""
        before, old = self._image, self._box
        same = track is not None and track == self._track and before is not None
        if not same or before is None or before.shape != image.shape:
            self._begin(track, image, box, captured_s)
            return
        if not 0.0 < captured_s - self._times[-1] <= _GAP_S:
            self._begin(track, image, box, captured_s)
            return
        found = _followed(before, image, _together(old, box), old.width, self._places[-1])
        places, kept = found
        if kept.sum() < LEAST_POINTS:
            self._begin(track, image, box, captured_s)
            return
        self._places = [one[kept] for one in self._places] + [places[kept]]
        self._times.append(captured_s)
        self._image, self._box = image, box
        while len(self._times) > _MOST_FRAMES or captured_s - self._times[0] > _LONGEST_S:
            del self._times[0], self._places[0]

    def liveness(self) -> float | None:
        """``domain.sight.liveness`` of what was seen so far."""
        if not self._places:
            return None
        points = np.stack(self._places).astype(np.float64)
        return liveness(self._times, points, float(self._box.width))

    def _begin(self, track: int | None, image: Image, box: Box, captured_s: float) -> None:
        self._track, self._image, self._box = track, image, box
        self._times, self._places = [captured_s], [_points(image, box)]


def _points(image: Image, box: Box) -> Places:
    """Places in the face that can be told from what is beside them."""
    face = Box(
        round(box.x + 0.12 * box.width),
        round(box.y + 0.15 * box.height),
        round(0.76 * box.width),
        round(0.77 * box.height),
    )
    grey, scale, left, top = _part(image, face, box.width)
    if grey.size == 0:
        return np.empty((0, 2), dtype=np.float32)
    apart_px = max(min(box.width, _FACE_PX) / 16.0, 3.0)
    found: Any = cv2.goodFeaturesToTrack(grey, _MOST_POINTS, 0.01, apart_px)
    if found is None:
        return np.empty((0, 2), dtype=np.float32)
    return _in_image(found, scale, left, top)


def _followed(
    before: Image, image: Image, where: Box, face_px: int, places: Places
) -> tuple[Places, NDArray[np.bool_]]:
    """Where the points are now, and which of them are surely the same."""
    if not len(places):
        return places, np.zeros(0, dtype=np.bool_)
    old, scale, left, top = _part(before, where, face_px)
    new, _, _, _ = _part(image, where, face_px)
    if min(old.shape, default=0) < 16:
        return places, np.zeros(len(places), dtype=np.bool_)
    start = ((places - np.array([left, top], np.float32)) * scale).reshape(-1, 1, 2)
    start = start.astype(np.float32)
    flow: Any = cv2.calcOpticalFlowPyrLK
    moved, found, _ = flow(old, new, start, None, winSize=(15, 15), maxLevel=2)
    back, again, _ = flow(new, old, moved, None, winSize=(15, 15), maxLevel=2)
    apart = np.abs(back - start).max(axis=(1, 2))
    kept = (found[:, 0] > 0) & (again[:, 0] > 0) & (apart < _LOST_PX)
    return _in_image(moved, scale, left, top), np.asarray(kept, dtype=np.bool_)


def _in_image(places: NDArray[np.float32], scale: float, left: int, top: int) -> Places:
    moved = places.reshape(-1, 2) / scale + np.array([left, top])
    return np.asarray(moved, dtype=np.float32)


def _together(one: Box, other: Box) -> Box:
    """Both, and something around."""
    spare = round(_AROUND * max(one.width, other.width))
    left, top = min(one.x, other.x) - spare, min(one.y, other.y) - spare
    right = max(one.x + one.width, other.x + other.width) + spare
    bottom = max(one.y + one.height, other.y + other.height) + spare
    return Box(left, top, right - left, bottom - top)


def _part(image: Image, box: Box, face_px: int) -> tuple[Grey, float, int, int]:
    """The grey part in ``box``, its scale, and where its corner lies in the image."""
    left, top = max(box.x, 0), max(box.y, 0)
    part = image[top : max(box.y + box.height, 0), left : max(box.x + box.width, 0)]
    if part.size == 0:
        return np.empty((0, 0), dtype=np.uint8), 1.0, left, top
    scale = min(1.0, _FACE_PX / max(face_px, 1))
    if scale < 1.0:
        side = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
        part = np.asarray(cv2.resize(part, side, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), dtype=np.uint8), scale, left, top
