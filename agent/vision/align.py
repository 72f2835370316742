"""From a face's landmarks to the upright crop that an embedder was trained on.

The transform is the least-squares similarity between two sets of points (S. Umeyama, "Least-squares
estimation of transformation parameters between two point patterns", PAMI 1991); in the plane, with
points as complex numbers, it is one complex division.
"""

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.image import Image, Landmarks

Affine = npt.NDArray[np.float64]
"""2 x 3: image pixels to crop pixels."""

DLIB_MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ],
    dtype=np.float64,
)
"""Where dlib's chips have the five points, as shares of a chip without padding.

The figures are dlib's (image_transforms/interpolation.h); the order is that of its predictor.
"""


def similarity(source: npt.NDArray[np.floating], target: npt.NDArray[np.floating]) -> Affine:
    """The similarity that brings ``source`` (points x 2) nearest to ``target``.

    Raises:
        ValueError: all points of ``source`` are one.
    """
    z = source[:, 0].astype(np.float64) + 1j * source[:, 1].astype(np.float64)
    w = target[:, 0].astype(np.float64) + 1j * target[:, 1].astype(np.float64)
    centred = z - z.mean()
    spread = float((centred * centred.conj()).sum().real)
    if not spread > 0.0:
        raise ValueError("the points are all one")
    turn = (centred.conj() * (w - w.mean())).sum() / spread
    shift = w.mean() - turn * z.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], dtype=np.float64
    )


def dlib_chip_points(size_px: int, padding: float) -> npt.NDArray[np.float64]:
    """Where the five points lie in a chip of ``size_px`` with ``padding`` of a face each side."""
    shares = (padding + DLIB_MEAN_FACE) / (2.0 * padding + 1.0)
    # The first pixel's centre is 0, its edge -0.5.
    return np.asarray(shares * size_px - 0.5)


def crop(image: Image, landmarks: Landmarks, points: Affine, size: tuple[int, int]) -> Image:
    """The face turned and scaled so that its landmarks meet ``points``; ``size`` is (w, h).

    A face much larger than its crop is halved first, else bilinear sampling would skip pixels.
    """
    move = similarity(landmarks, points)
    scale = float(np.hypot(move[0, 0], move[1, 0]))
    if scale < 0.5:
        image, move = _halved(image, move, scale, size)
    return np.asarray(
        cv2.warpAffine(image, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT),
        dtype=np.uint8,
    )


def _halved(
    image: Image, move: Affine, scale: float, size: tuple[int, int]
) -> tuple[Image, Affine]:
    """The part of the image that the crop shows, halved until it is near the crop's scale."""
    back = np.linalg.inv(np.vstack([move, [0.0, 0.0, 1.0]]))
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [0, size[1], 1], [*size, 1]], dtype=np.float64)
    seen = (back @ corners.T)[:2]
    height, width = image.shape[:2]
    left, top = (int(max(np.floor(v) - 8, 0)) for v in seen.min(axis=1))
    right, bottom = (int(np.ceil(v) + 8) for v in seen.max(axis=1))
    part = image[top : min(bottom, height), left : min(right, width)]
    if part.size == 0:
        return image, move
    move = move.copy()
    move[:, 2] += move[:, :2] @ (left, top)
    while scale < 0.5 and min(part.shape[:2]) >= 4:
        part = np.asarray(cv2.pyrDown(part), dtype=np.uint8)
        # Pixel i of the half stands on pixel 2i of the whole.
        move[:, :2] *= 2.0
        scale *= 2.0
    return part, move
