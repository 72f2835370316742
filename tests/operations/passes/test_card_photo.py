"""The photograph on a card: its shape, its size, and where it is cut."""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image as Pictures
from places import SHARED

from agent.operations.passes.card_photo import PHOTO_MM, card_photo


def decoded(data: bytes) -> Pictures.Image:
    return Pictures.open(io.BytesIO(data))


@pytest.mark.parametrize("size", [(4000, 3000), (1200, 1600), (260, 2000)])
def test_a_large_photograph_has_300_dots_an_inch(tmp_path: Path, size: tuple[int, int]) -> None:
    Pictures.new("RGB", size, (90, 120, 150)).save(tmp_path / "one.png")
    made = decoded(card_photo(tmp_path / "one.png"))
    assert made.size == (260, 331)
    assert not made.getexif()


def test_a_telephones_photograph_is_taken(tmp_path: Path) -> None:
    red = np.full((640, 480, 3), (200, 30, 30), np.uint8)
    pillow_heif.from_bytes(mode="RGB", size=(480, 640), data=red.tobytes()).save(
        tmp_path / "a.heic"
    )
    made = np.asarray(decoded(card_photo(tmp_path / "a.heic")))
    assert np.abs(made.mean(axis=(0, 1)) - (200, 30, 30)).max() < 12


def test_a_small_one_is_cut_and_not_enlarged(tmp_path: Path) -> None:
    Pictures.new("RGB", (110, 90), (90, 120, 150)).save(tmp_path / "one.png")
    made = decoded(card_photo(tmp_path / "one.png"))
    assert made.height == 90
    assert made.width / made.height == pytest.approx(PHOTO_MM[0] / PHOTO_MM[1], abs=0.01)


def test_without_a_face_the_middle_is_shown(tmp_path: Path) -> None:
    wide = np.zeros((300, 900, 3), np.uint8)
    wide[:, 330:570] = 255
    Pictures.fromarray(wide).save(tmp_path / "one.png")
    assert np.asarray(decoded(card_photo(tmp_path / "one.png"))).min() > 200


def test_what_is_transparent_is_paper(tmp_path: Path) -> None:
    Pictures.new("RGBA", (220, 280), (0, 0, 0, 0)).save(tmp_path / "one.png")
    assert np.asarray(decoded(card_photo(tmp_path / "one.png"))).min() > 250


@pytest.mark.parametrize("left", [0, 1200])
def test_a_face_at_the_side_comes_to_the_middle(tmp_path: Path, left: int) -> None:
    file = SHARED / "faces" / "gallery" / "miranda.png"
    if not file.is_file():
        pytest.skip("../shared/faces is absent")
    portrait = Pictures.open(file).convert("RGB").resize((600, 600))
    scene = Pictures.new("RGB", (1800, 600), (0, 255, 0))
    scene.paste(portrait, (left, 0))
    scene.save(tmp_path / "scene.png")
    shown = np.asarray(decoded(card_photo(tmp_path / "scene.png"))).astype(int)
    green = (shown[:, :, 1] > 200) & (shown[:, :, 0] < 60)
    assert green.mean() < 0.05
