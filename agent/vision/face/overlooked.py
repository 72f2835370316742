"""People whom the cascade of a frontal face cannot see: from the side, or with a covered mouth.

A cascade knows whole frontal faces and nothing else; a network (YuNet) finds these too, and its
landmarks tell what is wrong. So where a pack looks by a cascade, two others are asked now and then:

    a profile                                         turned
    two eyes beside each other, and no face around    covered

It grants nothing and is only a hint; a hat, dark glasses or a head bent far down stay unseen.
"""

import cv2
import numpy as np

from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.image import Image
from agent.vision.face.detect import cascade_of

_STEPS = 1.2
_NEIGHBOURS = 3
_LEAST_PROFILE_PX = 20
_EYE_OF_FACE = 0.25
"""The width of an eye's box in that of a face's."""
_EYE_PX = 20
"""As wide as the cascade knows an eye."""
_APART = (0.9, 3.0)
"""From eye to eye, in widths of an eye."""
_ALIKE = 1.6
_LEVEL = 0.5
"""Of the way across, that one eye may stand above the other: a head leaned by some 25 degrees."""


class Overlooked:
    """Two cascades of the installed OpenCV; not safe for two threads at once."""

    def __init__(self) -> None:
        """Load them.

        Raises:
            ModelPackError: this OpenCV has no such cascade.
        """
        self._profile = cascade_of("haarcascade_profileface.xml")
        self._eyes = cascade_of("haarcascade_eye.xml")

    def look(self, part: Image, smallest_face_px: int) -> Hindrance | None:
        """What somebody in this ``part`` of a frame suffers from; None where nobody is seen."""
        grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        by_eyes = _reduced(grey, _EYE_PX / (_EYE_OF_FACE * smallest_face_px))
        found = self._eyes.detectMultiScale(
            by_eyes, scaleFactor=_STEPS, minNeighbors=_NEIGHBOURS, minSize=(_EYE_PX, _EYE_PX)
        )
        boxes = [tuple(float(v) for v in box) for box in np.reshape(found, (-1, 4))]
        if any(_pair(one, other) for i, one in enumerate(boxes) for other in boxes[:i]):
            return Hindrance.COVERED
        small = _reduced(grey, 1.5 * _LEAST_PROFILE_PX / smallest_face_px)
        for view in (small, np.ascontiguousarray(small[:, ::-1])):
            least = (_LEAST_PROFILE_PX, _LEAST_PROFILE_PX)
            if len(self._profile.detectMultiScale(view, _STEPS, _NEIGHBOURS, 0, least)):
                return Hindrance.TURNED
        return None


def _pair(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (x, y, width, height) lie as two eyes do."""
    width = max(one[2], other[2])
    if width > _ALIKE * min(one[2], other[2]):
        return False
    across = abs((one[0] + one[2] / 2) - (other[0] + other[2] / 2))
    down = abs((one[1] + one[3] / 2) - (other[1] + other[3] / 2))
    return _APART[0] * width <= across <= _APART[1] * width and down <= _LEVEL * across


def _reduced(grey: Image, scale: float) -> Image:
    if scale >= 1.0:
        return grey
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
