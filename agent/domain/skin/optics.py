"""Where a face in the camera's picture is in a thermometer's, and whether its spot fits there.

Camera and thermometer sit side by side and look the same way; ``aim_x_deg`` and ``aim_y_deg`` say
by how much the thermometer looks to the right of the camera, and below it. Both are pinholes:

    tan(angle) = (pixel - middle) / (half of the picture) x tan(half of the field of view)

The few centimetres between them are left out: at half a metre 3 cm are 3 degrees, two pixels of an
array of 32 over 55 degrees; whoever mounts them further apart puts that into the aim.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain.skin.skin_temperature import Unreliable
from agent.domain.skin.spot import (
    ARRAY_SPOT_PIXELS,
    distance_m,
    fits_forehead,
    pixel_footprint_m,
    spot_diameter_m,
)

Field = NDArray[np.float32]

_WARM_PERCENTILE = 90.0
"""The warmest tenth of a face is forehead and eyes; the very warmest pixel is noise."""


@dataclass(frozen=True, slots=True)
class Optics:
    """A camera and the thermometer beside it; angles in degrees, sizes in pixels.

    ``camera_fov_deg`` None where nobody said it: then no distance is known. An array sensor has
    ``columns`` over its horizontal field of view and ``thermometer_fov_v_deg`` over its rows.
    """

    frame_width_px: int
    frame_height_px: int
    camera_fov_deg: float | None
    thermometer_fov_deg: float
    thermometer_fov_v_deg: float | None = None
    columns: int | None = None
    aim_x_deg: float = 0.0
    aim_y_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Region:
    """Rows and columns of an image, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def spanning(cls, x: int, y: int, width: int, height: int) -> "Region":
        """What a rectangle covers whose upper left corner is at ``x``, ``y``."""
        return cls(y, y + height, x, x + width)

    @property
    def part(self) -> tuple[slice, slice]:
        """By which an image is cut to it."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def of(self, field: Field) -> Field:
        """Its part of the image."""
        return field[self.part]


def trouble(face_width_px: int, optics: Optics) -> Unreliable | None:
    """Why a face of this size cannot be measured: too far for the spot, or nobody knows how far."""
    if optics.camera_fov_deg is None:
        return Unreliable.NO_DISTANCE
    away_m = distance_m(face_width_px, optics.frame_width_px, optics.camera_fov_deg)
    if not math.isfinite(away_m):
        return Unreliable.NO_DISTANCE
    if optics.columns is not None:
        pixel_m = pixel_footprint_m(away_m, optics.thermometer_fov_deg, optics.columns)
        spot_m = ARRAY_SPOT_PIXELS * pixel_m
    else:
        spot_m = spot_diameter_m(away_m, optics.thermometer_fov_deg)
    return None if fits_forehead(spot_m) else Unreliable.SPOT_TOO_LARGE


def face_region(face: Region, optics: Optics, field: Field) -> Region | None:
    """Where ``face``, in the camera's pixels, lies in a thermal image.

    None where less than half of it is in the picture.
    """
    if optics.camera_fov_deg is None or optics.thermometer_fov_v_deg is None or field.ndim != 2:
        return None
    rows, columns = field.shape
    # Square pixels: the focal length in pixels is the same both ways.
    focal_px = optics.frame_width_px / 2.0 / math.tan(math.radians(optics.camera_fov_deg) / 2.0)
    across = (focal_px, optics.frame_width_px, optics.aim_x_deg, optics.thermometer_fov_deg)
    down = (focal_px, optics.frame_height_px, optics.aim_y_deg, optics.thermometer_fov_v_deg)
    left, right = (_project(x, *across, columns) for x in (face.left, face.right))
    top, bottom = (_project(y, *down, rows) for y in (face.top, face.bottom))
    region = Region(
        max(round(top), 0),
        min(round(bottom), rows),
        max(round(left), 0),
        min(round(right), columns),
    )
    inside = max(region.bottom - region.top, 0) * max(region.right - region.left, 0)
    whole = (bottom - top) * (right - left)
    return region if inside > 0 and inside >= 0.5 * whole else None


@dataclass(frozen=True, slots=True)
class Spot:
    """What a thermometer sees of a camera's picture, in shares of its width and height.

    ``round`` for a single element, whose field of view is a cone; an array's is a rectangle.
    """

    left: float
    right: float
    top: float
    bottom: float
    round: bool


def spot_in_picture(optics: Optics) -> Spot | None:
    """Where the thermometer looks in the camera's picture; None where nobody said its lens.

    What lies beyond the picture is beyond 0 and 1.
    """
    if optics.camera_fov_deg is None:
        return None
    fov_v_deg = optics.thermometer_fov_v_deg or optics.thermometer_fov_deg
    half = math.tan(math.radians(optics.camera_fov_deg) / 2.0)
    # Square pixels: as many degrees' tangent a pixel down as across.
    half_v = half * optics.frame_height_px / optics.frame_width_px

    def share(angle_deg: float, half_tangent: float) -> float:
        angle = math.radians(min(max(angle_deg, -80.0), 80.0))
        return 0.5 * (1.0 + math.tan(angle) / half_tangent)

    left, right = (
        share(optics.aim_x_deg + side * optics.thermometer_fov_deg / 2.0, half) for side in (-1, 1)
    )
    top, bottom = (share(optics.aim_y_deg + side * fov_v_deg / 2.0, half_v) for side in (-1, 1))
    return Spot(left, right, top, bottom, optics.columns is None)


def warmest_c(field: Field, region: Region) -> float:
    """The temperature of the warm tenth of a face, in Celsius; NaN where no pixel counts."""
    pixels = region.of(field)
    finite = pixels[np.isfinite(pixels)]
    return float(np.percentile(finite, _WARM_PERCENTILE)) if finite.size else math.nan


def _project(
    at_px: float, focal_px: float, size_px: int, aim_deg: float, fov_deg: float, pixels: int
) -> float:
    angle = math.atan((at_px - size_px / 2.0) / focal_px) - math.radians(aim_deg)
    # Beyond a right angle a pinhole sees nothing; the tangent would come back from the other side.
    angle = min(max(angle, -1.4), 1.4)
    share = math.tan(angle) / math.tan(math.radians(fov_deg) / 2.0)
    return pixels / 2.0 * (1.0 + share)
