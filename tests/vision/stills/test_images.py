"""Any image file becomes blue-green-red, 8 bits, upright; or an error and nothing else."""

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.sight.image import Image
from agent.errors import ImageError
from agent.vision.stills.image_header import declared_pixels
from agent.vision.stills.images import decode_image, read_image

LOSSLESS = (".png", ".bmp", ".tiff", ".ppm")
FORMATS = (*LOSSLESS, ".jpg", ".webp")


def picture(width: int = 60, height: int = 40) -> Image:
    """Blue rises to the right, green downwards."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[:, :, 0] = np.linspace(0, 255, width)
    image[:, :, 1] = np.linspace(0, 255, height)[:, None]
    return image


def encoded(image: np.ndarray, ending: str) -> bytes:
    ok, data = cv2.imencode(ending, image)
    assert ok
    return data.tobytes()


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF block of that one tag."""
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + tag + b"\x00" * 4
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("ending", LOSSLESS)
def test_every_pixel_is_kept(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"picture{ending}"
    path.write_bytes(encoded(picture(), ending))
    assert np.array_equal(read_image(path), picture())


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (picture()[:, :, 0], np.repeat(picture()[:, :, :1], 3, axis=2)),
        (picture().astype(np.uint16) * 257, picture()),
        (np.dstack([picture(), np.full((40, 60), 9, np.uint8)]), picture()),
        (picture()[:, :, 0].astype(np.uint16) * 257, np.repeat(picture()[:, :, :1], 3, axis=2)),
    ],
    ids=["grey", "16 bits", "alpha", "16 bits grey"],
)
def test_other_kinds_of_pixel_become_colour(stored: np.ndarray, expected: Image) -> None:
    assert np.array_equal(decode_image(encoded(stored, ".png")), expected)


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, lambda image: image),
        (2, lambda image: image[:, ::-1]),
        (3, lambda image: image[::-1, ::-1]),
        (6, lambda image: np.rot90(image, -1)),
        (8, np.rot90),
    ],
)
def test_a_photograph_stands_upright_by_its_exif(orientation, turned) -> None:
    image = decode_image(with_orientation(encoded(picture(), ".jpg"), orientation))
    expected = turned(decode_image(encoded(picture(), ".jpg")))
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_file_cut_short_is_an_error_without_a_print(
    capfd: pytest.CaptureFixture[str], ending: str, share: float
) -> None:
    data = encoded(picture(200, 200), ending)
    with pytest.raises(ImageError) as caught:
        decode_image(data[: int(len(data) * share)])
    assert caught.value.reason == "unreadable_image"
    assert capfd.readouterr() == ("", "")


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_an_image_or_an_error(data: st.DataObject) -> None:
    good = bytearray(encoded(picture(), data.draw(st.sampled_from(FORMATS))))
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = decode_image(bytes(good))
    except ImageError as error:
        assert error.reason in {"unreadable_image", "image_too_large", "image_too_small"}  # noqa: PT017 - either outcome is right
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_header_breaks_the_reader(data: bytes) -> None:
    for magic in (b"", b"II*\x00", b"P5\n", b"\xff\xd8", b"RIFF1234WEBP", b"....ftyp", b"GIF89a"):
        declared_pixels(magic + data)


@pytest.mark.parametrize("ending", FORMATS)
def test_the_header_tells_the_size(ending: str) -> None:
    assert declared_pixels(encoded(picture(60, 40), ending)) == 2400


@pytest.mark.parametrize("ending", [".png", ".webp", ".bmp", ".jpg"])
def test_a_picture_of_more_than_50_megapixels_is_refused(ending: str) -> None:
    data = encoded(np.zeros((7100, 7100), dtype=np.uint8), ending)
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    assert caught.value.reason == "image_too_large"


def test_a_gigapixel_is_refused_undecoded() -> None:
    with pytest.raises(ImageError) as caught:
        decode_image(b"P5\n40000 40000\n255\n" + b"\x00" * 100)
    assert caught.value.reason == "image_too_large"


@pytest.mark.parametrize("size", [(100, 490_000), (30_000, 100), (100, 16_385)])
def test_a_side_that_no_decoder_counts_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError) as caught:
        decode_image(encoded(np.zeros(size[::-1], dtype=np.uint8), ".png"))
    assert caught.value.reason == "image_too_large"


def test_what_is_no_photograph_says_so(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = tmp_path / "text.jpg"
    text.write_text("no photograph")
    for path in (tmp_path, pipe, text, tmp_path / "absent.jpg"):
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert caught.value.reason == "unreadable_image"
        assert str(path) in str(caught.value)
