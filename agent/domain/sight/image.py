"""Images and what is found in them, as plain arrays."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from agent.domain.sight.track import Box

Image = npt.NDArray[np.uint8]
"""Height x width x 3, blue-green-red, 0 to 255."""
Template = npt.NDArray[np.float32]
"""One dimension, as many components as the pack's manifest says."""
Landmarks = npt.NDArray[np.float32]
"""Points x 2 (x, y) in the image's pixels."""


class FivePoints(StrEnum):
    """Which five points: as a manifest's ``landmarks.kind`` names them."""

    DLIB = "dlib5"
    """Outer and inner corner of the left eye, of the right eye, base of the nose."""
    DETECTOR = "detector"
    """Right eye, left eye, tip of the nose, right and left corner of the mouth."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image and when it was captured, in seconds on the monotonic clock."""

    image: Image = field(repr=False)
    captured_s: float
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face in an image; ``score`` is the detector's own, higher is surer.

    ``landmarks`` is None until ``FaceEngine.locate`` has refined the face.
    """

    box: Box
    score: float
    landmarks: Landmarks | None = field(default=None, repr=False)
