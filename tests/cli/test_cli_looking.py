"""Looking makes no file, waits where there is nothing yet, and is readable where it is narrow."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from gate_command import PROGRAM, Gate

from agent.cli.care import daemon
from agent.cli.common import counted

LONGEST_S = 60.0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("holders list", 0),
        ("holders show r-1", 1),
        ("holders enable r-1", 1),
        ("holders disable r-1", 1),
        ("holders set r-1 --name N", 1),
        ("holders remove r-1", 1),
        ("holders export -", 0),
        ("events list", 0),
        ("events export -", 0),
        ("gallery check", 0),
        ("models list", 0),
        ("models show dlib", 0),
        ("models verify dlib", 69),
        ("trust list", 0),
        ("trust remove eu", 1),
        ("pass issuers", 0),
        ("key show-id", 69),
        ("status", 69),
        ("version", 0),
    ],
)
def test_looking_makes_no_file(words: str, code: int, gate: Gate, state_dir: Path) -> None:
    assert gate(*words.split()).code == code
    assert not state_dir.exists()


def test_a_tail_waits_for_the_first_event(program: Gate, state_dir: Path) -> None:
    with subprocess.Popen(
        [str(PROGRAM), "events", "tail", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    ) as tail:
        try:
            assert tail.stderr is not None
            assert "no events" in tail.stderr.readline()
            assert not state_dir.exists()
            holder = {"id": "r-1", "name": "N", "category": "c", "enabled": True}
            file = state_dir.parent / "holders.jsonl"
            file.write_text(json.dumps({**holder, "valid_from": None, "valid_until": None}))
            assert program("key", "init").code == 0
            assert program("holders", "import", file).code == 0
            assert tail.stdout is not None
            ready, _, _ = select.select([tail.stdout], [], [], LONGEST_S)
            assert ready
            assert json.loads(tail.stdout.readline())["type"] == "gate.holder.changed"
            tail.send_signal(signal.SIGINT)
            assert tail.wait(LONGEST_S) == 0
        finally:
            tail.kill()


@pytest.mark.parametrize("terminal", ["dumb", "xterm"])
def test_no_word_falls_apart_on_a_narrow_terminal(terminal: str, state_dir: Path) -> None:
    shown = at_terminal("models", "list", columns=30, TERM=terminal)
    for word in ("licence", "opencv-zoo", "minifasnet", "components"):
        assert word in shown


def at_terminal(*words: str, columns: int, **environment: str) -> str:
    """What the program shows on a terminal so wide."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    unset = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [str(PROGRAM), *words], stdin=its, stdout=its, stderr=its, env={**unset, **environment}
    ) as process:
        os.close(its)
        said = b""
        ends_s = time.monotonic() + LONGEST_S
        while select.select([ours], [], [], max(ends_s - time.monotonic(), 0.0))[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break  # Linux answers so once the other side is closed
            said += part
        os.close(ours)
        assert process.wait(LONGEST_S) == 0
    return said.decode()


def test_a_photograph_that_cannot_be_read_is_told_on_stderr(gate: Gate, state_dir: Path) -> None:
    answer = gate("scan", "gone.png")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "error: gone.png cannot be read: No such file or directory\n"


def test_a_since_that_is_none_says_what_would_be_one(gate: Gate) -> None:
    answer = gate("events", "list", "--since", "yesterday", "--json")
    assert answer.code == 1
    assert "8h" in answer.json["fix"]


@pytest.mark.parametrize(("count", "said"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys")])
def test_one_is_no_plural(count: int, said: str) -> None:
    assert counted(count, "key") == said


def test_people_read_a_status_by_access_point(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets = {"a": {"stage": "calm", "left": 1.0}, "b": {"stage": "probed", "left": 0.2}}
    told = {
        "clock": {"state": "settled", "claimed": None},
        "faults": {},
        "face_without_pad": True,
        "false_grants": {"max_per_day": 0.05, "access_points": budgets},
    }
    monkeypatch.setattr(daemon, "ask_agent", lambda *_: {"status": told})
    assert [line.split(maxsplit=1) for line in gate("status").out.splitlines()[:3]] == [
        ["faults", "none"],
        ["clock", "state settled"],
        ["a", "photograph may pass  yes"],
    ]
    assert gate("status").out.splitlines()[3:] == [
        "false grants           max per day 0.05",
        "false grants a         stage calm, left 1.0",
        "false grants b         stage probed, left 0.2",
    ]
    assert gate("status", "--json").json == told
