"""Several photographs, one reference: added to, taken from, made anew by another pack, guided."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from places import ROOT, SHARED

from agent.app.open.files.running import held
from agent.errors import UnavailableError

NAMED = ("--name", "A Name", "--category", "resident")
OTHER_PACK = "yunet-mobilefacenet"


@pytest.fixture
def obama(key_state: Path, faces: Path, gate: Gate) -> tuple[Path, Path]:
    """Enrolled by two photographs, which these are."""
    images = (faces / "gallery" / "obama.jpg", faces / "probe" / "obama1.jpg")
    made = gate("enrol", "obama", *NAMED, "--json", *images)
    assert made.code == 0, made.out
    assert (made.json["references"], made.json["photographs"], made.json["parts"]) == (1, 2, [2])
    return images


def rows(gate: Gate) -> list[dict[str, Any]]:
    return list(gate("holders", "references", "obama", "--json").json)


def test_photographs_join_and_leave_a_reference(
    obama: tuple[Path, Path], faces: Path, gate: Gate
) -> None:
    assert [(row["photograph"], row["reference"]) for row in rows(gate)] == [(1, 1), (2, 1)]
    assert "template" not in str(rows(gate))
    left = gate("holders", "references", "obama", "--remove", "2", "--json")
    assert left.json == {
        "id": "obama", "removed": 2, "references": 1, "photographs": 1,
        "forgotten": 0, "erased": True,
    }  # fmt: skip
    last = gate("holders", "references", "obama", "--remove", "1", "--json")
    assert (last.code, last.json["reason"]) == (1, "last_photograph")
    gone = gate("holders", "references", "obama", "--remove", "2", "--json")
    assert gone.json["reason"] == "no_such_photograph"
    wrong = gate("enrol", "obama", "--add", faces / "gallery" / "biden.jpg", "--json")
    assert (wrong.code, wrong.json["reason"]) == (1, "different_people")
    again = gate("enrol", "obama", "--add", obama[0], "--json")
    assert again.json["reason"] == "same_photograph"
    before = gate("holders", "show", "obama", "--json").json
    added = gate("enrol", "obama", "--add", obama[1], "--json")
    assert (added.json["references"], added.json["photographs"]) == (1, 2)
    assert gate("holders", "show", "obama", "--json").json == before


def test_one_photograph_is_taken_and_it_is_said_what_another_would_gain(
    key_state: Path, faces: Path, gate: Gate
) -> None:
    made = gate("enrol", "biden", *NAMED, faces / "gallery" / "biden.jpg")
    assert made.code == 0
    assert "with a second one" in made.err
    assert "--add FILE" in made.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--add", "a.jpg", "b.jpg"), "--add takes no IMAGE"),
        (("x", "--add", "a.jpg", "--camera"), "exclude each other"),
        (("x",), "Missing argument"),
        (("x", "a.jpg"), "Missing option '--name'"),
        (("x", "a.jpg", "--name", "n"), "Missing option '--category'"),
        (("x", "--camera", "front", "back"), "one camera"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    words: tuple[str, ...], said: str, state_dir: Path, gate: Gate
) -> None:
    answer = gate("enrol", *words)
    assert (answer.code, said in answer.err) == (2, True), answer.err


def test_kept_photographs_or_a_folder_make_references_of_another_pack(
    obama: tuple[Path, Path], faces: Path, gate: Gate, tmp_path: Path
) -> None:
    brought = SHARED / "models" / OTHER_PACK
    if not brought.is_dir():
        pytest.skip(f"../shared/models/{OTHER_PACK} is absent")
    state = Path(os.environ["GATE_AGENT_STATE_DIR"])
    installed = (state / "models").resolve()
    (state / "models").unlink()
    (state / "models").mkdir()
    (state / "models" / "dlib").symlink_to(installed / "dlib")
    accepted = ("--accept-licence", "LicenseRef-none-stated")
    assert gate("models", "install", OTHER_PACK, *accepted, "--from", brought).code == 0
    assert gate("enrol", "biden", *NAMED, faces / "gallery" / "biden.jpg").code == 0
    switch = ("holders", "re-enrol", "--pack", OTHER_PACK, "--json")
    nothing = gate(*switch)
    assert (nothing.code, nothing.json["must_come"]) == (0, ["biden", "obama"])
    folder = tmp_path / "photographs"
    (folder / "obama").mkdir(parents=True)
    for number, image in enumerate(obama):
        (folder / "obama" / f"{number}.jpg").write_bytes(image.read_bytes())
    (folder / "biden.png").write_bytes((faces / "hard" / "no_face.png").read_bytes())
    made = gate(*switch, "--photos", folder)
    assert made.code == 1
    assert made.json["re_enrolled"] == [{"holder": "obama", "references": 1, "photographs": 2}]
    assert [(one["holder"], one["reason"]) for one in made.json["failed"]] == [("biden", "no_face")]
    assert made.json["must_come"] == ["biden"]
    assert gate(*switch).json["had"] == ["obama"]
    shown = gate("holders", "show", "obama", "--json").json["references"]
    assert shown == {"dlib": 1, OTHER_PACK: 1}
    # By the other pack biden is nobody: nothing of dlib's is compared with it.
    image = faces / "gallery" / "biden.jpg"
    [found] = gate("identify", "--pack", OTHER_PACK, "--json", image).lines
    assert [face["reason"] for face in found["faces"]] == ["NoMatch"]


# --- guided --------------------------------------------------------------------------------------


@pytest.fixture
def empty_scene(config_file: Path, faces: Path) -> Path:
    """A config whose camera shows nobody."""
    image = faces / "hard" / "no_face.png"
    text = re.sub(r"source = .*", f'source = ["{image}"]\nloop = true', config_file.read_text())
    text = text.replace('kind = "opencv"', 'kind = "simulated"')
    config_file.write_text(text)
    return config_file


def test_at_the_camera_it_is_said_what_is_missing_and_nothing_is_stored(
    key_state: Path, empty_scene: Path, gate: Gate
) -> None:
    place = ("--config", empty_scene)
    answer = gate("enrol", "x", *NAMED, "--camera", "front", "--timeout", "1", *place, "--json")
    assert answer.code == 1
    *steps, refusal = answer.lines
    assert [(one["step"], one["next"]) for one in steps] == [("straight", "timed_out")]
    assert refusal["reason"] == "timed_out"
    assert "nobody" in refusal["fix"]
    assert gate("holders", "list", "--json").json == []
    unknown = gate("enrol", "x", *NAMED, "--camera", "back", *place, "--json")
    assert (unknown.code, unknown.json["reason"]) == (1, "no_camera")
    with held(key_state, UnavailableError("taken")):
        busy = gate("enrol", "x", *NAMED, "--camera", *place, "--json")
    assert (busy.code, busy.json["reason"]) == (1, "agent_runs")
    assert "systemctl stop gate-agent" in busy.json["fix"]
    assert "--camera-source" in busy.json["fix"]


def test_what_can_be_refused_is_refused_before_anybody_stands_there(
    obama: tuple[Path, Path], faces: Path, gate: Gate
) -> None:
    film = ("--camera-source", "/nowhere/film.mp4")
    assert gate("enrol", "obama", *NAMED, *film, "--json").json["reason"] == "holder_exists"
    assert gate("enrol", "nobody", *film, "--json").json["reason"] == "no_such_holder"
    absent = gate("enrol", "obama", *film, "--json")
    assert (absent.code, absent.json["error"]) == (69, "no /nowhere/film.mp4")


def test_killed_at_the_camera_nothing_is_left(
    key_state: Path, empty_scene: Path, gate: Gate
) -> None:
    words = ["enrol", "x", *NAMED, "--camera", "--config", str(empty_scene)]
    program = "import sys; from agent.cli.main import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stderr is not None
        assert "1 of 3" in child.stderr.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(30) != 0
    assert gate("holders", "list", "--json").json == []
