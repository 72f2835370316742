"""zbar for QR codes, by its own calls: it answers with the bytes as they stand in the code.

pyzbar's ``decode`` fails on a part of a Structured Append code, which has no orientation, and lets
zbar guess the encoding of bytes that declare none, which garbles Chinese. zbar's other formats find
symbols where there are none, and its DataBar decoder prints assertions: they are switched off.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyzbar import wrapper

from agent.domain.sight.track import Box

_ALL, _QR = 0, 64
"""zbar's numbers: every symbology, and QR codes. A part of one has another number, 1."""
_ENABLE = 0
_BINARY = 4
"""Bytes as they are, unless the code declares its encoding (ECI): then UTF-8. Since zbar 0.23.1."""
_Y800 = int.from_bytes(b"Y800", "little")


@dataclass(frozen=True, slots=True)
class ZbarCode:
    """One QR code: its bytes and where it lies."""

    content: bytes
    box: Box


def read_qr(grey: npt.NDArray[np.uint8]) -> list[ZbarCode]:
    """The whole QR codes of a grey image; a part of one is none.

    Raises:
        RuntimeError: zbar cannot work, or refuses the image.
    """
    pixels = np.ascontiguousarray(grey)
    scanner = _need(wrapper.zbar_image_scanner_create())
    try:
        for symbology, setting, value in ((_ALL, _ENABLE, 0), (_QR, _ENABLE, 1), (_QR, _BINARY, 1)):
            wrapper.zbar_image_scanner_set_config(scanner, symbology, setting, value)
        image = _need(wrapper.zbar_image_create())
        try:
            wrapper.zbar_image_set_format(image, _Y800)
            wrapper.zbar_image_set_size(image, grey.shape[1], grey.shape[0])
            # zbar reads where the pixels lie, and only while ``pixels`` lives.
            wrapper.zbar_image_set_data(image, pixels.ctypes.data, pixels.size, None)
            if wrapper.zbar_scan_image(scanner, image) < 0:
                raise RuntimeError("zbar refuses the image")
            return list(_codes(image))
        finally:
            wrapper.zbar_image_destroy(image)
    finally:
        wrapper.zbar_image_scanner_destroy(scanner)


def _codes(image: Any) -> Iterator[ZbarCode]:
    symbol = wrapper.zbar_image_first_symbol(image)
    while symbol:
        if symbol.contents.type == _QR:
            length = wrapper.zbar_symbol_get_data_length(symbol)
            content = ctypes.string_at(wrapper.zbar_symbol_get_data(symbol), length)
            yield ZbarCode(content, _box(symbol))
        symbol = wrapper.zbar_symbol_next(symbol)


def _box(symbol: Any) -> Box:
    corners = range(wrapper.zbar_symbol_get_loc_size(symbol))
    xs = [wrapper.zbar_symbol_get_loc_x(symbol, corner) for corner in corners] or [0]
    ys = [wrapper.zbar_symbol_get_loc_y(symbol, corner) for corner in corners] or [0]
    return Box(min(xs), min(ys), max(max(xs) - min(xs), 1), max(max(ys) - min(ys), 1))


def _need(made: Any) -> Any:
    if not made:
        raise RuntimeError("zbar cannot work")
    return made
