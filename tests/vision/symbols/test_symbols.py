"""Symbols in still images and in a camera's frames."""

from itertools import pairwise

import numpy as np
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from agent.domain.sight.track import Box
from agent.lab.bench.symbols import CLASSES, empty_frames, scenes
from agent.vision.symbols import symbols
from agent.vision.symbols.symbol_passes import COSTLY, DEFAULT, ZBAR, Found, Pass
from agent.vision.symbols.symbols import SymbolWatch, read_symbols


def drawn(text: str | bytes, scale: int = 4, **options) -> np.ndarray:
    rows = list(segno.make(text, **options).matrix_iter(scale=scale, border=4))
    return np.where(np.array(rows) > 0, 0, 255).astype(np.uint8)


def created(text: str, name: str) -> np.ndarray:
    barcode = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, name))
    return np.pad(np.array(barcode.to_image(scale=5)), 40, constant_values=255)


@pytest.mark.parametrize("text", ["GP1:ABC", "住户通行证", "a" * 400, "ｶﾀｶﾅ", "https://e.x/?q=1"])
def test_a_qr_code_says_its_text(text: str) -> None:
    (found,) = read_symbols(drawn(text, micro=False))
    assert (found.format, found.text, found.decoder) == ("QRCode", text, "zxing")


@pytest.mark.parametrize("name", ["MicroQRCode", "Aztec", "DataMatrix", "PDF417"])
def test_other_formats_are_read(name: str) -> None:
    (found,) = read_symbols(created("HELLO", name))
    assert (found.format, found.text, found.content) == (name, "HELLO", b"HELLO")


def test_bytes_that_are_no_text_come_to_the_byte() -> None:
    data = bytes([0xFF, 0xFE, 0x00, 0x80] * 8)
    (found,) = read_symbols(drawn(data, micro=False))
    assert found.content == data


def test_colour_and_dark_mode_are_read() -> None:
    grey = 255 - drawn("dark", micro=False)
    image = np.dstack([grey, grey, grey])
    assert [one.text for one in read_symbols(image)] == ["dark"]


def test_a_code_in_colours_of_one_brightness_is_read() -> None:
    code = drawn("colours", micro=False)
    # Green and red weigh 0.587 and 0.299 in brightness: these two are equally bright.
    image = np.zeros((*code.shape, 3), np.uint8)
    image[code == 0] = (0, 110, 0)
    image[code != 0] = (0, 0, 216)
    (found,) = read_symbols(image)
    assert (found.text, found.decoder.split("+")[1] in ("green", "red")) == ("colours", True)


def test_every_symbol_of_an_image_is_read_where_it_lies() -> None:
    page = np.full((400, 900), 255, np.uint8)
    for number, text in enumerate(["one", "two", "two"]):
        code = drawn(text, micro=False)
        page[50 : 50 + code.shape[0], 50 + 280 * number : 50 + 280 * number + code.shape[1]] = code
    found = sorted(read_symbols(page), key=lambda one: one.box.x)
    assert [one.text for one in found] == ["one", "two", "two"]
    assert [abs(one.box.x - (50 + 280 * n)) < 30 for n, one in enumerate(found)] == [True] * 3


def test_neither_text_nor_bytes_are_in_a_repr() -> None:
    (found,) = read_symbols(drawn("secret-word", micro=False))
    assert "secret" not in repr(found)


def one_found(content: bytes, x: int = 0) -> list[Found]:
    return [Found("QRCode", content, content.decode(), Box(x, 0, 100, 100))]


def test_zbars_word_never_stands_where_zxing_has_one(monkeypatch) -> None:
    page = np.full((64, 64), 255, np.uint8)
    monkeypatch.setattr(symbols, "DEFAULT", Pass("zxing", lambda _: one_found(b"right")))
    garbled = Pass("zbar", lambda _: one_found(b"wrong", 4) + one_found(b"other", 300))
    monkeypatch.setattr(symbols, "ZBAR", garbled)
    found = read_symbols(page)
    assert [(one.text, one.decoder) for one in found] == [("right", "zxing"), ("other", "zbar")]


