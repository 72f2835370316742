"""Reads an image file of unknown origin into the one form that the rest knows."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from agent.domain.sight.image import Image
from agent.errors import ImageError
from agent.vision.stills.image_header import declared_pixels

_LARGEST_BYTES = 64_000_000
_LARGEST_PIXELS = 50_000_000
_LONGEST_SIDE_PX = 16_384
"""The decoders count a side in 16 bits, and look at a small image twice as large."""
_SMALLEST_SIDE_PX = 16
_QUIET = threading.Lock()

# What OpenCV prints of a corrupt file adds nothing to the error.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(path: Path) -> Image:
    """The image at ``path``: blue-green-red, 8 bits, upright by its EXIF orientation.

    Raises:
        ImageError: it is missing, too large, too small, or no image that OpenCV reads.
    """
    return _read(path, decode_image)


def read_on_white(path: Path) -> Image:
    """As ``read_image``, but what is transparent counts as white paper.

    Raises:
        ImageError: as ``read_image``.
    """
    return _read(path, _decode_on_white)


def _read(path: Path, decode: Callable[[bytes], Image]) -> Image:
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
        return decode(data)
    except ImageError as error:
        raise ImageError(error.reason, f"{path}: {error}") from error


def decode_image(data: bytes) -> Image:
    """The image in ``data``.

    Raises:
        ImageError: it is too large, too small, or no image that OpenCV reads.
    """
    if not data:
        raise ImageError("unreadable_image", "the file is empty")
    if declared_pixels(data) > _LARGEST_PIXELS:
        raise ImageError("image_too_large", f"more than {_LARGEST_PIXELS} pixels")
    with readable(), _quiet():
        # Colour, 8 bits and upright are IMREAD_COLOR's defaults; alpha is left out.
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ImageError("unreadable_image", "no image, or a broken one")
    if max(image.shape[:2]) > _LONGEST_SIDE_PX:
        raise ImageError("image_too_large", f"longer than {_LONGEST_SIDE_PX} pixels a side")
    if min(image.shape[:2]) < _SMALLEST_SIDE_PX:
        raise ImageError("image_too_small", f"smaller than {_SMALLEST_SIDE_PX} pixels a side")
    return np.asarray(image, dtype=np.uint8)


def _decode_on_white(data: bytes) -> Image:
    opaque = decode_image(data)
    with readable(), _quiet():
        whole = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if whole is None or whole.ndim != 3 or whole.shape[2] != 4 or whole.dtype != np.uint8:
        return opaque
    share = whole[:, :, 3:].astype(np.float32) / 255.0
    paper = whole[:, :, :3] * share + 255.0 * (1.0 - share)
    return np.asarray(np.rint(paper), dtype=np.uint8)


@contextmanager
def readable() -> Iterator[None]:
    """Around what OpenCV does with a still: whatever it raises there, the image is unreadable.

    Raises:
        ImageError: in place of OpenCV's own error.
    """
    try:
        yield
    except cv2.error as error:
        raise ImageError("unreadable_image", "no image, or a broken one") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what libjpeg and libpng print by themselves off the terminal.

    They write to the descriptor and know no setting. Whatever another thread writes there in these
    milliseconds is lost with it, so only the decoding of a whole file stands under this.
    """
    with _QUIET:
        try:
            kept = os.dup(2)
        except OSError:  # it was closed before the agent began, so nothing can be printed
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
