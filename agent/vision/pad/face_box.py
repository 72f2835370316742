"""The face's box as attack detection crops by, the same whichever detector found the face.

The models were trained on the boxes of RetinaFace-like detectors, which reach from the forehead to
the chin. YuNet's and SCRFD's do too and are taken as they are. A Haar cascade's square does not,
and wavers; there the box is laid about dlib's five points, by the shares below.
"""

from typing import Protocol

import numpy as np

from agent.domain.sight.image import DetectedFace, Landmarks
from agent.errors import InternalError

_DOWN, _WIDTH, _HEIGHT = 0.25, 1.70, 2.33
"""Where YuNet's box lies about dlib's points: its centre below the middle between the eyes, and its
sides, in the size of ``frame_of_points``; medians of 63 faces (26 of photographs, 37 of a film)
that both found. Laid so, the box covers 0.79 of their union with YuNet's (median; 0.68 at the worst
twentieth), a cascade's square 0.73 (0.61).
"""

FloatBox = tuple[float, float, float, float]
"""Left, top, width and height in pixels of the image."""


class LocatedBy(Protocol):
    """How a pack finds the points of a face: ``Manifest.landmarks``."""

    @property
    def kind(self) -> str:
        """``dlib5``, or ``detector`` where they come with the box."""


def pad_box(face: DetectedFace, landmarks: LocatedBy) -> FloatBox:
    """The box to crop by.

    Raises:
        InternalError: the face was not located first, where its points are needed.
    """
    if landmarks.kind != "dlib5":
        box = face.box
        return float(box.x), float(box.y), float(box.width), float(box.height)
    if face.landmarks is None:
        raise InternalError("a face is located before attack detection looks at it")
    return _about_points(face.landmarks)


def frame_of_points(points: Landmarks) -> tuple[float, float, float]:
    """The middle between the eyes (x, y), and the size of the face by which the box is laid.

    The size is the distance between the eyes' middles and twice that from there to the base of the
    nose, root mean square: a head that turns shortens the one, one that nods the other.
    """
    right, left, nose = points[0:2].mean(axis=0), points[2:4].mean(axis=0), points[4]
    middle = (right + left) / 2.0
    across = float(np.hypot(*(left - right)))
    down = float(np.hypot(*(nose - middle)))
    return float(middle[0]), float(middle[1]), float(np.hypot(across, 2.0 * down) / np.sqrt(2.0))


def _about_points(points: Landmarks) -> FloatBox:
    x, y, size = frame_of_points(points)
    width, height = _WIDTH * size, _HEIGHT * size
    return x - width / 2, y + _DOWN * size - height / 2, width, height
