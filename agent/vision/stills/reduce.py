"""An image made smaller before a detector looks at it."""

import cv2
import numpy as np

from agent.domain.sight.image import Image


def reduced(image: Image, scale: float) -> tuple[Image, float]:
    """``image`` (colour or grey) at ``scale``, and the scale that it has then; never enlarged.

    Whole halvings by area and the rest by bilinear sampling: an eighth of the time of one reduction
    by area, which is fast for whole factors only.
    """
    small, left = image, min(scale, 1.0)
    while left <= 0.5:
        small = np.asarray(cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        left *= 2.0
    if left < 1.0:
        how = cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(small, None, fx=left, fy=left, interpolation=how))
    return small, min(scale, 1.0)
