"""How large an image says it is, read from its first bytes and before anything is decoded.

A file of 2 kB may declare a gigapixel, which a decoder would fill the memory with. Formats: PNG,
JPEG, BMP, GIF, WebP, TIFF, PNM, JPEG 2000 and HEIF. A header that cannot be read answers 0,
and the decoder then says what is wrong; its own limit, which ``agent`` sets, stands behind all of
this.
"""

import re
import struct
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from agent.domain.foreign.boundary import read_or

_WIDTH_TAG, _HEIGHT_TAG = 256, 257
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"


def declared_pixels(data: bytes) -> int:
    """Width times height by the header; 0 where the format or its header is not known."""
    for magic, read in _READERS:
        if magic.match(data):
            return read_or("image header", 0, partial(read, data))
    return 0


def promises_more(data: bytes) -> bool:
    """Whether a PNG's chunk says that it is longer than the file is.

    The decoder takes memory for what a chunk declares, up to 2 GB, before it reads any of it.
    """
    at = len(_PNG_MAGIC) if data.startswith(_PNG_MAGIC) else len(data)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        at += 8 + size
        if at > len(data):
            return True
        if kind == _PNG_END:
            break
        at += 4  # its checksum
    return False


def _png(data: bytes) -> int:
    width, height = struct.unpack_from(">II", data, 16)
    return int(width * height)


def _bmp(data: bytes) -> int:
    width, height = struct.unpack_from("<ii", data, 18)
    return int(abs(width * height))


def _gif(data: bytes) -> int:
    width, height = struct.unpack_from("<HH", data, 6)
    return int(width * height)


def _jpeg(data: bytes) -> int:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        # Start of frame, of whichever coding; C4, C8 and CC are something else.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return int(width * height)
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return 0


def _webp(data: bytes) -> int:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width * height
    if kind == b"VP8L":
        bits = int(struct.unpack_from("<I", data, 21)[0])
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    width, height = struct.unpack_from("<HH", data, 26)
    return int((width & 0x3FFF) * (height & 0x3FFF))


def _tiff(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, first)
    sizes: dict[int, int] = {}
    for entry in range(entries):
        at = first + 2 + 12 * entry
        tag, kind = struct.unpack_from(order + "HH", data, at)
        if tag in (_WIDTH_TAG, _HEIGHT_TAG):
            (size,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 8)
            # A tag may be there twice, and which one counts is the decoder's secret.
            sizes[tag] = max(size, sizes.get(tag, 0))
    return int(sizes.get(_WIDTH_TAG, 0) * sizes.get(_HEIGHT_TAG, 0))


def _pnm(data: bytes) -> int:
    # Comments may stand between the numbers.
    header = re.sub(rb"#[^\n]*", b" ", data[:4096]).split()
    if header[0] == b"P7":
        named = dict(pairwise(header))
        return int(named.get(b"WIDTH", b"0")) * int(named.get(b"HEIGHT", b"0"))
    return int(header[1]) * int(header[2])


def _boxes(data: bytes) -> int:
    """JPEG 2000's ``ihdr`` has height and width, HEIF's ``ispe`` width and height."""
    largest = 0
    for found in re.finditer(rb"ihdr|ispe\x00{4}", data[:65536]):
        one, other = struct.unpack_from(">II", data, found.end())
        largest = max(largest, one * other)
    return largest


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], int]], ...] = (
    (re.compile(re.escape(_PNG_MAGIC)), _png),
    (re.compile(rb"\xff\xd8"), _jpeg),
    (re.compile(rb"BM"), _bmp),
    (re.compile(rb"GIF8"), _gif),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    (re.compile(rb"II\*\x00|MM\x00\*"), _tiff),
    (re.compile(rb"P[1-7]\s"), _pnm),
    (re.compile(rb"....(jP  |ftyp)", re.DOTALL), _boxes),
)
