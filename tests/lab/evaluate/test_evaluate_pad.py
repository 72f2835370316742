"""Attack detection on a folder: counts, rates and bounds, and what is no such folder."""

import json
import math
from pathlib import Path

import pytest

from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate import open_pad
from agent.lab.evaluate.pad import PadMethod, evaluate_pad, table_rows
from agent.operations.packs.choice import Choice, write_choice

NONE = -1.0


def score_of(path: Path) -> float | None:
    """Its file's content; ``NONE`` for no face."""
    value = float(path.read_text())
    return None if value == NONE else value


METHOD = PadMethod(("one", "two"), "finder", 0.5, score_of, workers=3)


def silent(stage: str, done: int, total: int) -> None:
    assert stage
    assert 0 <= done <= total


def pictures(folder: Path, **kinds: list[float]) -> Path:
    for kind, scores in kinds.items():
        (folder / kind / "nested").mkdir(parents=True)
        for number, score in enumerate(scores):
            place = folder / kind / ("nested" if number % 2 else ".")
            (place / f"{number}.jpg").write_text(str(score))
    return folder


def test_rates_are_of_those_whose_face_was_found(tmp_path):
    bona_fide = [0.9] * 18 + [0.4, math.nan, NONE]
    folder = pictures(
        tmp_path, bona_fide=bona_fide, screen=[0.1, 0.5, NONE], print=[0.2] * 4, empty=[]
    )
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "1.jpg").write_text("0.9")
    (folder / "notes.txt").write_text("beside the folders")
    found = evaluate_pad(folder, METHOD, silent).as_json()
    assert json.loads(json.dumps(found)) == found
    assert (found["bona_fide"], found["attacks"]) == (21, {"empty": 0, "print": 4, "screen": 3})
    assert found["failed_to_acquire"] == ["bona_fide/20.jpg", "screen/2.jpg"]
    assert (found["packs"], found["threshold"]) == (["one", "two"], 0.5)
    assert found["bpcer"] == 0.1
    assert found["apcer"] == {"empty": None, "print": 0.0, "screen": 0.5}
    # Tables of the binomial: none of 4 leaves 52.7 %, 2 of 20 28.3 % at 95 %.
    assert found["apcer_upper"]["print"] == pytest.approx(0.5271, abs=1e-4)
    assert found["bpcer_upper"] == pytest.approx(0.2826, abs=1e-4)
    assert found["apcer_upper"]["empty"] is None
    assert 0.8 < found["auc"] < 1.0
    assert table_rows(found)[1] == ("empty", "0", "-", "-")


def test_where_no_face_was_found_nothing_is_said(tmp_path):
    folder = pictures(tmp_path, bona_fide=[NONE, NONE], print=[NONE])
    found = evaluate_pad(folder, METHOD, silent).as_json()
    assert (found["bona_fide"], found["attacks"]) == (2, {"print": 1})
    assert [found[key] for key in ("auc", "bpcer", "bpcer_upper")] == [None] * 3
    assert (found["apcer"], found["apcer_upper"]) == ({"print": None}, {"print": None})


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        ({}, "no_bona_fide"),
        ({"bona_fide": []}, "no_bona_fide"),
        ({"print": [0.1]}, "no_bona_fide"),
        ({"bona_fide": [0.9]}, "no_attacks"),
        ({"bona_fide": [0.9], "print": []}, "no_attacks"),
    ],
)
def test_a_folder_that_can_say_nothing_is_refused(tmp_path, kinds, reason):
    with pytest.raises(RefusedError) as caught:
        evaluate_pad(pictures(tmp_path, **kinds), METHOD, silent)
    assert caught.value.reason == reason
    assert "Fix: " in str(caught.value)


def test_no_picture_is_counted_twice_by_a_link(tmp_path):
    folder = pictures(tmp_path, bona_fide=[0.9], print=[0.1])
    (folder / "loop").symlink_to(folder)
    with pytest.raises(RefusedError, match="counted twice"):
        evaluate_pad(folder, METHOD, silent)


def test_no_folder_is_told(tmp_path):
    with pytest.raises(UnavailableError, match="is no folder"):
        evaluate_pad(tmp_path / "nowhere", METHOD, silent)


def test_faces_are_found_by_the_chosen_pack(tmp_path):
    for name in ("dlib", "retail"):
        (tmp_path / "models" / name).mkdir(parents=True)
    write_choice(tmp_path, Choice("retail", "a reason"))
    assert open_pad.installed_finder(tmp_path) == "retail"
