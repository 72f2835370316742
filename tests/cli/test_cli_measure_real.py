"""gallery check and evaluate on real photographs, through the commands."""

import shutil
from pathlib import Path

import pytest
from gate_command import Gate

EVALUATION_KEYS = {
    "pack", "images", "failed_to_acquire", "genuine", "impostor", "auc", "accuracy",
    "accuracy_threshold", "fnmr", "threshold", "acquisition", "reference_bits",
    "persons", "impostor_needed", "confidence", "fnmr_interval", "fnmr_upper", "threshold_interval",
    "ms_per_image", "licence", "free_for_commercial_use",
}  # fmt: skip
FMRS = ["1e-2", "1e-3", "1e-4"]


@pytest.fixture
def people(faces: Path, tmp_path: Path) -> Path:
    """Two people of two photographs, one of one, and a file that is no image."""
    folder = tmp_path / "people"
    for name, files in {
        "obama": ["gallery/obama.jpg", "probe/obama1.jpg"],
        "lowe": ["gallery/lowe.jpg", "probe/lowe_2.jpg"],
        "biden": ["gallery/biden.jpg"],
    }.items():
        (folder / name).mkdir(parents=True)
        for file in files:
            shutil.copy(faces / file, folder / name)
    (folder / "biden" / "broken.jpg").write_bytes(b"no image")
    return folder


def test_identities_are_evaluated(people: Path, pack_state: Path, gate: Gate) -> None:
    sheets = people.parent / "sheets"
    answer = gate("evaluate", "identities", people, "--sheets", sheets, "--json")
    assert (answer.code, answer.err) == (0, "")
    found = answer.json
    assert {path.name for path in sheets.iterdir()} == {"packs.csv", "rates.csv"}
    assert "\ndlib,1e-2," in (sheets / "rates.csv").read_text()
    assert set(found) == EVALUATION_KEYS | {"open_set"}
    assert (found["pack"], found["images"]) == ("dlib", 6)
    assert found["failed_to_acquire"] == ["biden/broken.jpg"]
    assert (found["genuine"], found["impostor"]) == (3, 12)
    assert list(found["fnmr"]) == list(found["threshold"]) == FMRS
    # 12 pairs carry no rate; the broken image's one genuine pair counts as a non-match.
    assert set(found["fnmr"].values()) == {None}
    assert found["accuracy"] == pytest.approx(14 / 15)
    assert {path.name for path in pack_state.iterdir()} == {"models", "pack.json"}


def test_pairs_are_evaluated(faces: Path, pack_state: Path, gate: Gate, tmp_path: Path) -> None:
    listing = tmp_path / "pairs.csv"
    listing.write_text(
        "file_x,file_y,decision\n"
        "gallery/obama.jpg,probe/obama1.jpg,YES\n"
        "gallery/lowe.jpg,probe/lowe_2.jpg,yes\n"
        "gallery/lowe.jpg,gallery/biden.jpg,No\n"
    )
    answer = gate("evaluate", "pairs", "--images", faces, "--csv", listing, "--json")
    assert answer.code == 0
    assert set(answer.json) == EVALUATION_KEYS
    assert (answer.json["genuine"], answer.json["impostor"]) == (2, 1)
    assert (answer.json["auc"], answer.json["accuracy"]) == (1.0, 1.0)
    assert "1e-4" in gate("evaluate", "pairs", "--images", faces, "--csv", listing).out


def test_what_cannot_be_evaluated_is_refused(pack_state: Path, gate: Gate, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, code in ((empty, 1), (tmp_path / "missing", 69)):
        answer = gate("evaluate", "identities", folder, "--json")
        assert answer.code == code
        assert str(folder) in answer.json["error"]
    answer = gate("evaluate", "pairs", "--images", empty, "--csv", tmp_path / "none", "--json")
    assert answer.code == 69


def test_a_gallery_names_who_is_too_close(key_state: Path, faces: Path, gate: Gate) -> None:
    words = ("--name", "N", "--category", "resident")
    # Of fewer people nobody could say how alike they are.
    others = ("baye.jpg", "biden.jpg", "lacamoire.png", "leslie.jpg", "lowe.jpg", "miranda.png")
    for number, image in enumerate(others):
        assert gate("enrol", f"h{number}", *words, faces / "gallery" / image).code == 0
    assert gate("enrol", "one", *words, faces / "gallery" / "obama.jpg").code == 0
    alone = gate("gallery", "check", "--json").json
    assert (alone["holders"], alone["ambiguous_holders"], alone["close_pairs"]) == (7, 0, [])
    assert gate("enrol", "two", *words, "--force", faces / "probe" / "obama1.jpg").code == 0
    found = gate("gallery", "check", "--json").json
    assert (found["holders"], found["ambiguous_holders"]) == (8, 2)
    assert found["decision"]["people"]["look_alike_pairs_left_out"] == 1
    [pair] = found["close_pairs"]
    assert (pair["one"], pair["other"]) == ("one", "two")
    assert pair["score"] >= found["threshold"]
    assert 0.0 < found["false_grant_rate"]["expected"] <= 0.01
    assert found["impostor"]["pairs"] == 28
    shown = gate("gallery", "check").out
    assert "one" in shown
    assert "decided by" in shown
    picture = faces.parent / "scores.gif"
    assert gate("gallery", "check", "--plot", picture).code == 2


def test_an_empty_gallery_is_no_error(state_dir: Path, gate: Gate) -> None:
    answer = gate("gallery", "check", "--json")
    assert (answer.code, answer.json["holders"], answer.json["impostor"]) == (0, 0, None)
    assert not state_dir.exists()
