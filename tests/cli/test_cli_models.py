"""Model packs at the command line: set up, chosen, listed, and told wherever that counts."""

import subprocess
from pathlib import Path

import pytest
from gate_command import Gate
from places import ROOT, SHARED

from agent.app.gate.run import tell_pack
from agent.operations.packs.choice import Choice, in_use, write_choice

AWAY = "http://127.0.0.1:9/"


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of several packs, a folder each; no source answers."""
    folder = SHARED / "models"
    if not folder.is_dir():
        pytest.skip("../shared/models is absent")
    monkeypatch.setenv("GATE_AGENT_MODELS_MIRROR", AWAY)
    return folder


def test_what_was_brought_is_installed_chosen_and_told(
    gate: Gate, state_dir: Path, brought: Path
) -> None:
    made = gate("models", "setup", "--from", brought, "--give-up-after", "20", "--json")
    assert made.code == 0, made.err
    assert (made.json["pack"], made.json["why"]) == ("retail", "it is the recommended one")
    assert made.json["attack_detection"] == ["antispoof", "minifasnet"]
    assert made.json["missing"] == {}
    assert any("East Asian" in whom for whom in made.json["not_measured_for"])
    listed = {one["pack"]: one for one in gate("models", "list", "--json").json}
    assert [name for name, one in listed.items() if one["used"]] == ["retail"]
    assert listed["retail"]["state"] == listed["minifasnet"]["state"] == "installed"
    assert (listed["retail"]["kind"], listed["minifasnet"]["kind"]) == ("face", "pad")
    shown = gate("models", "list").out
    assert "* model pack: retail 1, because it is the recommended one" in shown
    assert "not measured for: children" in shown
    assert "yunet-mobilefacenet" not in shown
    assert gate("models", "chosen", "--json").json == made.json
    assert gate("models", "show", "antispoof").out.count("CelebA-Spoof") == 1


def test_a_face_command_with_a_pack_that_tells_attacks_says_so(gate: Gate, state_dir: Path) -> None:
    answer = gate("gallery", "check", "--pack", "minifasnet", "--json")
    assert answer.code == 69
    assert "recognises no face" in answer.json["error"]
    assert "retail" in answer.json["fix"]


def test_another_pack_is_chosen_by_a_person_only(
    gate: Gate, state_dir: Path, brought: Path
) -> None:
    state_dir.mkdir()
    write_choice(state_dir, Choice("dlib", "retail could not be had: no network"))
    assert gate("models", "install", "retail", "--from", brought / "retail").code == 0
    told = gate("models", "chosen").out
    assert "model pack: dlib 1, because retail could not be had: no network" in told
    assert "gate-agent models choose retail" in told
    assert gate("models", "choose", "retail", "--json").json["why"] == "a person chose it"
    assert gate("models", "chosen", "--json").json["pack"] == "retail"


@pytest.mark.parametrize("words", ["models choose dlib", "models verify dlib"])
def test_a_pack_that_is_needed_and_not_installed_is_unavailable(
    words: str, gate: Gate, state_dir: Path
) -> None:
    answer = gate(*words.split(), "--json")
    assert (answer.code, answer.json["exit_code"]) == (69, 69)
    assert answer.json["fix"] == "gate-agent models install dlib"
    assert not state_dir.exists()


def test_a_choice_of_what_is_not_installed_keeps_its_word(gate: Gate) -> None:
    """Scripts know it by ``reason``."""
    assert gate("models", "choose", "dlib", "--json").json["reason"] == "not_installed"


def test_every_start_tells_which_pack_and_for_whom_not(
    state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state_dir.mkdir()
    write_choice(state_dir, Choice("dlib", "retail could not be had"))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    tell_pack(in_use(None, state_dir))
    told = "".join(capsys.readouterr())
    assert "model pack: dlib 1, because retail could not be had" in told
    assert "not measured for: East Asian faces" in told


@pytest.mark.parametrize("words", [("--packs",), ("--packs", "/no/such/folder"), ("--pack", "/")])
def test_setup_refuses_a_folder_that_is_none_before_it_begins(words: tuple[str, ...]) -> None:
    answer = subprocess.run(
        [ROOT / "scripts" / "setup", *words], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--packs DIR" in answer.stderr or "is no folder" in answer.stderr
