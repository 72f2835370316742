"""Where faces are: OpenCV's Haar cascade, or YuNet.

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
from agent.vision.packs.manifest import HaarDetector, YunetDetector

Grey = npt.NDArray[np.uint8]
"""Height x width."""


class Detector(Protocol):
    """Finds faces; not safe for two threads at once."""

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area; the manifest's or loader's width by default."""


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
        folder = Path(getattr(cv2, "data").haarcascades)  # noqa: B009 - absent from cv2's types
        self.cascade = cv2.CascadeClassifier(str(folder / settings.cascade))
        if self.cascade.empty():
            raise ModelPackError(f"OpenCV {cv2.__version__} has no {settings.cascade}")
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
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        scale = self._settings.search_px / smallest_face_px
        # Whole halvings by area and the rest by bilinear sampling: an eighth of the time of one
        # reduction by area, which is fast for whole factors only.
        while scale <= 0.5:
            grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            scale *= 2.0
        if scale < 1.0:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        return np.asarray(grey, dtype=np.uint8)

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

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area, each with its landmarks."""
        smallest = smallest_face_px or self.smallest_face_px
        height, width = image.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(image)
        faces = []
        for row in rows if rows is not None else ():
            x, y, w, h = (round(float(v)) for v in row[:4])
            if w >= smallest:
                points = np.asarray(row[4:14], dtype=np.float32).reshape(5, 2)
                faces.append(DetectedFace(Box(x, y, w, h), float(row[14]), points))
        return sorted(faces, key=lambda face: -face.box.area)
