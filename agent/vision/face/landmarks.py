"""Refines a detected box by the five-point predictor, and asks whether the points are a face's.

The predictor was trained on the boxes of dlib's detector, and a cascade frames faces differently.
But its mean shape lies in such a box, so points once found tell where dlib's box would be: predict,
fit the box to the points, predict again. On a face the second answer hardly moves, or if the first
box was a poor one the third; on something else each box pulls the points elsewhere.
"""

import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import DetectedFace, Image, Landmarks
from agent.domain.sight.track import Box
from agent.vision.face.align import DLIB_MEAN_FACE, similarity
from agent.vision.face.shape_predictor import ShapePredictor

LEVELS_OF_A_GUESS = 5
"""Of the predictor's 15, to place the box; with 5 to 15 the templates came out equally good."""
_LARGEST_MOVE = 0.12
"""Of the distance between the eyes, from the first to the second answer, root mean square.

On faces of a video, down to 40 pixels, 99 % moved by less than 0.08; in boxes that hold no face
half moved by more than 0.10.
"""
_LARGEST_LAST_MOVE = 0.03
"""Likewise from the second to the third answer, which is asked for where the second moved too far.

The first box may be a poor one, as a cascade's on a small crop often is. Of 1,232 boxes shifted by
up to 0.12 and scaled by 0.7 to 1.4 about faces of photographs and a video 17 % moved too far at
first; 42 % of those settle so, 2 % of them misplaced by a quarter of the distance between the eyes,
as are 4 % of those that passed at first. (At 0.05 it were 7 %.) Of boxes that hold no face most
pass the first bar as well: this stands instead of no detector.
"""
_LARGEST_MISFIT = 0.2
"""Of the distance between the eyes, root mean square from the mean face turned and scaled."""
_EYES_PER_BOX = (0.28, 0.8)
"""The distance between the outer corners of the eyes, in widths of the detected box."""
_LARGEST_TILT = 0.9
"""Radians that a head may lean to the side; past that the predictor was not trained."""

Points = npt.NDArray[np.float64]
Corners = tuple[float, float, float, float]
"""Left, top, right, bottom, the last two still inside."""


class DlibLandmarks:
    """The five points of a face: outer and inner corners of the eyes, base of the nose."""

    def __init__(self, predictor: ShapePredictor, mean_shape: Points) -> None:
        """``mean_shape`` is the predictor's initial shape, in shares of its box."""
        self.predictor = predictor
        self._mean_shape = mean_shape

    def locate(self, image: Image, face: DetectedFace) -> DetectedFace | None:
        """``face`` with its landmarks; None where they are no face's."""
        box = face.box
        first = self.predictor.predict(image, _corners(box), LEVELS_OF_A_GUESS)
        fitted = self._box_of(first)
        if fitted is None:
            return None
        second = self.predictor.predict(image, fitted)
        if not plausible(second, box.width):
            return None
        if _move(first, second) <= _LARGEST_MOVE:
            return DetectedFace(box, face.score, second)
        fitted = self._box_of(second)
        third = second if fitted is None else self.predictor.predict(image, fitted)
        settled = fitted is not None and _move(second, third) <= _LARGEST_LAST_MOVE
        return (
            DetectedFace(box, face.score, third)
            if settled and plausible(third, box.width)
            else None
        )

    def boxes(self, image: Image, face: DetectedFace) -> tuple[Corners, Corners]:
        """The boxes that the predictor is asked about for a face: the detector's, and its own."""
        first = _corners(face.box)
        return first, self._box_of(self.predictor.predict(image, first, LEVELS_OF_A_GUESS)) or first

    def _box_of(self, points: Landmarks) -> Corners | None:
        """The box in which the mean shape lies nearest to ``points``: scale and shift only."""
        shape = self._mean_shape
        centred = shape - shape.mean(axis=0)
        moved = points.astype(np.float64) - points.mean(axis=0)
        size = float((centred * moved).sum() / (centred**2).sum())
        if not size > 8.0:
            return None
        left, top = points.mean(axis=0) - size * shape.mean(axis=0)
        return float(left), float(top), float(left) + size, float(top) + size


def _corners(box: Box) -> Corners:
    return box.x, box.y, box.x + box.width - 1.0, box.y + box.height - 1.0


def plausible(points: Landmarks, box_width: float) -> bool:
    """Whether five points can be those of one upright face in its box."""
    eyes = points[[0, 2]].astype(np.float64)
    across = eyes[0] - eyes[1]
    distance = float(np.hypot(*across))
    least, most = _EYES_PER_BOX
    if not max(4.0, least * box_width) <= distance <= most * box_width:
        return False
    if abs(float(np.arctan2(across[1], across[0]))) > _LARGEST_TILT:
        return False
    mean = DLIB_MEAN_FACE
    turn = similarity(mean, points)
    fitted = mean @ turn[:, :2].T + turn[:, 2]
    return _apart(fitted, points) <= _LARGEST_MISFIT * distance


def _move(before: Landmarks, after: Landmarks) -> float:
    """How far the points moved, in distances between the eyes as they are now."""
    return _apart(before, after) / max(float(np.hypot(*(after[0] - after[2]))), 1.0)


def _apart(one: Points | Landmarks, other: Landmarks) -> float:
    return float(np.sqrt(((one - other) ** 2).sum(axis=1).mean()))
