"""One suite for every ``ports.SymbolReader``; there is one, and nothing stands in for it."""

import numpy as np
import numpy.typing as npt
import pytest
import segno
import zxingcpp

from agent.domain.sight.image import Image
from agent.ports import SymbolReader
from agent.vision.symbols.symbols import SymbolWatch

A_SECOND = 25
"""Frames within which what lies still is read."""


@pytest.fixture(params=[SymbolWatch])
def reader(request: pytest.FixtureRequest) -> SymbolReader:
    made: SymbolReader = request.param()
    return made


def framed(symbol: npt.NDArray[np.uint8], x: int = 180, y: int = 100) -> Image:
    """A frame of 640x480 with the symbol at that place."""
    image = np.full((480, 640, 3), 210, np.uint8)
    height, width = symbol.shape
    image[y : y + height, x : x + width] = symbol[:, :, None]
    return image


def drawn(content: str | bytes) -> npt.NDArray[np.uint8]:
    rows = list(segno.make(content, micro=False).matrix_iter(scale=5, border=4))
    return np.where(np.array(rows) > 0, 0, 255).astype(np.uint8)


def created(text: str, name: str) -> npt.NDArray[np.uint8]:
    barcode = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, name))
    return np.pad(np.array(barcode.to_image(scale=4)), 20, constant_values=255)


def test_a_frame_without_a_symbol_has_none(reader: SymbolReader) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for image in (np.zeros((480, 640, 3), np.uint8), np.full_like(noise, 255), noise):
        assert [reader.look(image) for _ in range(4)] == [[]] * 4


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 640, 3), (480, 1, 3), (8, 8, 3)])
def test_a_frame_too_small_for_any_has_none(
    reader: SymbolReader, shape: tuple[int, int, int]
) -> None:
    assert reader.look(np.zeros(shape, np.uint8)) == []


@pytest.mark.parametrize("text", ["GP1:ABC", "住户通行证", "https://e.x/?q=1"])
def test_a_qr_code_is_read_in_every_frame_that_shows_it(reader: SymbolReader, text: str) -> None:
    shows, blank = framed(drawn(text)), framed(np.zeros((0, 0), np.uint8))
    for _ in range(3):
        (found,) = reader.look(shows)
        assert (found.format, found.text, found.content) == ("QRCode", text, text.encode())
        assert reader.look(blank) == []


def test_bytes_that_are_no_text_come_to_the_byte(reader: SymbolReader) -> None:
    content = bytes([0xFF, 0xFE, 0x00, 0x80] * 8)
    (found,) = reader.look(framed(drawn(content)))
    assert found.content == content


def test_a_symbol_says_where_it_lies(reader: SymbolReader) -> None:
    symbol = drawn("where")
    (found,) = reader.look(framed(symbol, 300, 200))
    box = found.box
    assert 300 <= box.x < box.x + box.width <= 300 + symbol.shape[1]
    assert 200 <= box.y < box.y + box.height <= 200 + symbol.shape[0]


def test_two_symbols_of_one_frame_are_two(reader: SymbolReader) -> None:
    image = framed(drawn("left"), 20, 150)
    right = drawn("right")
    image[150 : 150 + right.shape[0], 400 : 400 + right.shape[1]] = right[:, :, None]
    assert {one.text for one in reader.look(image)} == {"left", "right"}


@pytest.mark.parametrize("name", ["MicroQRCode", "Aztec", "DataMatrix", "PDF417"])
def test_other_formats_are_read_within_a_second(reader: SymbolReader, name: str) -> None:
    image = framed(created("HELLO", name), 40, 60)
    found = [one for _ in range(A_SECOND) for one in reader.look(image)]
    assert {(one.format, one.text) for one in found} == {(name, "HELLO")}
