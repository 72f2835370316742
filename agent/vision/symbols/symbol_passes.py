"""Ways to read symbols in an image, from the cheapest to the last resort.

zxing-cpp reads most; zbar reads some that it does not. What both miss is mostly blurred, dim or
small, and is made readable first: sharper, of more contrast, larger. Which pass helps how often is
what ``gate-agent bench symbols`` measures; they stand in the order of that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.text import undeclared
from agent.domain.sight.track import Box
from agent.vision.symbols.zbar import read_qr

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
_SYMBOLOGY_BYTES = 3
"""What kind of symbol it is (]Q1), at the start of zxing-cpp's hexadecimal form."""
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
        """What it reads in ``grey``, in the coordinates of ``grey``.

        Nothing where the libraries raise: a code can be made so that one of them does.
        """
        return read_or(self.name, [], lambda: self._read(grey))

    def _read(self, grey: Grey) -> list[Found]:
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
    """Where zxing-cpp sees a QR code that it cannot read; nowhere where it raises."""
    return read_or("zxing+unread", [], lambda: _unread(grey))


def _unread(grey: Grey) -> list[Box]:
    # zxing-cpp takes a list as well; its stub does not say so.
    read = zxingcpp.read_barcodes(grey, formats=_QR, return_errors=True)  # type: ignore[arg-type]
    return [_box(one.position) for one in read if not one.valid]


def zbar(grey: Grey) -> list[Found]:
    """QR codes by zbar."""
    return [Found("QRCode", one.content, undeclared(one.content), one.box) for one in read_qr(grey)]


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
    good = [one for one in read if one.valid and one.format in FORMATS]
    declared = _declared(good, grey, options)
    return [
        Found(
            FORMATS[one.format],
            content,
            _whole(one.text) if content in declared else undeclared(content),
            _box(one.position),
        )
        for one in good
        for content in (bytes(one.bytes),)
    ]


def _declared(found: list[Any], grey: Grey, options: Mapping[str, Any]) -> set[bytes]:
    """The bytes whose text is zxing-cpp's to tell: ASCII, or of an encoding that they name (ECI).

    Only its hexadecimal form says whether they name one: there a mark of it stands among them.
    That takes another look at the image, and only what is neither ASCII nor UTF-8 asks for it.
    """
    told = {content for one in found if (content := bytes(one.bytes)).isascii()}
    doubtful = {bytes(one.bytes) for one in found if bytes(one.bytes) != one.text.encode()}
    if doubtful <= told:
        return told
    again = zxingcpp.read_barcodes(grey, text_mode=zxingcpp.TextMode.HexECI, **options)
    return told | {bytes(one.bytes) for one in again if one.valid and _names_encoding(one)}


def _names_encoding(one: Any) -> bool:
    return bytes.fromhex(one.text)[_SYMBOLOGY_BYTES:] != bytes(one.bytes)


def _whole(text: str) -> str | None:
    return None if "\ufffd" in text else text


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
