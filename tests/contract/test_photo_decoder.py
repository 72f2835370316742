"""One suite for every ``ports.PhotoDecoder``: the maker's function, here one of our own."""

import sys
from pathlib import Path

import numpy as np
import pytest

from agent.adapters.id_reader.photo_decoder import MakersPhotoDecoder
from agent.errors import RefusedError, UnavailableError
from agent.ports import PhotoDecoder

PHOTO = b"WLf\x00" + bytes(range(256)) * 4
MAKER = """
import numpy as np

NO_FUNCTION = 7

def decode(photo):
    if photo[:3] != b"WLf":
        raise ValueError("no photograph: " + photo.hex())
    return np.full((126, 102, 3), photo[4], dtype=np.uint8)

def as_list(photo):
    return [[[1, 2, 3]]]

def grey(photo):
    return np.zeros((126, 102), dtype=np.uint8)

def huge(photo):
    return np.zeros((1, 5000, 3), dtype=np.uint8)

def empty(photo):
    return np.zeros((0, 102, 3), dtype=np.uint8)

def floats(photo):
    return np.zeros((126, 102, 3))

def ragged(photo):
    return [[1], [2, 3]]

def nothing(photo):
    return None
"""


@pytest.fixture(autouse=True)
def _maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wlt_of_a_maker.py").write_text(MAKER)
    (tmp_path / "wlt_that_breaks.py").write_text("raise OSError('no licence file')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("wlt_of_a_maker", "wlt_that_breaks"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture(params=["makers"])
def decoder(request: pytest.FixtureRequest) -> PhotoDecoder:
    assert request.param == "makers"
    return MakersPhotoDecoder("wlt_of_a_maker:decode")


def test_a_photograph_is_an_image(decoder: PhotoDecoder) -> None:
    image = decoder.decode(PHOTO)
    assert image.shape == (126, 102, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable


@pytest.mark.parametrize("photo", [b"", b"JFIF", bytes(1024)])
def test_what_cannot_be_opened_is_refused_and_not_quoted(
    decoder: PhotoDecoder, photo: bytes
) -> None:
    with pytest.raises(RefusedError) as refusal:
        decoder.decode(photo)
    assert refusal.value.reason == "unreadable_photo"
    assert photo == b"" or photo.hex() not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "function", ["as_list", "grey", "huge", "empty", "floats", "ragged", "nothing"]
)
def test_what_is_no_image_is_refused(function: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        MakersPhotoDecoder(f"wlt_of_a_maker:{function}").decode(PHOTO)
    assert refusal.value.reason == "unreadable_photo"


@pytest.mark.parametrize(
    "named",
    [
        "",
        "wlt_of_a_maker",
        "wlt_of_a_maker:",
        ":decode",
        "wlt_of_a_maker:missing",
        "wlt_of_a_maker:NO_FUNCTION",
        "wlt_of_nobody:decode",
        "wlt_that_breaks:decode",
        "..wlt:decode",
    ],
)
def test_a_decoder_that_is_none_is_said_with_the_fix(named: str) -> None:
    with pytest.raises(UnavailableError) as failure:
        MakersPhotoDecoder(named)
    assert "module:function" in str(failure.value.fix)
