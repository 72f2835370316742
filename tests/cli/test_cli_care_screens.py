"""Screens of model packs and of the state's files, held as they are."""

from pathlib import Path

import pytest
from gate_command import Gate
from screens import WIDTHS, golden_screen


@pytest.mark.usefixtures("state_dir")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_model_packs(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = golden_screen("models-list", monkeypatch, width, "models", "list")
    assert "gate-agent models install" in " ".join(shown.split())


@pytest.mark.usefixtures("state_dir")
def test_the_model_packs_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("models-list", monkeypatch, 80, "models", "list", colour=True)
    assert "\x1b[33mnon-commercial" in shown


@pytest.fixture
def torn(gate: Gate, keyed: Path, state_dir: Path, tmp_path: Path) -> None:
    """A state whose registry was there and is gone."""
    (tmp_path / "people.csv").write_text("id,name,category\nr-1042,Ana,resident\n")
    assert gate("holders", "import", tmp_path / "people.csv").code == 0
    for file in state_dir.glob("registry.sqlite*"):
        file.unlink()


@pytest.mark.usefixtures("torn")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_files_of_the_state(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = golden_screen("state-show", monkeypatch, width, "state", "show")
    assert all(len(line) <= width for line in shown.splitlines())


@pytest.mark.usefixtures("torn")
def test_the_files_of_the_state_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("state-show", monkeypatch, 80, "state", "show", colour=True)
    assert "\x1b[31m" in shown
    assert "\x1b[32mwell" in shown
