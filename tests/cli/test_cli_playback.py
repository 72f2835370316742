"""``gate-agent evaluate playback``: a table for people, and what it is."""

from pathlib import Path

from gate_command import Gate


def test_nothing_to_find_faces_with_is_told(gate: Gate, tmp_path: Path) -> None:
    shown = gate("evaluate", "playback", str(tmp_path), "--rounds", "1")
    assert shown.code == 69
    assert "models install" in shown.err


def test_no_rounds_are_no_simulation(gate: Gate) -> None:
    assert gate("evaluate", "playback", "--rounds", "0").code == 2
