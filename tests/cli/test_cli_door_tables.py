"""Doors, whereabouts and the clock as people see them, from a control socket that answers."""

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from screens import WIDTHS, golden_screen, screen

from agent.app.threads.control.socket import ControlServer

STATUS: dict[str, Any] = {
    "access_points": {
        "north-entry": "held_open",
        "north-exit": "locked_down",
        "yard": "released",
    },
    "modes": {"north-entry": "normal", "north-exit": "locked_down", "yard": "free_passage"},
    "causes": {"north-exit": "command", "yard": "schedule"},
}
POSITIONS = [
    {"holder": "r-1042", "area": "garden", "since": "2026-05-06T16:30:00.250Z"},
    {
        "holder": "=v-77",
        "area": "car-park-under-the-south-building",
        "since": "2026-05-06T00:00:00.000Z",
    },
]
CLOCK = {
    "state": "ahead",
    "confirmed": "2026-05-06T16:30:00.000Z",
    "claimed": "2026-05-08T16:30:00.000Z",
    "clock": "2026-05-08T16:30:00.000Z",
    "trusted": True,
    "sure": False,
}


@pytest.fixture
def agent(state_dir: Path) -> Iterator[dict[str, Any]]:
    """A control socket that answers as the running agent; what it says of whereabouts."""
    whereabouts: dict[str, Any] = {"total": 3, "positions": POSITIONS}
    server = ControlServer(
        state_dir / "control.sock",
        {
            "status": lambda _request, _caller: {"status": STATUS},
            "passback": lambda _request, _caller: whereabouts,
            "clock": lambda _request, _caller: {"clock": CLOCK},
        },
    )
    thread = threading.Thread(target=server.work)
    thread.start()
    yield whereabouts
    server.stop()
    thread.join(timeout=60)


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_doors(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    assert "_" not in golden_screen("door-show", monkeypatch, width, "door", "show")


@pytest.mark.usefixtures("agent")
def test_a_door_that_is_not_as_it_should_be_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("door-show", monkeypatch, 80, "door", "show", colour=True)
    assert "\x1b[31mheld open" in shown
    assert "\x1b[33mfree passage" in shown


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("width", WIDTHS)
def test_whereabouts_are_in_the_kiosks_own_time(
    monkeypatch: pytest.MonkeyPatch, config_file: Path, width: int
) -> None:
    words = ("passback", "list", "--config", config_file)
    shown = golden_screen("passback-list", monkeypatch, width, *words)
    assert "2026-05-07 00:30:00" in shown
    assert "and 1 more" in shown
    if width == 80:
        golden_screen("passback-list", monkeypatch, width, *words, colour=True)


def test_nobody_inside_says_where_to_look(
    agent: dict[str, Any], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent |= {"total": 0, "positions": []}
    assert "gate-agent events list" in screen(monkeypatch, 80, "passback", "list")
    assert gate("passback", "list", "--csv").out == "holder,area,since\n"
    assert gate("passback", "list", "--json").json == {"total": 0, "positions": []}


@pytest.mark.usefixtures("agent")
def test_machines_get_the_agents_own_words(gate: Gate) -> None:
    stands = gate("door", "show", "--json").json["access_points"]
    assert stands["north-entry"] == {"state": "held_open", "mode": "normal", "cause": None}
    assert gate("passback", "list", "--json").json == {"total": 3, "positions": POSITIONS}
    rows = list(csv.DictReader(io.StringIO(gate("passback", "list", "--csv").out)))
    assert rows == [POSITIONS[0], {**POSITIONS[1], "holder": "'=v-77"}]
    assert gate("clock", "show", "--json").json == CLOCK


@pytest.mark.usefixtures("agent")
def test_the_clock_is_told_in_words_and_local_time(gate: Gate, config_file: Path) -> None:
    told = gate("clock", "show", "--config", config_file).out.splitlines()
    assert [" ".join(line.split()) for line in told] == [
        "state ahead",
        "it is at least 2026-05-07 00:30:00",
        "claimed by one 2026-05-09 00:30:00",
        "the clock says 2026-05-09 00:30:00",
        "vouched for yes",
        "signed, or two agree no",
        "times are those of Asia/Shanghai",
    ]
