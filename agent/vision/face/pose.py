"""Which way a head is turned, from the five points of its face.

Seen straight from ahead the nose lies on the line between the eyes' middle and the mouth's. The
nose stands out by a depth D (in distances between the eyes), so a head turned by an angle a shows
its tip beside that line by D tan a of the eyes' shown distance, and one that nods by b shows it
nearer to the mouth or to the eyes. The mean face of the alignment points is the one that is taken
for straight; depths are those of an average adult head (some 28 mm to the tip of the nose, 25 mm to
its base, at 63 mm between the pupils and 90 mm between the eyes' outer corners).

Heads differ, so an angle is a guess, good to some ten degrees: enough to ask for a turned head and
to prefer the straighter of two frames, and nothing that a decision may hang on.
"""

import math
from dataclasses import dataclass

import numpy as np

from agent.domain.sight.image import FivePoints, Landmarks

_TIP_DEPTH, _TIP_SHARE, _MOUTH_DROP = 0.45, 0.494, 1.156
"""Of the nose's tip: how far it stands out, its place from eyes to mouth, and how far those are
apart; the latter two from the mean face of the ArcFace alignment."""
_BASE_DEPTH, _BASE_DROP = 0.28, 0.549
"""Of the nose's base: how far it stands out, and below the eyes, of dlib's mean face."""
_LEAST_PX = 2.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in degrees, all 0 for a head that looks straight ahead.

    ``yaw_deg`` rises as the face turns to the image's right, which is the person's left;
    ``pitch_deg`` as it looks down; ``roll_deg`` as the head leans to the image's right.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def pose_of(landmarks: Landmarks, points: FivePoints) -> Pose | None:
    """The pose of a located face; None where the points lie on each other, as no face's do."""
    at = landmarks.astype(np.float64)
    if at.shape != (5, 2) or not np.isfinite(at).all():
        return None
    if points is FivePoints.DLIB:
        right, left, nose = at[2], at[0], at[4]
    else:
        right, left, nose = at[0], at[1], at[2]
    across = left - right
    apart = float(np.hypot(*across))
    if apart < _LEAST_PX:
        return None
    along = across / apart
    down = np.array([-along[1], along[0]])
    middle = at[:4].mean(axis=0) if points is FivePoints.DLIB else (right + left) / 2.0
    beside, below = float((nose - middle) @ along), float((nose - middle) @ down)
    depth = _BASE_DEPTH if points is FivePoints.DLIB else _TIP_DEPTH
    yaw = math.atan(beside / apart / depth)
    if points is FivePoints.DLIB:
        drop = below / apart * math.cos(yaw)
        pitch = math.asin(min(max((drop - _BASE_DROP) / depth, -1.0), 1.0))
    else:
        mouth = float(((at[3] + at[4]) / 2.0 - middle) @ down)
        if mouth < _LEAST_PX:
            return None
        pitch = math.atan((below / mouth - _TIP_SHARE) * _MOUTH_DROP / depth)
    roll = math.atan2(along[1], along[0])
    return Pose(*(round(math.degrees(angle), 2) for angle in (yaw, pitch, roll)))
