"""Reads an image file of unknown origin into the one form that the rest knows."""

from pathlib import Path

import cv2
import numpy as np

from agent.domain.image import Image
from agent.errors import ImageError

_LARGEST_BYTES = 64_000_000
_LARGEST_PIXELS = 50_000_000
_SMALLEST_SIDE_PX = 16

# What OpenCV prints of a corrupt file adds nothing to the error.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(path: Path) -> Image:
    """The image at ``path``: blue-green-red, 8 bits, upright by its EXIF orientation.

    Raises:
        ImageError: it is missing, too large, too small, or no image that OpenCV reads.
    """
    try:
        if path.is_dir():
            raise ImageError("unreadable_image", f"{path} is a folder, not an image")
        if path.exists() and not path.is_file():
            # A pipe would be waited for, a device read without end.
            raise ImageError("unreadable_image", f"{path} is no file")
        if path.stat().st_size > _LARGEST_BYTES:
            raise ImageError("image_too_large", f"{path} is larger than {_LARGEST_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(
            "unreadable_image", f"{path} cannot be read: {error.strerror or error}"
        ) from error
    try:
        return decode_image(data)
    except ImageError as error:
        raise ImageError(error.reason, f"{path}: {error}") from error


def decode_image(data: bytes) -> Image:
    """The image in ``data``.

    Raises:
        ImageError: it is too large, too small, or no image that OpenCV reads.
    """
    if not data:
        raise ImageError("unreadable_image", "the file is empty")
    _check_declared_size(data)
    try:
        # Colour, 8 bits and upright are IMREAD_COLOR's defaults; alpha is left out.
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError("unreadable_image", "no image, or a broken one") from error
    if image is None:
        raise ImageError("unreadable_image", "no image, or a broken one")
    if min(image.shape[:2]) < _SMALLEST_SIDE_PX:
        raise ImageError("image_too_small", f"smaller than {_SMALLEST_SIDE_PX} pixels a side")
    return np.asarray(image, dtype=np.uint8)


def _check_declared_size(data: bytes) -> None:
    """Refuse by the header what would fill the memory when decoded, where the header is known."""
    pixels = 0
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        pixels = int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    elif data[:2] == b"BM" and len(data) >= 26:
        width = int.from_bytes(data[18:22], "little", signed=True)
        pixels = abs(width * int.from_bytes(data[22:26], "little", signed=True))
    elif data[:2] == b"\xff\xd8":
        pixels = _jpeg_pixels(data)
    if pixels > _LARGEST_PIXELS:
        raise ImageError("image_too_large", f"more than {_LARGEST_PIXELS} pixels")


def _jpeg_pixels(data: bytes) -> int:
    """Width times height from the first start-of-frame segment; 0 where there is none."""
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return 0
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            return height * int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + length if marker != 0xFF else 1
    return 0
