"""Watching a gate: the screen, the lines, and a terminal that is as it was afterwards."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from gate_command import PROGRAM
from golden import held
from screens import WIDTHS, terminal

from agent.app.desk.watching import Seen
from agent.cli.running.run_text import Narrator
from agent.cli.running.watch_screen import screen
from agent.cli.terminal.table import console
from agent.domain.record.events import Event, EventType
from agent.ports import StoredEvent

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)
STATUS = {
    "faults": {"camera:front": "no frame for 5 s"},
    "access_points": {"north-entry": "secured", "yard": "forced"},
    "modes": {"north-entry": "normal", "yard": "locked_down"},
    "causes": {"yard": "command"},
    "broker": "away",
    "unpublished": 12,
    "holders": 240,
    "inside": {"yard": 7},
    "pack": "retail",
    "threshold": {"score": 0.552},
}


def decision(number: int, kind: EventType, **data: object) -> StoredEvent:
    id_ = f"019ab2c4-0d51-7c3e-9a55-6a1f0c2b7d{number:02d}"
    moment = NOON + timedelta(seconds=number)
    return StoredEvent(number, "e", number, Event(id_, kind, moment, True, "yard", data), True)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(time, "time", NOON.timestamp)
    found = Seen(STATUS)
    found.decisions.append(
        decision(1, EventType.ACCESS_GRANTED, holder="r-1042", score=0.6123, threshold=0.552)
    )
    found.decisions.append(
        decision(2, EventType.ACCESS_DENIED, reason="NoMatch", score=0.2, threshold=0.552)
    )
    return found


def shown(monkeypatch: pytest.MonkeyPatch, seen: Seen, size: tuple[int, int]) -> str:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(size[0]))
    with terminal(size[0]) as (stream, written), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stdout", stream)
        console().print(screen(seen, ZONE, {"r-1042": "李雨"}.get, size))
    text = b"".join(written).decode().replace("\r\n", "\n")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_screen(monkeypatch: pytest.MonkeyPatch, seen: Seen, width: int) -> None:
    held(shown(monkeypatch, seen, (width, 24)), f"watch-{width}.txt")


def test_a_low_terminal_shows_what_weighs_most(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    found = shown(monkeypatch, seen, (80, 10))
    assert len(found.splitlines()) <= 10
    assert "camera:front" in found
    assert "denied: no match" in found
    assert "broker" not in found


def test_an_agent_that_is_gone_is_said_to_be(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    seen.away, seen.away_since_s = "no agent answers", NOON.timestamp()
    found = shown(monkeypatch, seen, (80, 24))
    assert "the agent does not answer since 12:00:00" in found
    assert "north-entry" not in found
    assert "denied: no match" in found


ENTRIES: list[dict[str, object]] = [
    {
        "event": "watching",
        "config": "/etc/gate-agent/gate.toml",
        "kiosk": "lakeside/g3/north-1",
        "cameras": {"front": "opencv"},
        "doors": {"turnstile": [17]},
        "access_points": {"north-entry": "entry"},
        "broker": None,
        "holders": 240,
        "state_faults": {},
    },
    {"event": "ready", "took_s": 1.2},
    {"event": "access.granted", "access_point": "yard", "score": 0.6123, "threshold": 0.552},
    {"event": "access.denied", "access_point": "yard", "reason": "NotPermittedAtThisTime"},
    {"event": "fault.raised", "part": "camera:front", "detail": "no frame for 5 s"},
    {"event": "something_new", "level": "warning", "detail": "\x1b[31m"},
    {"event": "cache_warm", "level": "info"},
    {"event": "stopping", "why": "SIGTERM"},
]


def test_a_run_speaks_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    tell = Narrator(ZONE)
    at: dict[str, object] = {"timestamp": "2026-05-06T04:00:00.000000Z", "level": "info"}
    told = [tell({**at, **entry}) for entry in ENTRIES]
    assert told[6] is None
    held("\n".join(line for line in told if line is not None) + "\n", "run.txt")


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GATE_AGENT")}
    return {**kept, "GATE_AGENT_STATE_DIR": str(state), "TERM": "xterm-256color"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_is_as_it_was(place: dict[str, str], how: signal.Signals) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([PROGRAM, "watch"], env=place, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written: list[bytes] = []
    on_screen = threading.Event()

    def read() -> None:
        # Linux answers EIO once the other end is closed.
        try:
            while data := os.read(ours, 65_536):
                written.append(data)
                if b"does not answer" in b"".join(written):
                    on_screen.set()
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    assert on_screen.wait(60)
    process.send_signal(how)
    assert process.wait(60) == 0
    reader.join(60)
    os.close(ours)
    end = b"".join(written)
    assert end.rfind(b"\x1b[?1049l") > end.rfind(b"\x1b[?1049h") >= 0
    assert end.rfind(b"\x1b[?25h") > end.rfind(b"\x1b[?25l") >= 0


def test_elsewhere_it_is_lines(place: dict[str, str]) -> None:
    process = subprocess.Popen([PROGRAM, "watch"], env=place, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("agent  does not answer since ")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 0
