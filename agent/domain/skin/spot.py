"""How large a thermometer's spot is where a face is, and whether it falls on the forehead alone.

A pinhole's geometry, everything along the optical axis:

    distance = face width / (2 tan(camera fov / 2) x face's share of the frame)
    spot     = 2 x distance x tan(thermometer fov / 2)

At 50 cm a field of view of 5, 10, 35 or 90 degrees sees 4.4, 8.7, 31.5 or 100 cm, as the MLX90614's
datasheet draws it. What lies beside the forehead is mixed in: hair and air are colder than skin, so
a spot that is too large hides an elevated reading. What cannot be said is infinite, and fits not.
"""

import math

FACE_WIDTH_M = 0.15
"""Of an adult's face box, ear to ear; a bizygomatic breadth is 13 to 15 cm. A child is nearer than
this says, which errs to the larger spot."""

FOREHEAD_HEIGHT_M = 0.06
"""Eyebrows to hairline, our assumption: adults have 5 to 7 cm, a fringe leaves less."""

FOREHEAD_WIDTH_M = 0.12
"""Temple to temple, our assumption."""

ARRAY_SPOT_PIXELS = 3
"""The side of the block of pixels by which an array's driver says its warmest spot."""


def distance_m(
    face_width_px: float,
    frame_width_px: float,
    camera_fov_deg: float,
    face_width_m: float = FACE_WIDTH_M,
) -> float:
    """How far a face is from the camera, in metres, by the width of its box.

    ``camera_fov_deg`` is the camera's horizontal field of view. Faces differ by some 10 %, and so
    does this. Infinite where the widths or the angle mean nothing.
    """
    half = _half_tangent(camera_fov_deg)
    if not (face_width_px > 0.0 and frame_width_px > 0.0 and math.isfinite(half)):
        return math.inf
    return face_width_m * frame_width_px / (2.0 * half * face_width_px)


def spot_diameter_m(distance_m: float, fov_deg: float) -> float:
    """The diameter of what a thermometer of this field of view sees so far away, in metres."""
    diameter = 2.0 * distance_m * _half_tangent(fov_deg)
    return diameter if distance_m > 0.0 else math.inf


def pixel_footprint_m(distance_m: float, fov_deg: float, pixels: int) -> float:
    """The side of what one pixel of an array sees, in metres; ``pixels`` lie across ``fov_deg``."""
    return spot_diameter_m(distance_m, fov_deg) / pixels


def fits_forehead(spot_m: float) -> bool:
    """Whether a round spot of this diameter, well aimed, lies on the forehead alone."""
    return 0.0 < spot_m <= min(FOREHEAD_HEIGHT_M, FOREHEAD_WIDTH_M)


def greatest_distance_m(fov_deg: float, pixels: int | None = None) -> float:
    """How far away a forehead still fills the spot, in metres: 0.69 for 5 degrees, 0.34 for 10.

    Of an array with ``pixels`` across its field of view the spot is a block of them: 0.61 for 55
    degrees of 32 pixels, 0.22 for 110.
    """
    share = 1.0 if pixels is None else ARRAY_SPOT_PIXELS / pixels
    return min(FOREHEAD_HEIGHT_M, FOREHEAD_WIDTH_M) / (2.0 * _half_tangent(fov_deg) * share)


def _half_tangent(fov_deg: float) -> float:
    if not 0.0 < fov_deg < 180.0:
        return math.inf
    return math.tan(math.radians(fov_deg) / 2.0)
