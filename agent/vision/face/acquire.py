"""The face of a still photograph: found, judged, embedded; or the reason why not.

A camera sends the next frame in no time, a photograph is all there is: so where the detector finds
nothing, ``acquire`` looks again with more effort, and each further look must still bring landmarks
that converge (``vision.face.landmarks``).

    1  the photograph, reduced to a sensible size
    2  enlarged, with its rim continued: faces that fill a small crop
    3  the same by two other cascades (a reference or a data set: the one face must be found)
    4  the middle of the crop as a box (evaluation only: a data set says that a face is there)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from agent.domain.foreign.boundary import boundary
from agent.domain.sight.image import DetectedFace, Image, Template
from agent.domain.sight.track import Box
from agent.errors import GateAgentError, ImageError
from agent.vision.face.detect import HaarCascade
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import (
    ENROLMENT,
    EVALUATION,
    AcquisitionLimits,
    Quality,
    measure,
    shortfall,
)
from agent.vision.packs.manifest import HaarDetector

_LONGEST_SIDE_PX = 1280
_SMALL_SIDE_PX = 320
_LARGEST_ENLARGEMENT = 4.0
_SMALLEST_SOUGHT_PX = 40
_RIM = 0.25
_BYSTANDER = 0.4
"""A face below this share of the largest one's width is somebody in the background."""
_OTHER_CASCADES = ("haarcascade_frontalface_alt.xml", "haarcascade_frontalface_default.xml")


@dataclass(frozen=True, slots=True, eq=False)
class AcquiredFace:
    """A face of a photograph: its box in the photograph, its template and its quality."""

    box: Box
    score: float
    template: Template = field(repr=False)
    quality: Quality
    shortfall: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """The one face of a photograph, or the word for why there is none to use."""

    face: AcquiredFace | None
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """The photograph as one attempt sees it: enlarged by ``scale`` behind a rim."""

    image: Image
    scale: float
    rim_px: int

    def original(self, box: Box) -> Box:
        x, y = ((v - self.rim_px) / self.scale for v in (box.x, box.y))
        width, height = (v / self.scale for v in (box.width, box.height))
        return Box(round(x), round(y), max(round(width), 1), max(round(height), 1))


@boundary("face", lambda: ImageError("unreadable_image", "it cannot be looked at"), GateAgentError)
def acquire_all(engine: FaceEngine, image: Image, limits: AcquisitionLimits) -> list[AcquiredFace]:
    """Every face of a photograph, by falling area; each says which limit it falls short of.

    Raises:
        ImageError: a library fails on it.
    """
    for look, found in _looks(engine, image, limits):
        faces = []
        for face in found:
            located = engine.locate(look.image, face)
            if located is not None:
                faces.append(_acquired(engine, look, located, limits))
        if faces:
            return faces
    return []


def acquire(engine: FaceEngine, image: Image, limits: AcquisitionLimits) -> Acquisition:
    """The one face of a photograph.

    Where there are several, evaluation takes the largest; anywhere else that is a refusal, unless
    the others stand far behind.

    Raises:
        ImageError: as ``acquire_all``.
    """
    faces = acquire_all(engine, image, limits)
    if not faces:
        return Acquisition(None, "no_face")
    largest = faces[0]
    others = [face for face in faces[1:] if face.box.width >= _BYSTANDER * largest.box.width]
    if others and limits is not EVALUATION:
        return Acquisition(largest, "several_faces")
    return Acquisition(largest, largest.shortfall)


def _acquired(
    engine: FaceEngine, look: _Look, face: DetectedFace, limits: AcquisitionLimits
) -> AcquiredFace:
    aligned = engine.crop(look.image, face)
    box = look.original(face.box)
    quality = replace(measure(face, aligned), face_px=box.width)
    template = engine.embed_crop(aligned)
    return AcquiredFace(box, face.score, template, quality, shortfall(quality, limits))


def _looks(
    engine: FaceEngine, image: Image, limits: AcquisitionLimits
) -> Iterator[tuple[_Look, list[DetectedFace]]]:
    plain = _resized(image, min(1.0, _LONGEST_SIDE_PX / max(image.shape[:2])))
    smallest = max(min(min(plain.image.shape[:2]) // 4, _SMALLEST_SOUGHT_PX), 20)
    yield plain, engine.detect(plain.image, smallest)
    wide = _with_rim(image)
    smallest = max(round(min(image.shape[:2]) * wide.scale * _RIM), 40)
    yield wide, engine.detect(wide.image, smallest)
    if limits is not EVALUATION and limits is not ENROLMENT:
        return
    for name in _OTHER_CASCADES:
        settings = HaarDetector(
            kind="haar", cascade=name, scale_factor=1.1, min_neighbours=3, smallest_face_px=smallest
        )
        yield wide, HaarCascade(settings).detect(wide.image)
    if limits is EVALUATION:
        yield wide, [_middle(wide, image, share) for share in (0.8, 0.65, 0.95)]


def _resized(image: Image, scale: float) -> _Look:
    if scale == 1.0:
        return _Look(image, 1.0, 0)
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    return _Look(np.asarray(small, dtype=np.uint8), scale, 0)


def _with_rim(image: Image) -> _Look:
    side = min(image.shape[:2])
    scale = min(
        _SMALL_SIDE_PX / side, _LARGEST_ENLARGEMENT, _LONGEST_SIDE_PX / max(image.shape[:2])
    )
    resized = _resized(image, scale).image
    rim = round(min(resized.shape[:2]) * _RIM)
    wide = cv2.copyMakeBorder(resized, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    return _Look(np.asarray(wide, dtype=np.uint8), scale, rim)


def _middle(look: _Look, image: Image, share: float) -> DetectedFace:
    height, width = (side * look.scale for side in image.shape[:2])
    side = share * min(height, width)
    x, y = look.rim_px + (width - side) / 2, look.rim_px + (height - side) / 2
    return DetectedFace(Box(round(x), round(y), round(side), round(side)), 0.0)
