"""What an attack detection model sees of an image: the face and what is about it.

A picture of a face gives itself away by its edges, by the hand that holds it and by its screen's
pattern, so each model sees a larger part than the face, as its training did.
"""

import cv2
import numpy as np

from agent.domain.sight.image import Image
from agent.vision.packs.pad_manifest import PadCrop
from agent.vision.pad.face_box import FloatBox

_RESIZE = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}


def crop(image: Image, box: FloatBox, how: PadCrop, width_px: int, height_px: int) -> Image:
    """The part of ``image`` about ``box`` as ``how`` says, ``width_px`` x ``height_px``."""
    part = _clamped(image, box, how) if how.border == "clamp" else _reflected(image, box, how)
    resized = cv2.resize(part, (width_px, height_px), interpolation=_RESIZE[how.resize])
    return np.asarray(resized, dtype=np.uint8)


def _sides(box: FloatBox, how: PadCrop) -> tuple[float, float]:
    _, _, width, height = box
    if how.shape == "square":
        width = height = max(width, height)
    return max(width, 1.0), max(height, 1.0)


def _clamped(image: Image, box: FloatBox, how: PadCrop) -> Image:
    """Smaller where the image is, and moved until it lies within."""
    height_px, width_px = image.shape[:2]
    width, height = _sides(box, how)
    scale = min(how.scale, (height_px - 1) / height, (width_px - 1) / width)
    width, height = width * scale, height * scale
    left = box[0] + box[2] / 2 - width / 2
    top = box[1] + box[3] / 2 - height / 2
    left = min(max(left, 0.0), max(width_px - 1 - width, 0.0))
    top = min(max(top, 0.0), max(height_px - 1 - height, 0.0))
    # The last pixel counts too, as in the models' own preparation.
    return image[int(top) : int(top + height) + 1, int(left) : int(left + width) + 1]


def _reflected(image: Image, box: FloatBox, how: PadCrop) -> Image:
    """Beyond the image's border what lies within it, mirrored."""
    height_px, width_px = image.shape[:2]
    across, down = (side * how.scale for side in _sides(box, how))
    width, height = max(int(across), 1), max(int(down), 1)
    left = int(box[0] + box[2] / 2 - across / 2)
    top = int(box[1] + box[3] / 2 - down / 2)
    right, bottom = left + width, top + height
    part = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if not part.size:
        return np.zeros((height, width, 3), dtype=np.uint8)
    above, below = max(-top, 0), max(bottom - height_px, 0)
    before, after = max(-left, 0), max(right - width_px, 0)
    if not (above or below or before or after):
        return part
    wide = cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_REFLECT_101)
    return np.asarray(wide, dtype=np.uint8)
