"""A decoder that raises on a code costs that code, and no batch and no camera."""

import struct
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from places import SHARED
from pyzbar import wrapper

from agent.domain.foreign.boundary import UNREADABLE
from agent.vision.stills.images import read_on_white
from agent.vision.symbols.symbol_passes import COSTLY, DEFAULT, QUICK, ZBAR, Pass, zxing_unread
from agent.vision.symbols.symbols import SymbolWatch, grey_of, read_symbols

CASES = SHARED / "cases"
RAISED = [
    ValueError("4294967295 is not a valid ZBarOrientation"),
    cv2.error("OpenCV(4)"),
    RuntimeError("Unknown position"),
    MemoryError(),
    RecursionError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    struct.error("unpack"),
    AssertionError(),
]


def case(name: str) -> Path:
    file = CASES / name
    if not file.exists():
        pytest.skip(f"{name} is not beside the project")
    return file


def code(text: str | bytes, **options: Any) -> np.ndarray:
    rows = list(segno.make_qr(text, **options).matrix_iter(scale=4, border=4))
    return np.where(np.array(rows) > 0, 0, 255).astype(np.uint8)


def raiser(error: BaseException) -> Any:
    def fail(*_arguments: object, **_named: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize("name", ["part0.png", "part1.png", "live-frame.png"])
def test_a_part_of_a_structured_append_code_ends_nothing(name: str) -> None:
    image = read_on_white(case(name))
    for one in read_symbols(image):
        assert one.text is None or one.text.startswith("COME TO THE PARTY")
    watch = SymbolWatch()
    for _ in range(60):
        watch.look(image)
    for way in (DEFAULT, QUICK, ZBAR, *COSTLY):
        way(grey_of(image))


def test_gb18030_without_a_declared_encoding_is_read() -> None:
    [found] = read_symbols(read_on_white(case("gb18030_noeci.png")))
    assert found.text == "访客张三 浦东新区 12号楼"


@pytest.mark.parametrize("way", [DEFAULT, ZBAR], ids=lambda way: way.name)
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("访客张三".encode("gb18030"), "访客张三"),
        ("こんにちは世界".encode("shift_jis"), "こんにちは世界"),
        ("访客张三".encode(), "访客张三"),
        ("Zürich Straße".encode("latin-1"), None),
        ("Привет мир".encode("cp1251"), None),
    ],
)
def test_bytes_without_a_declared_encoding_are_never_garbled(
    way: Pass, content: bytes, text: str | None
) -> None:
    [found] = way(code(content, mode="byte"))
    assert (found.content, found.text) == (content, text)


@pytest.mark.parametrize("way", [DEFAULT, ZBAR], ids=lambda way: way.name)
@pytest.mark.parametrize(
    ("text", "encoding"), [("Ж", "iso-8859-5"), ("日本語", "utf-8"), ("日本語", "shift_jis")]
)
def test_a_declared_encoding_is_believed(way: Pass, text: str, encoding: str) -> None:
    [found] = way(code(text, encoding=encoding, eci=True, mode="byte"))
    assert found.text == text


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("library", "name", "left"),
    [
        (zxingcpp, "read_barcodes", "zbar"),
        (wrapper, "zbar_scan_image", "zxing"),
        (wrapper, "zbar_symbol_get_data", "zxing"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_one_library_that_raises_leaves_the_other(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, library: Any, name: str, left: str
) -> None:
    before = sum(UNREADABLE.read().values())
    monkeypatch.setattr(library, name, raiser(error))
    [found] = read_symbols(code("GP1:ABC"))
    assert (found.text, found.decoder) == ("GP1:ABC", left)
    assert sum(UNREADABLE.read().values()) > before


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_a_camera_goes_on_whatever_all_libraries_raise(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    watch, image = SymbolWatch(), code("GP1:ABC")
    with monkeypatch.context() as broken:
        broken.setattr(zxingcpp, "read_barcodes", raiser(error))
        broken.setattr(wrapper, "zbar_scan_image", raiser(error))
        for name in ("resize", "GaussianBlur", "createCLAHE", "addWeighted"):
            broken.setattr(cv2, name, raiser(error))
        assert [one for _ in range(30) for one in watch.look(image)] == []
        assert zxing_unread(image) == []
    assert [one.text for one in watch.look(image)] == ["GP1:ABC"]


@pytest.mark.parametrize("way", COSTLY, ids=lambda way: way.name)
def test_no_costly_pass_raises(monkeypatch: pytest.MonkeyPatch, way: Pass) -> None:
    monkeypatch.setattr(zxingcpp, "read_barcodes", raiser(RuntimeError()))
    monkeypatch.setattr(wrapper, "zbar_image_create", raiser(RuntimeError()))
    assert way(code("GP1:ABC")) == []
