"""How well a frame shows a face: what is in the way of it, and which frames of a track are best.

    figure    from                                                 says
    turn      the nose between the eyes: 0 in the middle, 1 below  to the side from 0.8
              an eye
    drop      the nose below the eyes, in distances between them   up or down outside 0.3 to 0.78
    mouth     edges across the mouth, as a share of those at the   mask, scarf or hand below 0.22
              eyes
    mean      the face's grey values                               dark, bright
    contrast, sharpness    ``vision.face.quality``                 dark, bright, blurred

A nose stands half the distance between the eyes before them, so 0.8 of ``turn`` is a head turned by
some forty degrees; on seven portraits it was 0.5 at most, on a head turned away 1.4. ``drop`` and
``mouth`` need the corners of the mouth, which a detector's five landmarks have and dlib's have not.
A mouth that is free had 0.45 of the eyes' edges or more on fifty photographs and a film, a mask
0.06. It cannot be told: a cap (the landmarks end at the eyes), dark glasses, a visor.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.image import FivePoints, Image, Landmarks
from agent.vision.face.align import crop
from agent.vision.face.quality import AcquisitionLimits, Quality, middle_of, shortfall

_TURNED = 0.8
_DROP = (0.3, 0.78)
_MOUTH = 0.22
_DARK, _BLACK = 70.0, 25.0
"""Mean grey value: below the first a lack of contrast is one of light; below the second nothing is
seen whatever the contrast."""
_BRIGHT, _WHITE = 185.0, 240.0
_LARGE_PX = 112.0
_SHARP = 60.0
_CHIP = (128, 128)
_CHIP_POINTS = np.array(
    [[46.3, 51.7], [81.5, 51.5], [64.0, 71.7], [49.5, 92.4], [78.7, 92.2]], dtype=np.float64
)
"""Eyes, nose and corners of the mouth of an upright face."""
_MOUTH_AT = (slice(86, 100), slice(50, 78))
_EYES_AT = ((slice(44, 58), slice(38, 54)), (slice(44, 58), slice(74, 90)))


@dataclass(frozen=True, slots=True)
class Condition:
    """The figures of one face in one frame; None where its landmarks do not tell."""

    quality: Quality
    mean: float
    turn: float | None = None
    drop: float | None = None
    mouth: float | None = None

    def hindrance(self, limits: AcquisitionLimits) -> Hindrance | None:
        """What they could do better, the worst first; None where the face can be judged."""
        if self.mouth is not None and self.mouth < _MOUTH:
            return Hindrance.COVERED
        if self._turned:
            return Hindrance.TURNED
        if self.mean < _BLACK:
            return Hindrance.TOO_DARK
        if self.mean > _WHITE:
            return Hindrance.TOO_BRIGHT
        short = shortfall(self.quality, limits)
        if short == "face_too_small":
            return Hindrance.TOO_FAR
        if short is None:
            return None
        # Without light a picture is flat, and a camera that exposes for long blurs it.
        dark = _DARK if short == "low_contrast" else _DARK / 2
        if self.mean < dark:
            return Hindrance.TOO_DARK
        bright = short == "low_contrast" and self.mean > _BRIGHT
        return Hindrance.TOO_BRIGHT if bright else Hindrance.BLURRED

    @property
    def goodness(self) -> float:
        """From 0 to 1, to choose among one track's frames: no figure to hold against a limit."""
        large = min(self.quality.face_px / _LARGE_PX, 1.0)
        sharp = self.quality.sharpness / (self.quality.sharpness + _SHARP)
        frontal = 1.0 if self.turn is None else max(1.0 - 0.5 * self.turn**2, 0.1)
        lit = max(1.0 - (abs(self.mean - 127.0) / 127.0) ** 2, 0.1)
        free = 0.3 if self.mouth is not None and self.mouth < _MOUTH else 1.0
        return large * sharp * frontal * lit * free

    @property
    def _turned(self) -> bool:
        aside = self.turn is not None and self.turn > _TURNED
        return aside or (self.drop is not None and not _DROP[0] <= self.drop <= _DROP[1])


def condition(
    image: Image, landmarks: Landmarks | None, points: FivePoints, aligned: Image, quality: Quality
) -> Condition:
    """The condition of a located face of ``image``, of which ``aligned`` is the embedder's view."""
    mean = float(middle_of(aligned).mean())
    if landmarks is None or landmarks.shape != (5, 2) or not np.isfinite(landmarks).all():
        return Condition(quality, mean)
    at = landmarks.astype(np.float64)
    if points is FivePoints.DLIB:
        right, left, nose = at[2:4].mean(axis=0), at[:2].mean(axis=0), at[4]
    else:
        right, left, nose = at[:3]
    across = left - right
    distance2 = float(across @ across)
    if not distance2 > 1.0:
        return Condition(quality, mean)
    aside = abs(float((nose - right) @ across) / distance2 - 0.5) * 2.0
    if points is FivePoints.DLIB:
        return Condition(quality, mean, aside)
    drop = float(across[0] * (nose - right)[1] - across[1] * (nose - right)[0]) / distance2
    return Condition(quality, mean, aside, drop, _mouth(image, landmarks))


def _mouth(image: Image, landmarks: Landmarks) -> float | None:
    """Edges across the mouth as a share of those at the eyes; None where the eyes have none."""
    face = cv2.cvtColor(crop(image, landmarks, _CHIP_POINTS, _CHIP), cv2.COLOR_BGR2GRAY)
    edges = np.abs(cv2.Sobel(face, cv2.CV_32F, 0, 1, ksize=3))
    eyes = float(np.mean([edges[place].mean() for place in _EYES_AT]))
    return float(edges[_MOUTH_AT].mean()) / eyes if eyes > 4.0 else None
