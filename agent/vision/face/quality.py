"""Whether a located face is good enough, and the figures by which that was said."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from agent.domain.sight.image import DetectedFace, Image


@dataclass(frozen=True, slots=True)
class AcquisitionLimits:
    """What a face must have; widths in pixels of the image, sharpness as ``Quality`` defines it."""

    min_face_px: int
    min_sharpness: float
    min_contrast: float

    def as_json(self) -> dict[str, Any]:
        """The limits by name."""
        return asdict(self)


ENROLMENT = AcquisitionLimits(min_face_px=80, min_sharpness=30.0, min_contrast=18.0)
"""A reference is compared with for years."""
GATE = AcquisitionLimits(min_face_px=40, min_sharpness=12.0, min_contrast=10.0)
"""A blurred frame is left out; the next one comes at once."""
EVALUATION = AcquisitionLimits(min_face_px=16, min_sharpness=0.0, min_contrast=4.0)
"""What a data set holds is to be measured, not refused; but where its grey values spread no wider
than a sensor's noise and JPEG's steps, there is nothing to measure.
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one face.

    ``sharpness`` is the variance of the Laplacian of the aligned face in grey, at the embedder's
    size, so that a large and a small photograph of the same sharpness to the embedder score alike
    (J. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000);
    ``contrast`` is the standard deviation of its grey values, 0 to 127.
    """

    face_px: int
    sharpness: float
    contrast: float

    def as_figures(self) -> dict[str, float]:
        """The figures by name, rounded."""
        return {
            "face_px": float(self.face_px),
            "sharpness": round(self.sharpness, 1),
            "contrast": round(self.contrast, 1),
        }


def measure(face: DetectedFace, aligned: Image) -> Quality:
    """The quality of a located face, of which ``aligned`` is the embedder's view."""
    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)
    middle = middle_of(np.asarray(grey, dtype=np.uint8))
    sharpness = float(cv2.Laplacian(middle, cv2.CV_64F).var())
    return Quality(face.box.width, sharpness, float(np.std(middle)))


def middle_of(aligned: Image) -> Image:
    """The face itself: the rim of a chip holds hair and background."""
    height, width = aligned.shape[:2]
    return aligned[height // 6 : height - height // 6, width // 6 : width - width // 6]


def shortfall(quality: Quality, limits: AcquisitionLimits) -> str | None:
    """The first limit that is not met, as a word; None where all are."""
    if quality.face_px < limits.min_face_px:
        return "face_too_small"
    if quality.contrast < limits.min_contrast:
        return "low_contrast"
    if quality.sharpness < limits.min_sharpness:
        return "blurred"
    return None
