"""The default pack evaluated on public photographs, in both forms of the command."""

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate.open import Reports, evaluate_identities, evaluate_pairs
from agent.vision.face.acquire import acquire
from agent.vision.face.engine import load_engine
from agent.vision.face.quality import EVALUATION
from agent.vision.packs.packs import InstalledPack
from agent.vision.stills.images import read_image

PEOPLE = {
    "lacamoire": ["gallery/lacamoire.png", "probe/alex_lacamoire1.jpg"],
    "lowe": ["gallery/lowe.jpg", "probe/lowe_2.jpg"],
    "obama": ["gallery/obama.jpg", "probe/obama1.jpg"],
    "baye": ["gallery/baye.jpg"],
    "biden": ["gallery/biden.jpg"],
    "leslie": ["gallery/leslie.jpg"],
    "miranda": ["gallery/miranda.png"],
}
FMRS = ["1e-2", "1e-3", "1e-4"]


@pytest.fixture(scope="module")
def people(shared_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    for person, files in PEOPLE.items():
        (folder / person).mkdir()
        for file in files:
            shutil.copy(shared_faces / file, folder / person)
    return folder


@pytest.fixture(scope="module")
def crops(dlib_pack: InstalledPack, people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As old face sets come: grey, 92 x 112 pixels, the face filling them; as they are and dark."""
    engine = load_engine(dlib_pack)
    folder = tmp_path_factory.mktemp("crops")
    for path in sorted(people.rglob("*.*")):
        image = read_image(path)
        face = acquire(engine, image, EVALUATION).face
        assert face is not None, path
        box = face.box
        width, middle_x, middle_y = box.width, box.x + box.width // 2, box.y + box.height // 2
        height = round(width * 112 / 92)
        left, top = max(middle_x - width // 2, 0), max(middle_y - height // 2, 0)
        crop = cv2.cvtColor(image[top : top + height, left : left + width], cv2.COLOR_BGR2GRAY)
        small = cv2.resize(crop, (92, 112), interpolation=cv2.INTER_AREA)
        (folder / path.parent.name).mkdir(exist_ok=True)
        for name, gain in (("light", 1.0), ("dark", 0.6)):
            to = folder / path.parent.name / f"{path.stem}_{name}.pgm"
            assert cv2.imwrite(str(to), cv2.convertScaleAbs(small, alpha=gain))
    return folder


def alike(found: dict[str, Any]) -> dict[str, Any]:
    """What does not hang on how the pairs were listed, nor on the machine."""
    beside = ("ms_per_image", "open_set")
    return {name: value for name, value in found.items() if name not in beside}


def silent(stage: str, done: int, total: int) -> None:
    assert 0 <= done <= total, stage


def identities(folder: Path, state: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        json.dumps(evaluate_identities(folder, state, ["dlib"], silent), allow_nan=False)
    )
    return found


def test_people_on_photographs_are_told_apart(
    people: Path, dlib_pack: InstalledPack, state_dir: Path
) -> None:
    found = identities(people, state_dir)
    assert (found["pack"], found["images"], found["failed_to_acquire"]) == ("dlib", 10, [])
    assert (found["genuine"], found["impostor"]) == (3, 42)
    assert (found["auc"], found["accuracy"]) == (1.0, 1.0)
    # So few pairs carry no FMR; and a score is minus a distance.
    assert found["fnmr"] == found["threshold"] == dict.fromkeys(FMRS)
    assert -0.8 < found["accuracy_threshold"] < -0.3
    assert (found["persons"], found["licence"], found["open_set"]) == (7, "CC0-1.0", [])
    assert found["acquisition"] == EVALUATION.as_json()


def test_a_listing_of_every_pair_finds_what_identities_find(
    people: Path, dlib_pack: InstalledPack, state_dir: Path, tmp_path: Path
) -> None:
    files = sorted(path.relative_to(people) for path in people.rglob("*.*"))
    listing = tmp_path / "pairs.csv"
    lines = [
        f"{a},{b},{'Yes' if a.parent == b.parent else 'No'}" for a, b in combinations(files, 2)
    ]
    listing.write_text("\r\n".join(["file_x,file_y,decision", *lines]), "utf-8-sig")
    found = evaluate_pairs(people, listing, state_dir, ["dlib"], silent)
    assert alike(found) == alike(identities(people, state_dir))


def test_small_grey_crops_are_acquired_and_told_apart(
    crops: Path, dlib_pack: InstalledPack, state_dir: Path
) -> None:
    found = identities(crops, state_dir)
    assert (found["images"], found["failed_to_acquire"]) == (20, [])
    assert (found["genuine"], found["impostor"]) == (3 * 6 + 4, 168)
    assert found["auc"] > 0.99
    assert found["accuracy"] > 0.97


def test_an_image_of_nothing_fails_to_acquire(
    shared_faces: Path, people: Path, dlib_pack: InstalledPack, state_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "people"
    shutil.copytree(people, folder)
    shutil.copy(shared_faces / "hard" / "no_face.png", folder / "lowe")
    assert cv2.imwrite(str(folder / "lowe" / "black.png"), np.zeros((200, 200), np.uint8))
    assert identities(folder, state_dir)["failed_to_acquire"] == [
        "lowe/black.png",
        "lowe/no_face.png",
    ]


def test_a_failure_to_acquire_is_a_miss_among_real_faces(
    people: Path, dlib_pack: InstalledPack, state_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "people"
    shutil.copytree(people, folder)
    whole = (people / "lowe" / "lowe_2.jpg").read_bytes()
    (folder / "lowe" / "lowe_2.jpg").write_bytes(whole[:100])
    found = identities(folder, state_dir)
    assert found["failed_to_acquire"] == ["lowe/lowe_2.jpg"]
    assert (found["genuine"], found["impostor"]) == (3, 42)
    assert found["accuracy"] == pytest.approx(44 / 45)
    # Its 8 impostor pairs are as far below all else as its genuine one.
    assert found["auc"] == pytest.approx((2 * 42 + 0.5 * 8) / (3 * 42))


@pytest.mark.slow
def test_reports_are_written_beside_the_figures(
    people: Path, dlib_pack: InstalledPack, state_dir: Path, tmp_path: Path
) -> None:
    plot, curve = tmp_path / "plot.svg", tmp_path / "curve.toml"
    evaluate_identities(people, state_dir, ["dlib"], silent, Reports(plot=plot))
    assert "<svg " in plot.read_text()
    # 42 pairs make no curve, and no file.
    with pytest.raises(RefusedError, match="42 impostor pairs"):
        evaluate_identities(people, state_dir, ["dlib"], silent, Reports(curve=curve))
    assert not curve.exists()

    def never(stage: str, done: int, total: int) -> None:
        pytest.fail("the work began")

    for place in (tmp_path, tmp_path / "gone" / "plot.svg"):
        with pytest.raises(UnavailableError, match="cannot be written"):
            evaluate_identities(people, state_dir, ["dlib"], never, Reports(plot=place))
