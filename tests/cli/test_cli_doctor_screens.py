"""What the doctor found, at three widths, held as it is."""

import re
import sys

import pytest
from golden import held
from rich.cells import cell_len
from screens import WIDTHS, terminal

from agent.cli.running.doctor_text import show
from agent.technician.doctor import UNREAD, PinRow
from agent.technician.verdict import Check, Status

PINS = [
    PinRow(17, "door 'turnstile'", "out", True, None, "down", None, "not touched"),
    PinRow(6, "input 'north-contact'", "in", True, "up", "up", False, "door closed"),
    PinRow(26, "input 'housing'", "in", True, "up", "down", None, UNREAD),
]
CHECKS = [
    Check("agent", Status.PASS, "none runs", "the doctor opens the parts itself"),
    Check(
        "model pack",
        Status.WARN,
        "retail 1, because it was the first to be installed; not measured for children",
        "children may not be recognised",
    ),
    Check(
        "gallery key",
        Status.FAIL,
        "there is none",
        "nobody is known by face",
        fix="gate-agent key init --config gate.toml --state-dir /srv/gate",
    ),
    Check(
        "housing",
        Status.FAIL,
        "housing open",
        "the gate takes it for a press, an alarm or an open door",
        fix="where nobody does that now: the wire is cut or the contact is of the other kind; else"
        " active_high = false",
    ),
]


@pytest.mark.parametrize(("width", "colour"), [*((one, False) for one in WIDTHS), (80, True)])
def test_what_the_doctor_found(
    monkeypatch: pytest.MonkeyPatch, width: int, *, colour: bool
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "" if colour else "1")
    with terminal(width) as (stream, seen), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stdout", stream)
        show(PINS, CHECKS)
    shown = b"".join(seen).decode().replace("\r\n", "\n")
    held(shown, f"doctor-{width}{'-colour' if colour else ''}.txt")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    # What is copied into a shell is one line, however narrow the terminal is.
    whole = "gallery key: Fix: gate-agent key init --config gate.toml --state-dir /srv/gate"
    assert whole in lines
    assert max(cell_len(line) for line in lines if line != whole) <= width
    assert "'" not in shown


def test_where_all_is_well_that_is_the_last_word(capsys: pytest.CaptureFixture[str]) -> None:
    show(PINS, CHECKS[:1])
    assert capsys.readouterr().out.endswith("\nall is well: 1 check\n")
    show(PINS, CHECKS[:2])
    assert capsys.readouterr().out.endswith("\nnothing failed: 2 checks, 1 warning\n")
