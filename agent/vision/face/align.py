"""From a face's landmarks to the upright crop that an embedder was trained on.

The transform is the least-squares similarity between two sets of points (S. Umeyama, "Least-squares
estimation of transformation parameters between two point patterns", PAMI 1991); in the plane, with
points as complex numbers, it is one complex division.
"""

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import Image, Landmarks

Affine = npt.NDArray[np.float64]
"""2 x 3: from the places of one image to those of another."""
Points = npt.NDArray[np.float64]
"""Points x 2 (x, y)."""

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


def similarity(source: Points | Landmarks, target: Points | Landmarks) -> Affine:
    """The similarity that brings ``source`` (points x 2) nearest to ``target``.

    Raises:
        ValueError: all points of ``source`` are one.
    """
    # Python's own complex numbers: for five points numpy's calls alone take five times as long.
    z = [complex(x, y) for x, y in source.tolist()]
    w = [complex(x, y) for x, y in target.tolist()]
    middle, wanted = sum(z) / len(z), sum(w) / len(w)
    spread = sum(abs(one - middle) ** 2 for one in z)
    if not spread > 0.0:
        raise ValueError("the points are all one")
    pairs = zip(z, w, strict=True)
    turn = sum((a - middle).conjugate() * (b - wanted) for a, b in pairs) / spread
    shift = wanted - turn * middle
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], dtype=np.float64
    )


def dlib_chip(image: Image, landmarks: Landmarks, size_px: int, padding: float) -> Image:
    """The face chip of dlib, to a grey level; ``padding`` of a face is left on each side.

    Followed as dlib goes (image_transforms/interpolation.h): the similarity is fitted from the chip
    to the image and not the other way, which differ where the fit is not perfect; its square is
    laid corner to corner; and a face twice as large as the chip is halved first, each time with
    dlib's quarter of a pixel to the left and down.
    """
    shares = (padding + DLIB_MEAN_FACE) / (2.0 * padding + 1.0)
    fitted = similarity(shares * size_px, landmarks)
    scale = float(np.hypot(fitted[0, 0], fitted[1, 0]))
    middle = fitted[:, :2] @ [size_px / 2.0, size_px / 2.0] + fitted[:, 2]
    turn = fitted[:, :2] * ((size_px * scale - 1.0) / ((size_px - 1.0) * scale))
    shift = middle - turn @ [(size_px - 1) / 2.0, (size_px - 1) / 2.0]
    back = np.column_stack([turn, shift])
    return _sampled(image, back, (size_px, size_px), np.array([-0.25, 0.25]))


def crop(image: Image, landmarks: Landmarks, points: Points, size: tuple[int, int]) -> Image:
    """The face turned and scaled so that its landmarks meet ``points``; ``size`` is (w, h).

    A face much larger than its crop is halved first, else bilinear sampling would skip pixels.
    """
    back = np.asarray(cv2.invertAffineTransform(similarity(landmarks, points)), dtype=np.float64)
    return _sampled(image, back, size, np.zeros(2))


def _sampled(image: Image, back: Affine, size: tuple[int, int], drift: Points) -> Image:
    """The crop whose pixel p shows the image at ``back`` of p; what lies outside is black.

    ``drift`` is added to the place after each halving.
    """
    scale = float(np.hypot(back[0, 0], back[1, 0]))
    if scale > 2.0:
        image, back = _part(image, back, size)
    while scale > 2.0 and min(image.shape[:2]) >= 4:
        image = np.asarray(cv2.pyrDown(image), dtype=np.uint8)
        # Pixel i of the half stands on pixel 2i of the whole.
        back = back / 2.0
        back[:, 2] += drift
        scale /= 2.0
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    chip = cv2.warpAffine(image, back, size, flags=how, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(chip, dtype=np.uint8)


def _part(image: Image, back: Affine, size: tuple[int, int]) -> tuple[Image, Affine]:
    """The part of the image that the crop shows, for halving the whole would cost much more."""
    width, height = size
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
    seen = back @ corners.T
    rim = 16
    left, top = (max(int(np.floor(v)) - rim, 0) for v in seen.min(axis=1))
    right, bottom = (int(np.ceil(v)) + rim for v in seen.max(axis=1))
    part = image[top : max(bottom, 0), left : max(right, 0)]
    if part.size == 0:
        return image, back
    moved = back.copy()
    moved[:, 2] -= (left, top)
    return part, moved
