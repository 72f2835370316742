"""Where faces are: the protocol, and OpenCV's Haar cascade; ``yunet`` is the other detector.

Both answer with boxes by falling area, largest and so nearest first. A box's score is the
detector's own: the cascade's last stage sum, or YuNet's confidence. Both take the smallest face to
look for with each image, because a gate wants people to stand near and a photograph may be small.
"""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import DetectedFace, Image
from agent.domain.sight.track import Box
from agent.errors import ModelPackError
from agent.vision.packs.manifest import HaarDetector
from agent.vision.stills.reduce import reduced

Grey = npt.NDArray[np.uint8]
"""Height x width."""


class Detector(Protocol):
    """Finds faces; not safe for two threads at once."""

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area; the manifest's or loader's width by default."""


def cascade_of(name: str) -> cv2.CascadeClassifier:
    """A cascade of the installed OpenCV.

    Raises:
        ModelPackError: this OpenCV has no such cascade.
    """
    folder = Path(getattr(cv2, "data").haarcascades)  # noqa: B009 - absent from cv2's types
    cascade = cv2.CascadeClassifier(str(folder / name))
    if cascade.empty():
        raise ModelPackError(f"OpenCV {cv2.__version__} has no {name}")
    return cascade


class HaarCascade:
    """P. Viola and M. Jones, "Rapid object detection using a boosted cascade", CVPR 2001.

    The cost falls with the square of the smallest face looked for. On 101 scenes of 640 x 480 with
    faces from 60 pixels on, searching at the scale where those are 30 wide, in steps of 1.2, found
    72 of 113 and nothing that was none; at full scale in steps of 1.1 it was 76 and 2, at 2.7 times
    the cost (the truth being YuNet's, which finds profiles too).
    """

    def __init__(self, settings: HaarDetector, smallest_face_px: int | None = None) -> None:
        """Load the cascade from the installed OpenCV.

        Raises:
            ModelPackError: this OpenCV has no such cascade.
        """
        self.cascade = cascade_of(settings.cascade)
        self._settings = settings
        self.smallest_face_px = smallest_face_px or settings.smallest_face_px

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area."""
        smallest = smallest_face_px or self.smallest_face_px
        searched = self.searched(image, smallest)
        scale = image.shape[1] / searched.shape[1]
        boxes, scores = self.bare(searched, smallest)
        faces = [
            DetectedFace(Box(*(round(float(v) * scale) for v in box)), float(score))
            for box, score in zip(boxes, scores, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.box.area)

    def searched(self, image: Image, smallest_face_px: int) -> Grey:
        """The grey image that the cascade is run on."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        return reduced(grey, self._settings.search_px / smallest_face_px)[0]

    def bare(
        self, searched: Grey, smallest_face_px: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """The one call to OpenCV: boxes (N x 4) in ``searched``, and their scores."""
        smallest = min(self._settings.search_px, smallest_face_px)
        boxes, _, scores = self.cascade.detectMultiScale3(
            searched,
            scaleFactor=self._settings.scale_factor,
            minNeighbors=self._settings.min_neighbours,
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        return np.asarray(boxes, dtype=np.int32).reshape(-1, 4), np.asarray(scores).reshape(-1)
