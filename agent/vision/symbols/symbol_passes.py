"""Ways to read symbols in an image, from the cheapest to the last resort.

zxing-cpp reads most; zbar reads some that it does not. What both miss is mostly blurred, dim or
small, and is made readable first: sharper, of more contrast, larger. Which pass helps how often is
what ``gate-agent bench symbols`` measures; they stand in the order of that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp
from pyzbar import pyzbar

from agent.domain.sight.track import Box

Grey = npt.NDArray[np.uint8]

_F = zxingcpp.BarcodeFormat
FORMATS = {
    _F.QRCode: "QRCode",
    _F.MicroQRCode: "MicroQRCode",
    _F.Aztec: "Aztec",
    _F.DataMatrix: "DataMatrix",
    _F.PDF417: "PDF417",
}
_ALL = list(FORMATS)
_QR = [_F.QRCode, _F.MicroQRCode]
_LARGEST_ENLARGED_PX = 16_000_000
"""An image is enlarged up to so many pixels: at a byte each they take 16 MB, and a second."""


@dataclass(frozen=True, slots=True)
class Found:
    """One symbol as a library gave it; ``text`` None where the bytes are no text."""

    format: str
    content: bytes
    text: str | None
    box: Box


@dataclass(frozen=True, slots=True)
class Pass:
    """One way to read; ``scale`` is by how much it enlarges the image before."""

    name: str
    read: Callable[[Grey], list[Found]]
    prepare: Callable[[Grey], Grey] | None = None
    scale: float = 1.0

    def __call__(self, grey: Grey) -> list[Found]:
        """What it reads in ``grey``, in the coordinates of ``grey``."""
        image = grey
        if self.scale != 1.0:
            image = enlarge(image, self.scale)
        if self.prepare is not None:
            image = self.prepare(image)
        back = grey.shape[1] / image.shape[1]
        return [
            Found(one.format, one.content, one.text, _scaled(one.box, back))
            for one in self.read(image)
        ]


def zxing_default(grey: Grey) -> list[Found]:
    """zxing-cpp at its defaults, for two-dimensional symbols."""
    return _zxing(grey, formats=_ALL)


def zxing_quick(grey: Grey) -> list[Found]:
    """zxing-cpp for QR codes, at its defaults: a fraction of the time."""
    return _zxing(grey, formats=_QR)


def zxing_histogram(grey: Grey) -> list[Found]:
    """zxing-cpp with one threshold for the whole image: blurred modules, even light."""
    return _zxing(grey, formats=_ALL, binarizer=zxingcpp.Binarizer.GlobalHistogram)


def zxing_fixed(grey: Grey) -> list[Found]:
    """zxing-cpp on an image that is black and white already."""
    return _zxing(grey, formats=_ALL, binarizer=zxingcpp.Binarizer.FixedThreshold)


def zxing_unread(grey: Grey) -> list[Box]:
    """Where zxing-cpp sees a QR code that it cannot read."""
    # zxing-cpp takes a list as well; its stub does not say so.
    read = zxingcpp.read_barcodes(grey, formats=_QR, return_errors=True)  # type: ignore[arg-type]
    return [_box(one.position) for one in read if not one.valid]


def zbar(grey: Grey) -> list[Found]:
    """QR codes by zbar: its other formats find symbols where there are none."""
    found = []
    for one in pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE]):
        content = bytes(one.data)
        rect = one.rect
        box = Box(rect.left, rect.top, max(rect.width, 1), max(rect.height, 1))
        found.append(Found("QRCode", content, _utf8(content), box))
    return found


def enlarge(grey: Grey, factor: float) -> Grey:
    """``grey`` enlarged, as far as memory and time allow."""
    height, width = grey.shape
    most = (_LARGEST_ENLARGED_PX / (height * width)) ** 0.5
    factor = min(factor, most)
    if factor <= 1.05:
        return grey
    return _grey(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC))


def shrink(grey: Grey) -> Grey:
    """Half the size: moire and noise are averaged away."""
    return _grey(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def sharpen(grey: Grey, amount: float = 3.0, sigma: float = 1.5) -> Grey:
    """Unsharp mask: edges of modules that lie under half a module of blur."""
    soft = cv2.GaussianBlur(grey, (0, 0), sigma)
    return _grey(cv2.addWeighted(grey, 1.0 + amount, soft, -amount, 0))


def sharpen_more(grey: Grey) -> Grey:
    """A stronger mask on a stretched image."""
    return sharpen(stretch(grey), 4.0, 3.0)


def sharpen_wide(grey: Grey) -> Grey:
    """A mask for an image that was enlarged threefold."""
    return sharpen(grey, 4.0, 5.0)


def stretch(grey: Grey) -> Grey:
    """Smoothed, then from the 1st to the 99th percentile: dim light, and a screen's grid."""
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    low, high = np.percentile(soft[::4, ::4], (1, 99))
    scale = 255.0 / max(float(high - low), 1.0)
    return _grey(cv2.convertScaleAbs(np.clip(soft, low, high) - low, alpha=scale))


