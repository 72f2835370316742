"""Photographs as telephones keep them, and what is none, named."""

import io
import struct
import sys

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ImageError
from agent.vision.stills.heif import is_heif
from agent.vision.stills.image_header import declared_pixels
from agent.vision.stills.images import decode_image, read_on_black, read_on_white


def picture(mode: str = "RGB", width: int = 96, height: int = 64) -> np.ndarray:
    """Red rises to the right, green downwards; the left upper corner is blue."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[:, :, 0] = np.linspace(0, 255, width)
    image[:, :, 1] = np.linspace(0, 255, height)[:, None]
    image[:24, :24, 2] = 255
    if mode == "L":
        return np.asarray(image[:, :, 0])
    return np.dstack([image, np.full((height, width), 200, np.uint8)]) if mode == "RGBA" else image


def heic(mode: str = "RGB", **options: object) -> bytes:
    image = picture(mode)
    size = (image.shape[1], image.shape[0])
    file = pillow_heif.from_bytes(mode=mode, size=size, data=image.tobytes())
    stored = io.BytesIO()
    file.save(stored, quality=95, **options)
    return stored.getvalue()


def with_turn(orientation: int) -> bytes:
    """The EXIF block of that one tag."""
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\x00\x00MM\x00*" + struct.pack(">IH", 8, 1) + tag + b"\x00" * 4


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_photograph_of_a_telephone_is_read(mode: str) -> None:
    data = heic(mode)
    expected = picture("RGB") if mode != "L" else np.dstack([picture("L")] * 3)
    assert is_heif(data)
    assert declared_pixels(data) == 96 * 64
    found = decode_image(data)
    assert found.flags["C_CONTIGUOUS"]
    assert np.abs(found[:, :, ::-1].astype(int) - expected).mean() < 8


def test_its_turn_is_applied_once() -> None:
    found = decode_image(heic(exif=with_turn(6)))
    assert np.abs(found[:, :, ::-1].astype(int) - np.rot90(picture(), -1)).mean() < 8


def test_it_may_be_a_page_too(tmp_path) -> None:
    path = tmp_path / "photograph.HEIC"
    path.write_bytes(heic())
    assert read_on_white(path).shape == (64, 96, 3)
    assert read_on_black(path) is None


def test_what_declares_too_much_is_not_decoded() -> None:
    data = heic().replace(struct.pack(">II", 96, 64), struct.pack(">II", 12_000, 12_000))
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    assert caught.value.reason == "image_too_large"


def test_so_it_is_where_the_header_lies_far_behind(monkeypatch) -> None:
    monkeypatch.setattr("agent.vision.stills.images.declared_pixels", lambda _: 0)
    monkeypatch.setattr("agent.vision.stills.images._LARGEST_PIXELS", 96 * 64 - 1)
    with pytest.raises(ImageError) as caught:
        decode_image(heic())
    assert caught.value.reason == "image_too_large"


def test_without_the_library_the_fix_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"Fix: .*JPEG") as caught:
        decode_image(heic())
    assert caught.value.reason == "unreadable_image"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_changed_file_is_an_image_or_an_error(data: st.DataObject) -> None:
    stored = bytearray(heic())
    for _ in range(data.draw(st.integers(1, 4))):
        stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(stored)))
    for some in (bytes(stored), bytes(stored[:cut])):
        try:
            found = decode_image(some)
        except ImageError:
            continue
        assert found.dtype == np.uint8
        assert found.ndim == 3


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04word/", "an archive or office document"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf", "AVIF"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1miafavif", "AVIF"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ", "a video"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "a camera's raw file"),
        (b"8BPS\x00\x01", "a Photoshop document"),
        (b'<?xml version="1.0"?>\n<svg/>', "an SVG drawing"),
        (b"<!DOCTYPE html><html>", "a web page"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(data: bytes, kind: str) -> None:
    with pytest.raises(ImageError, match="Fix: ") as caught:
        decode_image(data + bytes(64))
    assert caught.value.reason == "unreadable_image"
    assert str(caught.value).startswith(kind)


def test_opencv_keeps_its_own_formats() -> None:
    ok, data = cv2.imencode(".jpg", picture())
    assert ok
    assert not is_heif(data.tobytes())
    assert not is_heif(b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf")
    assert not is_heif(b"")
