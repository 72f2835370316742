"""The photograph on a card: cut to the box around the face, at print resolution, nothing else."""

from pathlib import Path

import cv2
import numpy as np

from agent.domain.sight.image import Image
from agent.domain.sight.track import Box
from agent.errors import ImageError, ModelPackError, RefusedError
from agent.vision.face.detect import cascade_of
from agent.vision.stills.images import read_on_white
from agent.vision.stills.reduce import reduced

PHOTO_MM = (22.0, 28.0)
DOTS_PER_INCH = 300
_CASCADE = "haarcascade_frontalface_alt2.xml"
_SEARCHED_PX = 320
_SMALLEST_FACE_PX = 32
_FACE_SHARE = 0.5
"""How much of the box's height the face takes; the cascade's box ends at brow and chin."""
_FACE_MIDDLE = 0.47
_JPEG_QUALITY = 90


def card_photo(file: Path) -> bytes:
    """The photograph in ``file`` as JPEG of ``PHOTO_MM``'s shape, upright and without metadata.

    Raises:
        ImageError: it is no photograph that the agent reads.
    """
    image = read_on_white(file)
    cut = _cut(image, _face(image))
    wanted = tuple(round(side / 25.4 * DOTS_PER_INCH) for side in PHOTO_MM)
    if cut.shape[1] > wanted[0]:
        # Never enlarged: the printer does that better than a larger file.
        cut = np.asarray(cv2.resize(cut, wanted, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ImageError("unreadable_image", f"{file} cannot be made a JPEG")
    return data.tobytes()


def batch_photo(word: object, batch: Path) -> bytes | None:
    """The photograph that a line of ``batch`` names, from the batch's own folder on.

    Raises:
        RefusedError: ``photo``; it names none.
        ImageError: as ``card_photo``.
    """
    if word in (None, ""):
        return None
    if not isinstance(word, str):
        raise RefusedError("photo", "photo is the path of an image")
    return card_photo(batch.parent / word)


def _cut(image: Image, face: Box | None) -> Image:
    """The part of ``image`` that is shown: around ``face``, else around the middle."""
    rows, columns = image.shape[:2]
    shape = PHOTO_MM[0] / PHOTO_MM[1]
    height = min(float(rows), columns / shape)
    middle, top = columns / 2, (rows - height) / 2
    if face is not None:
        height = min(height, face.height / _FACE_SHARE)
        middle, top = face.middle[0], face.middle[1] - _FACE_MIDDLE * height
    width = height * shape
    left = min(max(middle - width / 2, 0.0), columns - width)
    top = min(max(top, 0.0), rows - height)
    x, y = int(left), int(top)
    return image[y : y + max(round(height), 1), x : x + max(round(width), 1)]


def _face(image: Image) -> Box | None:
    """The largest face by OpenCV's own cascade, which needs no pack; None where it sees none."""
    try:
        cascade = cascade_of(_CASCADE)
    except ModelPackError:
        return None
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    small, scale = reduced(grey, _SEARCHED_PX / max(image.shape[:2]))
    smallest = (_SMALLEST_FACE_PX, _SMALLEST_FACE_PX)
    found = cascade.detectMultiScale(small, scaleFactor=1.1, minNeighbors=4, minSize=smallest)
    boxes = [Box(*(round(int(side) / scale) for side in one)) for one in found]
    return max(boxes, key=lambda box: box.area, default=None)
