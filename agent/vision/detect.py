"""Where faces are: OpenCV's Haar cascade, or YuNet.

Both answer with boxes by falling area, largest and so nearest first. A box's score is the
detector's own: the cascade's last stage sum, or YuNet's confidence.
"""

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from agent.domain.evidence import Box
from agent.domain.image import DetectedFace, Image
from agent.errors import ModelPackError
from agent.vision.manifest import HaarDetector, YunetDetector


class Detector(Protocol):
    """Finds faces; not safe for two threads at once."""

    def detect(self, image: Image) -> list[DetectedFace]:
        """Faces by falling area."""


class HaarCascade:
    """P. Viola and M. Jones, "Rapid object detection using a boosted cascade", CVPR 2001.

    The cost falls with the square of the smallest face looked for, so a gate that wants people to
    stand near is fast.
    """

    def __init__(self, settings: HaarDetector, smallest_face_px: int | None = None) -> None:
        """Load the cascade from the installed OpenCV.

        Raises:
            ModelPackError: this OpenCV has no such cascade.
        """
        folder = Path(getattr(cv2, "data").haarcascades)  # noqa: B009 - absent from cv2's types
        self._cascade = cv2.CascadeClassifier(str(folder / settings.cascade))
        if self._cascade.empty():
            raise ModelPackError(f"OpenCV {cv2.__version__} has no {settings.cascade}")
        self._scale_factor = settings.scale_factor
        self._min_neighbours = settings.min_neighbours
        self.smallest_face_px = smallest_face_px or settings.smallest_face_px

    def detect(self, image: Image) -> list[DetectedFace]:
        """Faces by falling area."""
        return self.in_grey(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))

    def in_grey(self, grey: Any) -> list[DetectedFace]:
        """Faces in a grey image (height x width)."""
        smallest = self.smallest_face_px
        boxes, _, weights = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbours,
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        faces = [
            DetectedFace(Box(*(int(v) for v in box)), float(weight))
            for box, weight in zip(boxes, weights, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.box.area)


class Yunet:
    """W. Wu et al., "YuNet: a tiny millisecond-level face detector", 2023; with landmarks."""

    def __init__(
        self, settings: YunetDetector, model: Path, smallest_face_px: int | None = None
    ) -> None:
        """Load the network.

        Raises:
            ModelPackError: OpenCV cannot read it.
        """
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(model), "", (320, 320), settings.least_score, settings.overlap
            )
        except cv2.error as error:
            raise ModelPackError(f"{model.name} cannot be loaded by OpenCV") from error
        self.smallest_face_px = smallest_face_px or settings.smallest_face_px

    def detect(self, image: Image) -> list[DetectedFace]:
        """Faces by falling area, each with its landmarks."""
        height, width = image.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(image)
        faces = []
        for row in rows if rows is not None else ():
            x, y, w, h = (round(float(v)) for v in row[:4])
            if w >= self.smallest_face_px:
                points = np.asarray(row[4:14], dtype=np.float32).reshape(5, 2)
                faces.append(DetectedFace(Box(x, y, w, h), float(row[14]), points))
        return sorted(faces, key=lambda face: -face.box.area)
