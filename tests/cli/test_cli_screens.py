"""Screens of people and of the running agent at three widths, held as they are."""

import sys
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from golden import held
from screens import WIDTHS, golden_screen, terminal

from agent.cli.care.status_text import show

STATUS: dict[str, Any] = {
    "online": True,
    "version": "0.1.0",
    "unpublished": 12,
    "pack": "retail",
    "holders": 240,
    "threshold": {"score": 0.552, "fmr": 0.001, "sufficient": True},
    "faults": {"camera:front": "no frame for 5 s"},
    "access_points": {"north-entry": "secured", "yard": "forced"},
    "modes": {"north-entry": "normal", "yard": "locked_down"},
    "causes": {"yard": "command"},
    "false_grants": {"max_per_day": 0.05, "access_points": {"yard": {"expected": 0.001}}},
    "pack_not_measured_for": ["children"],
    "clock": {"source": None},
    "inside": {"yard": 7},
}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_status(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal(width) as (stream, seen), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stdout", stream)
        show(STATUS)
    held(b"".join(seen).decode().replace("\r\n", "\n"), f"status-{width}.txt")


def test_a_status_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    show({**STATUS, "faults": {}})
    held(capsys.readouterr().out, "status-piped.txt")


@pytest.fixture
def people(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "id,name,category,enabled,valid_until\n"
        "r-1042,李雨,resident,true,\n"
        "v-77,Ana Example,visitor,false,2026-12-31T16:00:00Z\n"
        "t-3,阿卜杜热合曼·买买提,tenant,true,\n"
    )
    made = gate("holders", "import", file)
    assert made.code == 0, made.err


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_of_holders(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    golden_screen("holders-list", monkeypatch, width, "holders", "list")


@pytest.mark.usefixtures("people")
def test_a_list_of_holders_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("holders-list", monkeypatch, 80, "holders", "list", colour=True)
    assert "\x1b[33mno" in shown


@pytest.mark.usefixtures("state_dir")
def test_nobody_yet_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("holders-none", monkeypatch, 80, "holders", "list")
    assert "gate-agent enrol" in shown
