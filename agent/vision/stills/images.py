"""Reads an image file of unknown origin into the one form that the rest knows."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.foreign.boundary import boundary
from agent.domain.sight.image import Image
from agent.errors import ImageError
from agent.vision.stills.heif import decode_heif, is_heif
from agent.vision.stills.image_header import declared_pixels, promises_more
from agent.vision.stills.unread import unread_kind

_LARGEST_BYTES = 64_000_000
_LARGEST_PIXELS = 50_000_000
_LONGEST_SIDE_PX = 16_384
"""The decoders count a side in 16 bits, and look at a small image twice as large."""
_SMALLEST_SIDE_PX = 16
_DEPTHS = (np.uint8, np.uint16)
_QUIET = threading.Lock()

_T = TypeVar("_T")
_Values = npt.NDArray[np.float32]

# What OpenCV prints of a corrupt file adds nothing to the error.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(path: Path) -> Image:
    """The image at ``path``: blue-green-red, 8 bits, upright by its EXIF orientation.

    Raises:
        ImageError: it is missing, too large, too small, or no image that OpenCV or libheif reads.
    """
    return _read(path, decode_image)


def read_on_white(path: Path) -> Image:
    """As ``read_image``, but what is transparent counts as white paper.

    Raises:
        ImageError: as ``read_image``.
    """
    return _read(path, _decode_on_white)


def read_on_black(path: Path) -> Image | None:
    """As ``read_on_white``, but on black paper; None where nothing is transparent.

    A symbol whose light parts alone were drawn, for a dark page, is there on black only.

    Raises:
        ImageError: as ``read_image``.
    """
    return _read(path, _decode_on_black)


def _read(path: Path, decode: Callable[[bytes], _T]) -> _T:
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
        ImageError: it is too large, too small, or no image that OpenCV or libheif reads.
    """
    if not data:
        raise ImageError("unreadable_image", "the file is empty")
    if (kind := unread_kind(data)) is not None:
        fix = "send the photograph as JPEG, PNG or HEIC"
        raise ImageError("unreadable_image", f"{kind}, which is not read\nFix: {fix}")
    if declared_pixels(data) > _LARGEST_PIXELS:
        raise ImageError("image_too_large", f"more than {_LARGEST_PIXELS} pixels")
    if promises_more(data):
        raise ImageError("unreadable_image", "cut short, or broken")
    # Colour, 8 bits and upright are IMREAD_COLOR's defaults; alpha is left out.
    image = _decoded_heif(data) if is_heif(data) else _decoded(data, cv2.IMREAD_COLOR)
    if image is None:
        raise ImageError("unreadable_image", "no image, or a broken one")
    if max(image.shape[:2]) > _LONGEST_SIDE_PX:
        raise ImageError("image_too_large", f"longer than {_LONGEST_SIDE_PX} pixels a side")
    if min(image.shape[:2]) < _SMALLEST_SIDE_PX:
        raise ImageError("image_too_small", f"smaller than {_SMALLEST_SIDE_PX} pixels a side")
    return np.asarray(image, dtype=np.uint8)


def _decode_on_white(data: bytes) -> Image:
    opaque = decode_image(data)
    layers = _layers(data)
    return opaque if layers is None else _on_paper(*layers, 255.0)


def _decode_on_black(data: bytes) -> Image | None:
    decode_image(data)
    layers = _layers(data)
    return None if layers is None else _on_paper(*layers, 0.0)


def _layers(data: bytes) -> tuple[_Values, _Values] | None:
    """Colours from 0 to 255 and how much of them is there from 0 to 1; None where all is opaque."""
    whole = _decoded(data, cv2.IMREAD_UNCHANGED)
    if whole is None or whole.ndim != 3 or whole.shape[2] != 4 or whole.dtype not in _DEPTHS:
        return None
    share = whole[:, :, 3:].astype(np.float32) / np.float32(np.iinfo(whole.dtype).max)
    if share.min() == 1.0:
        return None
    most = np.float32(np.iinfo(whole.dtype).max / 255)
    return whole[:, :, :3].astype(np.float32) / most, share


def _on_paper(colours: _Values, share: _Values, paper: float) -> Image:
    return np.asarray(np.rint(colours * share + paper * (1.0 - share)), dtype=np.uint8)


def _decoded_heif(data: bytes) -> npt.NDArray[Any]:
    broken = partial(ImageError, "unreadable_image", "a HEIC photograph, but a broken one")
    with boundary("image", broken, ImageError), _quiet():
        return decode_heif(data, _LARGEST_PIXELS)


def _decoded(data: bytes, flags: int) -> npt.NDArray[Any] | None:
    broken = partial(ImageError, "unreadable_image", "no image, or a broken one")
    with boundary("image", broken), _quiet():
        return cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)


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
