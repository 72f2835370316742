"""What the journal tells people, and what it tells a sheet."""

import csv
import io
import os
import pty
import re
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gate_command import PROGRAM, Gate
from golden import held
from rich.cells import cell_len
from screens import WIDTHS, golden_screen

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.events import Event, EventType

CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
timezone = "Asia/Shanghai"
"""
NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)
TRACE = {"score": 0.6123, "threshold": 0.552}
SAID: tuple[tuple[EventType, str | None, dict[str, object], bool], ...] = (
    (EventType.AGENT_STARTED, None, {}, False),
    (EventType.ACCESS_GRANTED, "north-entry", {"holder": "r-1042", **TRACE}, True),
    (
        EventType.ACCESS_DENIED,
        "north-entry",
        {"holder": None, "reason": "NoMatch", "score": 0.2, "threshold": 0.552},
        True,
    ),
    (EventType.ACCESS_DENIED, "yard", {"holder": "v-77", "reason": "CredentialExpired"}, True),
    (EventType.FAULT_RAISED, None, {"part": "camera:front", "detail": "no frame for 5 s"}, True),
)


@pytest.fixture
def site(tmp_path: Path, gate: Gate, state_dir: Path) -> tuple[str, ...]:
    """A registry with two names, a journal of five events, and where they are."""
    config = tmp_path / "gate.toml"
    config.write_text(
        CONFIG + '[[camera]]\nid = "front"\nkind = "opencv"\nsource = 0\n'
        '[[door]]\nid = "d"\nkind = "gpio"\npin = 17\nactive_high = true\n'
        'pin_factory = "mock"\n'
        '[[access_point]]\nid = "north-entry"\ndirection = "entry"\ncamera = "front"\n'
        'door = "d"\n[[rule]]\ncategories = ["resident"]\n[face]\naccept_no_pad = true\n'
    )
    people = tmp_path / "people.csv"
    people.write_text("id,name,category\nr-1042,李雨,resident\nv-77,Ana Example,visitor\n")
    made = gate("holders", "import", people)
    assert made.code == 0, made.err
    journal = SqliteJournal(state_dir / "journal.sqlite", lambda _: pytest.fail("set aside"))
    for number, (kind, point, data, synced) in enumerate(SAID):
        id_ = f"019ab2c4-0d51-7c3e-9a55-6a1f0c2b7d{number:02d}"
        moment = NOON.replace(second=number)
        journal.append(Event(id_, kind, moment, synced, point, data))
    journal.make_durable()
    journal.close()
    return ("--config", str(config))


TAIL = ("events", "tail", "--type", "access", "--type", "fault")
LIST = ("events", "list", "--type", "access", "--type", "fault")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...], width: int
) -> None:
    shown = golden_screen("events-list", monkeypatch, width, *LIST, *site)
    assert "李雨" in shown.split()
    assert {"0.612", "0.552"} <= set(re.split(r"[\s/]+", shown))
    assert "2026-05-06 12:00:01" in shown
    assert "_" not in shown


def test_a_list_in_colour(monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...]) -> None:
    shown = golden_screen("events-list", monkeypatch, 80, *LIST, *site, colour=True)
    assert "\x1b[32maccess.granted" in shown
    assert "\x1b[31maccess.denied" in shown


def test_elsewhere_an_event_is_a_line(gate: Gate, site: tuple[str, ...]) -> None:
    listed = gate(*LIST, *site)
    held(listed.out, "events-list-piped.txt")
    assert len(listed.out.splitlines()) == 5


def test_a_sheet_has_no_name(gate: Gate, site: tuple[str, ...]) -> None:
    listed = gate("events", "list", "--csv", *site)
    rows = list(csv.DictReader(io.StringIO(listed.out)))
    seen = [row for row in rows if row["type"] == "access.granted"]
    assert [(row["holder"], row["score"], row["threshold"], row["time"]) for row in seen] == [
        ("r-1042", "0.6123", "0.552", "2026-05-06T04:00:01.000Z")
    ]
    assert "李雨" not in listed.out
    assert "李雨" not in gate("events", "list", "--json", *site).out


def test_a_sheet_is_no_json(gate: Gate, site: tuple[str, ...]) -> None:
    assert gate("events", "list", "--csv", "--json", *site).code == 2


def test_whoever_has_no_key_reads_ids(gate: Gate, site: tuple[str, ...], state_dir: Path) -> None:
    (state_dir / "gallery.key").rename(state_dir / "elsewhere")
    listed = gate(*LIST, *site)
    assert listed.code == 0
    assert "r-1042 ?" in listed.out
    assert "李雨" not in listed.out


@pytest.mark.parametrize("width", [80, 160])
def test_a_name_that_cannot_be_read_is_a_question(
    monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...], state_dir: Path, width: int
) -> None:
    (state_dir / "gallery.key").rename(state_dir / "elsewhere")
    shown = golden_screen("events-list-sealed", monkeypatch, width, *LIST, *site)
    assert "李雨" not in shown


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows presses Ctrl-C once everything was said."""

    def pressed(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pressed)


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_tail_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...], width: int
) -> None:
    shown = golden_screen("events-tail", monkeypatch, width, *TAIL, *site)
    assert max(map(cell_len, shown.splitlines())) <= width


@pytest.mark.usefixtures("ended")
def test_a_tail_in_colour(monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...]) -> None:
    shown = golden_screen("events-tail", monkeypatch, 80, *TAIL, *site, colour=True)
    assert "\x1b[1mr-1042 李雨" in shown
    assert "\x1b[31maccess.denied" in shown


@pytest.mark.usefixtures("ended")
def test_elsewhere_a_tail_is_a_line_an_event(gate: Gate, site: tuple[str, ...]) -> None:
    told = gate(*TAIL, *site)
    assert told.code == 0
    held(told.out, "events-tail-piped.txt")


def test_a_tail_at_a_terminal_ends_by_ctrl_c(site: tuple[str, ...]) -> None:
    ours, theirs = pty.openpty()
    command = [str(PROGRAM), *TAIL, "--type", "agent", *site]
    unset = ("NO_COLOR", "COLUMNS")
    seen_as = {name: value for name, value in os.environ.items() if name not in unset}
    seen_as["TERM"] = "xterm-256color"
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=seen_as) as process:
        os.close(theirs)
        try:
            said = b""
            while b"no frame for 5 s" not in said:
                said += os.read(ours, 65_536)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
            os.close(ours)
    assert b"\x1b[2m2026-05-06 12:00:00 ?" in said
