"""The photograph as each attempt to find its face sees it.

    1  the photograph, reduced to a sensible size
    2  enlarged, with its rim continued: faces that fill a small crop
    3  the same by two other cascades (a reference or a data set: the one face must be found)
    4  turned by a quarter or by half: a photograph that lies on its side and does not say so;
       before 1 and 2, where YuNet is surer so (it finds faces that lie, and misplaces their points)
    5  the middle of the crop as a box (evaluation only: a data set says that a face is there)

A photograph whose short side is under 250 pixels is looked at enlarged first: in a small crop the
plain look finds eyes and patterns, and misses what touches the rim. 3 and 5 are for packs whose
landmarks come from a predictor of their own. No look is longer than 1280 pixels (4 is shorter), so
each is bounded in time whatever the photograph; a rim comes on top.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from agent.domain.sight.image import DetectedFace, FivePoints, Image
from agent.domain.sight.track import Box
from agent.vision.face.detect import HaarCascade
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import ENROLMENT, EVALUATION, AcquisitionLimits
from agent.vision.packs.manifest import HaarDetector, YunetDetector

_LONGEST_SIDE_PX = 1280
_TURNED_SIDE_PX = 640
_SMALL_PX = 250
_SMALL_SIDE_PX = 320
_LARGEST_ENLARGEMENT = 4.0
_SMALLEST_SOUGHT_PX = 40
_RIM = 0.25
_LEAST_OF_SIDE = 0.25
_LEAST_OF_SMALL_SIDE = 0.15
"""The narrowest face sought in a crop, of its short side."""
_SURE = 0.9
"""Of YuNet's confidence. It sees many a face that lies, but with the points of one that stands:
of seven portraits turned in three ways ten had false points, at 0.80 to 0.88. Upright ones have
0.89 to 0.95, so a look below this is taken turned as well, and the surest one counts.
"""
_OTHER_CASCADES = ("haarcascade_frontalface_alt.xml", "haarcascade_frontalface_default.xml")
_TURNS = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The photograph as one attempt sees it: enlarged by ``scale`` behind a rim, then turned."""

    image: Image
    scale: float
    rim_px: int = 0
    turns: int = 0
    """Quarters of a turn, clockwise."""

    def original(self, box: Box) -> Box:
        """The box in the photograph itself."""
        box = self._upright(box)
        x, y = ((v - self.rim_px) / self.scale for v in (box.x, box.y))
        width, height = (v / self.scale for v in (box.width, box.height))
        return Box(round(x), round(y), max(round(width), 1), max(round(height), 1))

    def turned(self, turns: int) -> "Look":
        """The same, turned by so many quarters."""
        image = np.asarray(cv2.rotate(self.image, _TURNS[turns]), dtype=np.uint8)
        return replace(self, image=image, turns=turns)

    def _upright(self, box: Box) -> Box:
        height, width = self.image.shape[:2]
        right, below = width - box.x - box.width, height - box.y - box.height
        return (
            box,
            Box(box.y, right, box.height, box.width),
            Box(right, below, box.width, box.height),
            Box(below, box.x, box.height, box.width),
        )[self.turns]


def looks(
    engine: FaceEngine, image: Image, limits: AcquisitionLimits
) -> Iterator[tuple[Look, list[DetectedFace]]]:
    """Each look with what the detector found in it; the next one takes more effort."""
    side = min(image.shape[:2])
    small = side < _SMALL_PX
    if small:
        wide = _with_rim(image)
        least = max(round(side * wide.scale * _LEAST_OF_SMALL_SIDE), _SMALLEST_SOUGHT_PX)
        yield from _upright(engine, wide, least)
    plain = _resized(image, min(1.0, _LONGEST_SIDE_PX / max(image.shape[:2])))
    yield from _upright(engine, plain, _sought(plain.image))
    if not small:
        wide = _with_rim(image)
        least = max(round(side * wide.scale * _LEAST_OF_SIDE), _SMALLEST_SOUGHT_PX)
        yield from _upright(engine, wide, least)
    predicted = engine.manifest.landmarks.kind is FivePoints.DLIB
    thorough = limits is EVALUATION or limits is ENROLMENT
    if predicted and thorough:
        for name in _OTHER_CASCADES:
            yield wide, HaarCascade(_cascade(name, least)).detect(wide.image)
    yield from _turned(engine, wide if small else plain)
    if predicted and limits is EVALUATION:
        yield wide, [_middle(wide, image, share) for share in (0.8, 0.65, 0.95)]


def _upright(
    engine: FaceEngine, look: Look, least_px: int
) -> Iterator[tuple[Look, list[DetectedFace]]]:
    """A look, after those turned ones in which the detector is surer than in it."""
    found = _seen(engine, look.image, least_px)
    surest = max((face.score for face in found), default=1.0)
    if surest < _SURE and engine.manifest.landmarks.kind is FivePoints.DETECTOR:
        for turned, faces in _turned(engine, look):
            if max(face.score for face in faces) > surest:
                yield turned, faces
    yield look, found


def _seen(engine: FaceEngine, image: Image, least_px: int) -> list[DetectedFace]:
    """Faces at least so wide.

    A detector that brings its own landmarks looks at every pixel: it places them the better, and a
    photograph can wait.
    """
    detector = engine.manifest.detector
    sought = min(least_px, detector.search_px) if isinstance(detector, YunetDetector) else least_px
    return [face for face in engine.detect(image, sought) if face.box.width >= least_px]


def _sought(image: Image) -> int:
    side: int = min(image.shape[:2])
    return max(min(side // 4, _SMALLEST_SOUGHT_PX), 20)


def _turned(engine: FaceEngine, upright: Look) -> Iterator[tuple[Look, list[DetectedFace]]]:
    """The turned looks that show something, the surest first."""
    shrink = min(1.0, _TURNED_SIDE_PX / max(upright.image.shape[:2]))
    small = _resized(upright.image, shrink).image
    base = Look(small, upright.scale * shrink, round(upright.rim_px * shrink))
    found = []
    for turns in _TURNS:
        look = base.turned(turns)
        faces = _seen(engine, look.image, _sought(look.image))
        if faces:
            found.append((look, faces))
    yield from sorted(found, key=lambda one: -max(face.score for face in one[1]))


def _resized(image: Image, scale: float) -> Look:
    if scale == 1.0:
        return Look(image, 1.0)
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=how)
    return Look(np.asarray(small, dtype=np.uint8), scale)


def _with_rim(image: Image) -> Look:
    side = min(image.shape[:2])
    scale = min(
        _SMALL_SIDE_PX / side, _LARGEST_ENLARGEMENT, _LONGEST_SIDE_PX / max(image.shape[:2])
    )
    resized = _resized(image, scale).image
    rim = round(min(resized.shape[:2]) * _RIM)
    wide = cv2.copyMakeBorder(resized, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    return Look(np.asarray(wide, dtype=np.uint8), scale, rim)


def _cascade(name: str, smallest: int) -> HaarDetector:
    return HaarDetector(
        kind="haar", cascade=name, scale_factor=1.1, min_neighbours=3, smallest_face_px=smallest
    )


def _middle(look: Look, image: Image, share: float) -> DetectedFace:
    height, width = (side * look.scale for side in image.shape[:2])
    side = share * min(height, width)
    x, y = look.rim_px + (width - side) / 2, look.rim_px + (height - side) / 2
    return DetectedFace(Box(round(x), round(y), round(side), round(side)), 0.0)
