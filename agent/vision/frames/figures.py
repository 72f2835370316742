"""A picture in figures, for whoever looks a camera over: light, contours, focus, colours.

blur      how much of the contours is left where the picture is blurred once more: what is sharp
loses most of them. Public photographs have 0.34 to 0.50; out of focus by a hundredth
of their width they have 0.6 and more, whatever they show
blue      blue by red, within a face: living skin of every shade reflects more red than blue, so
much more than 1 is a camera whose colours are swapped, or blue light
"""

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from agent.domain.sight.image import Image
from agent.domain.sight.track import Box
from agent.vision.face.zone import Zone
from agent.vision.frames.lens import LEAST_CONTOUR, grids

_WIDTH_PX = 320
_AGAIN = 9
"""Pixels of the second blur."""
_MIDDLE = 0.25
"""Of a face's box at each side, left away: hair, a collar, the wall."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Brightness in grey levels of 255; contours, those of the zone and blur as shares of 1.

    ``digest`` tells two frames apart that differ in one bit; ``blue`` is None without a face.
    """

    width: int
    height: int
    brightness: float
    contours: float
    zone_contours: float
    blur: float
    digest: int
    blue: float | None = None


def figures_of(image: Image, zone: Zone, face: Box | None = None) -> Figures:
    """The figures of one frame; ``face`` is the box of one that was found in it."""
    mean, contour = grids(image)
    seen = contour > LEAST_CONTOUR
    rows, columns = seen.shape
    top, left = int(zone.y * rows), int(zone.x * columns)
    height, width = max(round(zone.height * rows), 1), max(round(zone.width * columns), 1)
    return Figures(
        image.shape[1],
        image.shape[0],
        brightness=float(mean.mean()),
        contours=float(seen.mean()),
        zone_contours=float(seen[top : top + height, left : left + width].mean()),
        blur=_blur(image),
        digest=zlib.crc32(np.ascontiguousarray(image).data),
        blue=None if face is None else _blue(image, face),
    )


def _blur(image: Image) -> float:
    """After Crete and others, "The blur effect" (2007); small and without specks of noise."""
    high, wide = image.shape[:2]
    size = (_WIDTH_PX, max(round(high * _WIDTH_PX / wide), _AGAIN))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    plane = cv2.medianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 3).astype(np.float32)
    left = 0.0
    for axis, kernel in ((1, (_AGAIN, 1)), (0, (1, _AGAIN))):
        before = np.abs(np.diff(plane, axis=axis))
        after = np.abs(np.diff(cv2.blur(plane, kernel), axis=axis))
        whole = float(before.sum())
        lost = float(np.maximum(before - after, 0.0).sum())
        left = max(left, 1.0 - lost / whole if whole else 1.0)
    return left


def _blue(image: Image, face: Box) -> float | None:
    aside, down = round(face.width * _MIDDLE), round(face.height * _MIDDLE)
    part = image[
        max(face.y + down, 0) : max(face.y + face.height - down, 0),
        max(face.x + aside, 0) : max(face.x + face.width - aside, 0),
    ]
    if not part.size:
        return None
    blue, _, red = part.reshape(-1, 3).mean(axis=0)
    return float(blue / max(red, 1.0))
