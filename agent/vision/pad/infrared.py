"""Whether the infrared camera beside this one sees a face where this one does.

In the near infrared (850 nm, with a lamp of its own) skin is bright and eyes are dark. A screen
sends nothing there and is dark and even; ink-jet ink is clear to it, so that a print is blank
paper; toner and photographs on silver paper show a face, and a mask may. So the value is

    a detector finds a face where it should be             1
    else bright, uneven, eyes darker than the cheeks       0.6
    else                                                   0

The place is found by a calibration (``[camera.aim]``): the infrared picture's part that belongs to
a place of the visible one, in fractions of either. No infrared camera was measured: simulated only.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agent.domain.sight.image import DetectedFace, Frame, Image
from agent.domain.sight.track import Box

LATEST_S = 0.25
"""Between both frames; people move by a third of a face in that time at most."""
_AROUND = 0.6
_SIDE_PX = 160
_BRIGHT, _UNEVEN = 60.0, 10.0
_DARKER = 0.88
_LEAST_SHARE = 0.2
_LEAST_FACE = 0.4

Detect = Callable[[Image, int], Sequence[DetectedFace]]


@dataclass(frozen=True, slots=True)
class Aim:
    """Where the infrared camera looks, beside the visible one.

    A place at ``x`` (a fraction of the visible frame) lies at ``offset_x + scale * x`` of the
    infrared one; likewise downwards.
    """

    offset_x: float = 0.0
    offset_y: float = 0.0
    scale: float = 1.0


class InfraredEye:
    """The newest infrared frame; put by its camera's thread, looked at by the other's watcher."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._lock = threading.Lock()
        self._frame: Frame | None = None

    def put(self, frame: Frame) -> None:
        """A new one."""
        with self._lock:
            self._frame = frame

    def close(self) -> None:
        """Its camera has come to an end."""
        with self._lock:
            self._frame = None

    def score(self, shape: tuple[int, ...], face: Box, at_s: float, detect: Detect) -> float | None:
        """0 to 1 for the ``face`` of a visible frame of ``shape``, captured at ``at_s``.

        None where no infrared frame is as new, or the face lies beside it.
        """
        with self._lock:
            frame = self._frame
        if frame is None or not abs(at_s - frame.captured_s) <= LATEST_S:
            return None
        place = self._place(shape, face, frame.image.shape)
        return infrared_score(frame.image, place, detect)

    def _place(self, shape: tuple[int, ...], face: Box, infrared: tuple[int, ...]) -> Box:
        height, width = shape[:2]
        rows, columns = infrared[:2]
        aim = self._aim
        return Box(
            round((aim.offset_x + aim.scale * face.x / width) * columns),
            round((aim.offset_y + aim.scale * face.y / height) * rows),
            max(round(aim.scale * face.width / width * columns), 1),
            max(round(aim.scale * face.height / height * rows), 1),
        )


def infrared_score(image: Image, place: Box, detect: Detect) -> float | None:
    """What ``image`` shows at ``place``, where a face should be; None where that lies beside it."""
    inside = _within(image, place)
    if inside.shape[0] * inside.shape[1] < 0.5 * place.area or min(inside.shape[:2]) < 16:
        return None
    spare = round(_AROUND * max(place.width, place.height))
    left, top = max(place.x - spare, 0), max(place.y - spare, 0)
    wide = Box(
        left,
        top,
        place.x + place.width + spare - left,
        place.y + place.height + spare - top,
    )
    part = _within(image, wide)
    scale = min(1.0, _SIDE_PX / max(place.width, 1))
    if scale < 1.0:
        size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    wanted = Box(
        round((place.x - left) * scale),
        round((place.y - top) * scale),
        round(place.width * scale),
        round(place.height * scale),
    )
    least_px = max(round(_LEAST_FACE * wanted.width), 16)
    found = detect(np.ascontiguousarray(part), least_px)
    if any(wanted.overlap(face.box) >= _LEAST_SHARE for face in found):
        return 1.0
    return 0.6 if _like_skin(inside) else 0.0


def _within(image: Image, box: Box) -> Image:
    return image[
        max(box.y, 0) : max(box.y + box.height, 0), max(box.x, 0) : max(box.x + box.width, 0)
    ]


def _like_skin(face: Image) -> bool:
    """Bright in the middle, not even, and with a band of eyes that is darker than the cheeks."""
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY).astype(np.float32)
    height, width = grey.shape
    middle = grey[:, width // 5 : width - width // 5]
    eyes = float(middle[round(0.28 * height) : round(0.46 * height)].mean())
    cheeks = float(middle[round(0.5 * height) : round(0.7 * height)].mean())
    uneven = float(cv2.GaussianBlur(middle, (0, 0), max(width / 40.0, 0.8)).std())
    return cheeks >= _BRIGHT and uneven >= _UNEVEN and eyes <= _DARKER * cheeks
