"""HEIC and HEIF, in which telephones keep their photographs, by libheif.

The turn that such a file declares is libheif's to apply; what its EXIF block says beside it does
not count (ISO/IEC 23008-12), for else a photograph would be turned twice.
"""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import ImageError

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_NOT_OURS = {b"avif", b"avis"}
"""Refused by name (``unread``)."""


def is_heif(data: bytes) -> bool:
    """Whether the file names itself so, by its brands."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    return bool(brands & _BRANDS) and not brands & _NOT_OURS


def decode_heif(data: bytes, most_pixels: int) -> npt.NDArray[Any]:
    """The first photograph in the file, blue-green-red, 8 bits.

    Raises:
        ImageError: libheif is absent, or by its own header the photograph is too large.
        Exception: whatever the library raises; the caller stands behind the boundary.
    """
    try:
        import pillow_heif  # noqa: PLC0415 - 10 MB that few kiosks ever need
    except ImportError as error:
        raise ImageError(
            "unreadable_image",
            "a HEIC photograph, which pillow-heif reads and is not installed\n"
            "Fix: scripts/setup installs it; or save the photograph as JPEG",
        ) from error
    pillow_heif.options.DECODE_THREADS = 1
    # Opening reads headers only; the pixels are decoded when they are asked for.
    photograph = pillow_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True, bgr_mode=True)
    width, height = photograph.size
    if width * height > most_pixels:
        raise ImageError("image_too_large", f"more than {most_pixels} pixels")
    pixels: npt.NDArray[Any] = np.asarray(photograph)
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, :3])
