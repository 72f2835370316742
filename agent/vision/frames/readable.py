"""Whether a frame is a picture that can be looked at at all."""

import numpy as np

LEAST_SIDE_PX = 16
"""Below it there is no face, no code and no scene."""


def unreadable(image: object) -> str | None:
    """Why a frame is no picture of ours, as words for who mends the camera; None where it is one.

    A frame is height x width x 3 in blue-green-red, 8 bits each. Grey, with an alpha channel, in
    floating point or in 16 bits it would be looked at as something else than it shows.
    """
    if not isinstance(image, np.ndarray):
        return "no array of pixels"
    if image.ndim != 3:
        return f"an array of {image.ndim} dimensions instead of height x width x 3"
    if image.shape[2] != 3:
        return f"{image.shape[2]} channels instead of blue, green and red"
    if image.dtype != np.uint8:
        return f"{image.dtype} instead of 8 bits a channel"
    height, width = image.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        return f"{width}x{height} pixels"
    return None