def equalise(grey: Grey) -> Grey:
    """Contrast by neighbourhood (CLAHE): half in the light, half in the shade."""
    return _grey(cv2.createCLAHE(3.0, (8, 8)).apply(grey))


def smooth(grey: Grey) -> Grey:
    """A wide blur: the lines of a moire, the dots of a print."""
    return _grey(cv2.GaussianBlur(grey, (0, 0), 1.6))


def binarise(grey: Grey) -> Grey:
    """Black and white by the mean around each pixel: glare."""
    side = max(grey.shape) // 16 | 1
    return _grey(
        cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, max(side, 11), 5
        )
    )


def close_gaps(grey: Grey) -> Grey:
    """Dots grown together (a 3x3 opening of the light parts)."""
    return _grey(cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))


DEFAULT = Pass("zxing", zxing_default)
QUICK = Pass("zxing", zxing_quick)
ZBAR = Pass("zbar", zbar)
COSTLY: tuple[Pass, ...] = (
    Pass("zxing+sharpen", zxing_default, sharpen),
    Pass("zxing+enlarge", zxing_default, scale=2.0),
    Pass("zxing+enlarge+sharpen", zxing_default, sharpen, scale=2.0),
    Pass("zxing+stretch", zxing_default, stretch),
    Pass("zxing+enlarge+histogram", zxing_histogram, sharpen, scale=2.0),
    Pass("zxing+enlarge+sharpen-more", zxing_default, sharpen_more, scale=2.0),
    Pass("zxing+histogram", zxing_histogram),
    Pass("zxing+sharpen-more", zxing_default, sharpen_more),
    Pass("zxing+equalise", zxing_default, equalise),
    Pass("zxing+smooth", zxing_default, smooth),
    Pass("zxing+shrink", zxing_default, shrink),
    Pass("zxing+close", zxing_default, close_gaps),
    Pass("zxing+binarise", zxing_fixed, binarise),
    Pass("zbar+sharpen", zbar, sharpen),
    Pass("zbar+enlarge", zbar, scale=2.0),
    Pass("zxing+enlarge-more", zxing_default, sharpen_wide, scale=3.0),
)


def _zxing(grey: Grey, **options: Any) -> list[Found]:
    read = zxingcpp.read_barcodes(grey, text_mode=zxingcpp.TextMode.Plain, **options)
    return [
        Found(FORMATS[one.format], bytes(one.bytes), _text(one), _box(one.position))
        for one in read
        if one.valid and one.format in FORMATS
    ]


def _text(one: Any) -> str | None:
    if one.content_type == zxingcpp.ContentType.Binary:
        return _utf8(bytes(one.bytes))
    text: str = one.text
    return text


def _utf8(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _box(position: Any) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_left, position.bottom_right)
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    return Box(min(xs), min(ys), max(max(xs) - min(xs), 1), max(max(ys) - min(ys), 1))


def _scaled(box: Box, factor: float) -> Box:
    if factor == 1.0:
        return box
    x, y, width, height = (round(v * factor) for v in (box.x, box.y, box.width, box.height))
    return Box(x, y, max(width, 1), max(height, 1))


def _grey(image: Any) -> Grey:
    return np.asarray(image, dtype=np.uint8)