def test_half_width_katakana_are_not_garbled() -> None:
    image = drawn("ﾔﾏﾀﾞ ﾊﾅｺ", micro=False, encoding="shift_jis", mode="byte")
    assert all(one.decoder == "zxing" for one in read_symbols(image))


@pytest.mark.parametrize("name", CLASSES)
def test_what_either_library_reads_is_read(name: str) -> None:
    for scene in scenes(name, 5, seed=11):
        texts = {one.text for one in read_symbols(scene.image)}
        either = {one.text for one in (*DEFAULT(scene.image), *ZBAR(scene.image))}
        assert either <= texts
        assert texts <= {scene.text}


@pytest.mark.slow
def test_the_costlier_passes_read_more() -> None:
    found = {"all": 0, "defaults": 0}
    for name in ("small_modules", "blur", "phone"):
        for scene in scenes(name, 8, seed=5):
            found["all"] += scene.text in {one.text for one in read_symbols(scene.image)}
            defaults = (*DEFAULT(scene.image), *ZBAR(scene.image))
            found["defaults"] += scene.text in {one.text for one in defaults}
    assert found["all"] >= 1.5 * found["defaults"]


@pytest.mark.parametrize("way", COSTLY, ids=lambda way: way.name)
def test_every_pass_reads_a_plain_code_in_its_place(way: Pass) -> None:
    page = np.full((480, 640), 200, np.uint8)
    code = drawn("plain text 123", micro=False, scale=5)
    page[100 : 100 + code.shape[0], 300 : 300 + code.shape[1]] = code
    (found,) = way(page)
    assert found.text == "plain text 123"
    assert abs(found.box.x - 320) < 25
    assert abs(found.box.width - (code.shape[1] - 40)) < 25


def test_nothing_is_read_where_there_is_nothing() -> None:
    watch = SymbolWatch()
    for image in empty_frames(5, seed=9):
        assert read_symbols(image, budget_s=0.5) == []
        assert watch.look(image) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1), np.uint8),
        np.zeros((16, 16, 3), np.uint8),
        np.full((2, 3000), 255, np.uint8),
        np.full((3000, 2), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8),
    ],
)
def test_odd_images_hold_nothing(image: np.ndarray) -> None:
    assert read_symbols(image, budget_s=0.5) == []


@settings(max_examples=25)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)))
def test_no_pixels_do_more_than_hold_nothing(image: np.ndarray) -> None:
    assert read_symbols(image, budget_s=0.2) == []
    assert SymbolWatch().look(image) == []


def test_a_stream_costs_one_costlier_pass_at_a_time(monkeypatch) -> None:
    """Never in two frames in a row, and every one of them has its turn."""
    called: list[tuple[int, str]] = []
    frame = 0

    def noted(way: Pass) -> Pass:
        def read(grey: np.ndarray) -> list[Found]:
            called.append((frame, way.name))
            return []

        return Pass(way.name, read)

    ways = tuple(noted(way) for way in symbols._LIVE)
    monkeypatch.setattr(symbols, "_LIVE", ways)
    watch = SymbolWatch()
    for frame, image in enumerate(empty_frames(60)):  # noqa: B007 - named in ``read``
        watch.look(image)
    frames = [number for number, _ in called]
    assert all(later - earlier > 1 for earlier, later in pairwise(frames))
    assert {name for _, name in called} == {way.name for way in ways}


def test_a_code_that_only_a_costlier_pass_reads_is_read_in_a_stream() -> None:
    hard = [
        scene
        for scene in scenes("phone", 20, seed=5)
        if not any(way(scene.image) for way in (DEFAULT, ZBAR)) and read_symbols(scene.image)
    ]
    assert hard
    watch = SymbolWatch()
    read = [one.text for _ in range(80) for one in watch.look(hard[0].image)]
    assert hard[0].text in read
