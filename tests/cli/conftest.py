"""Runs the commands: in this process where that is enough, as a program of their own elsewhere."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate_command import END, PROGRAM, TIMEOUT_S, Answer, Gate, Typed, read_until
from places import SHARED

from agent.cli.main import main
from agent.operations.packs.choice import Choice, write_choice


@pytest.fixture(scope="session")
def faces() -> Path:
    """Public photographs, beside the repository."""
    folder = SHARED / "faces"
    if not folder.is_dir():
        pytest.skip("../shared/faces is absent")
    return folder


@pytest.fixture(scope="session")
def dlib_models() -> Path:
    """Where the pack dlib is installed."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    state = Path(os.environ.get("GATE_AGENT_STATE_DIR") or Path(home) / "gate-agent")
    if not (state / "models" / "dlib").is_dir():
        pytest.skip(f"the model pack dlib is not installed in {state}")
    return state / "models"


@pytest.fixture
def pack_state(state_dir: Path, dlib_models: Path) -> Path:
    """The test's own state directory with the pack dlib chosen in it."""
    state_dir.mkdir(mode=0o700)
    (state_dir / "models").symlink_to(dlib_models)
    write_choice(state_dir, Choice("dlib", "the tests chose it"))
    return state_dir


@pytest.fixture
def key_state(pack_state: Path, gate: Gate) -> Path:
    """The same with a key: ready to enrol."""
    made = gate("key", "init")
    assert made.code == 0, made.err
    return pack_state


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own, and no other reachable."""
    state = tmp_path / "state"
    for variable in ("GATE_AGENT_CONFIG", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GATE_AGENT_STATE_DIR", str(state))
    return state


@pytest.fixture
def gate(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Gate]:
    """``gate-agent`` in this process."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    before = os.environ.get("GATE_AGENT_DEBUG")
    yield run
    if before is None:
        os.environ.pop("GATE_AGENT_DEBUG", None)


@pytest.fixture
def typed(
    state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Typed]:
    """``gate-agent`` in this process, its stdin and stderr a pseudo-terminal on which is typed."""
    ours, its = pty.openpty()

    def run(answer: str, *words: object) -> Answer:
        os.write(ours, answer.encode())
        with (
            open(its, encoding="utf-8", closefd=False) as stdin,
            open(its, "w", encoding="utf-8", closefd=False) as stderr,
            monkeypatch.context() as patch,
        ):
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stderr", stderr)
            capsys.readouterr()
            code = main([str(word) for word in words])
            stderr.flush()
        os.write(its, END)
        return Answer(code, capsys.readouterr().out, read_until(ours, END))

    yield run
    os.close(ours)
    os.close(its)


@pytest.fixture
def keyed(gate: Gate) -> Path:
    """A kiosk with a key, which names are sealed by: its file."""
    return Path(gate("key", "init", "--json").json["file"])


def run_program(*arguments: object, **environment: str) -> Answer:
    """The installed ``gate-agent`` in a process of its own."""
    done = subprocess.run(
        [str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, **environment},
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def program(state_dir: Path) -> Gate:
    """``gate-agent`` as it is installed, in the test's own state directory."""
    return run_program


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A whole config for simulated hardware."""
    path = tmp_path / "gate.toml"
    path.write_text(
        """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
timezone = "Asia/Shanghai"

[[camera]]
id = "front"
kind = "opencv"
source = "rtsp://admin:hunter2@10.0.0.7/stream?token=abc"

[[door]]
id = "turnstile"
kind = "gpio"
pin = 17
active_high = true
pin_factory = "mock"

[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "turnstile"

[[rule]]
categories = ["resident", "staff"]

[face]
pack = "dlib"
accept_no_pad = true
"""
    )
    return path
