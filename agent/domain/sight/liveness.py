"""Whether a face that was followed through frames has depth and moves, as a living one does.

Points on the face, found again in each frame, are one matrix of two rows a frame and a column a
point, each frame about its own middle. A flat thing seen from some distance, however it is held,
moved and tilted, gives it a rank of two; a head that turns has a nose before its cheeks and gives
it three (C. Tomasi, T. Kanade, "Shape and motion from image streams under orthography", IJCV 1992).
So, in face widths:

    depth    the third singular value, root mean square a coordinate: what no plane explains
    motion   how far the middle of the points wanders

    depth at least ``DEPTH``                                      above 0.5: it has depth
    less, though it moves by ``MOTION``, within ``ENOUGH_S``      below 0.5: a plane
    less, and it moves by less than ``FIXED`` in ``FIXED_S``      0: nothing moves at all
    else                                                          None: it cannot be told

It cannot see: a film of a living face on a screen, which has its depth; paper bent while it is
moved, or worn; who stands stock-still. Five landmarks do not do: what a detector's waver by hides
the depth of a head that turns by less than some ten degrees.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DEPTH = 0.00075
"""Of 61 stretches of 0.8 s of a film (faces 60 to 170 pixels wide) each had more, 0.00087 at least;
of 31 simulated living faces that could be followed two had less. The simulated attacks had been
seen when it was chosen."""
MOTION = 0.02
FIXED = 0.0015
ENOUGH_S = 0.4
FIXED_S = 0.8
LEAST_FRAMES = 5
LEAST_POINTS = 12

Points = NDArray[np.float64]
"""Frames x points x 2, in pixels."""


def liveness(times_s: Sequence[float], points: Points, face_px: float) -> float | None:
    """0 (flat, or fixed) to 1 (it has depth); None where it cannot be told.

    ``points`` are the same ones in each frame, ``face_px`` is the face's width.
    """
    enough = points.ndim == 3 and len(points) == len(times_s) and points.shape[2] == 2
    if not enough or points.shape[0] < LEAST_FRAMES or points.shape[1] < LEAST_POINTS:
        return None
    if not (np.isfinite(points).all() and face_px >= 1.0):
        return None
    span_s = times_s[-1] - times_s[0]
    if not span_s >= ENOUGH_S:
        return None
    depth, motion = depth_and_motion(points, face_px)
    if depth >= DEPTH or motion >= MOTION:
        return depth / (depth + DEPTH)
    return 0.0 if motion < FIXED and span_s >= FIXED_S else None


def depth_and_motion(points: Points, face_px: float) -> tuple[float, float]:
    """Both in face widths, as the head of the module defines them."""
    middles = points.mean(axis=1)
    about = points - middles[:, None]
    rows = np.concatenate([about[..., 0], about[..., 1]])
    values = np.linalg.svd(rows, compute_uv=False)
    motion = float(np.sqrt(middles.var(axis=0).sum()))
    return float(values[2] / np.sqrt(rows.size)) / face_px, motion / face_px
