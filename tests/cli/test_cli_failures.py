"""Every failure ends in one place: message, fix, exit code, and JSON where it was asked for."""

import json
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import typer
from gate_command import PROGRAM, Gate
from places import ROOT

from agent.cli import failures
from agent.errors import (
    ConfigError,
    EnrolmentRefusedError,
    InternalError,
    KeyUnavailableError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("error", "code", "reason", "message", "fix"),
    [
        (UnavailableError("no camera", "plug it in"), 69, "unavailable", "no camera", "plug it in"),
        (KeyUnavailableError("no key"), 69, "unavailable", "no key", None),
        (
            EnrolmentRefusedError("no_face", "a.jpg: no face\nFix: look up"),
            1,
            "no_face",
            "a.jpg: no face",
            "look up",
        ),
        (
            ConfigError(["a:1: x", "a:2: y"]),
            78,
            "config",
            "the config is wrong\na:1: x\na:2: y",
            None,
        ),
        (InternalError("broken"), 70, "failed", "broken", None),
        (
            FileNotFoundError(2, "No such file or directory", "a.pem"),
            69,
            "unavailable",
            "a.pem: No such file or directory",
            "name another place",
        ),
        (
            PermissionError(13, "Permission denied", Path("a.pem")),
            69,
            "unavailable",
            "a.pem: Permission denied",
            "run as the user who owns it, or name another place",
        ),
        # Nothing says what was not there: a defect.
        (
            FileNotFoundError("secret"),
            70,
            "internal",
            "a fault inside the agent: FileNotFoundError",
            "",
        ),
        (KeyboardInterrupt(), 130, "interrupted", "interrupted", None),
        (
            ZeroDivisionError("secret"),
            70,
            "internal",
            "a fault inside the agent: ZeroDivisionError",
            "",
        ),
    ],
)
def test_each_failure_has_its_message_and_code(
    error: BaseException,
    code: int,
    reason: str,
    message: str,
    fix: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failures.report(error, as_json=True, debug=False) == code
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert (answer["error"], answer["reason"], answer["exit_code"]) == (message, reason, code)
    if fix != "":
        assert answer["fix"] == fix
    first = message.splitlines()[0]
    assert said.err.startswith(f"error: {first}\n")
    if fix:
        assert f"\nFix: {fix}\n" in said.err
    assert "secret" not in said.err


@pytest.mark.parametrize(("why", "code"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_a_question_is_interrupted_by_ctrl_c_and_failed_by_the_end_of_stdin(
    why: type[BaseException], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(_prompt: str) -> str:
        raise why

    with pytest.MonkeyPatch.context() as swapped:
        swapped.setattr("builtins.input", answer)
        swapped.setattr("typer._click.termui.visible_prompt_func", answer)
        with pytest.raises(typer.Abort) as ended:
            typer.confirm("Release it?")
    assert failures.report(ended.value, as_json=False, debug=False) == code
    assert capsys.readouterr().err.endswith("error: interrupted\n")


def test_control_characters_of_a_message_reach_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failures.report(UnavailableError("\x1b[2Jgone.jpg"), as_json=False, debug=False)
    assert "\x1b" not in capsys.readouterr().err


def test_a_traceback_is_for_who_asks(gate: Gate) -> None:
    assert "Traceback" not in gate("models", "verify", "nope").err
    assert "Traceback" in gate("--debug", "models", "verify", "nope").err


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        ["models", "install"],
        ["models", "list", "--nope"],
        ["enrol", "r-1"],
        ["bench", "--peer", "nobody"],
        ["evaluate", "pairs", "--images"],
        ["holders"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_says_how(words: list[str], gate: Gate) -> None:
    answer = gate(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert "--help" in answer.err


def test_wrong_usage_is_json_where_asked(gate: Gate) -> None:
    answer = gate("models", "list", "--json", "--nope")
    assert answer.code == 2
    assert answer.json["reason"] == "usage"


def test_a_pack_that_is_none(gate: Gate) -> None:
    answer = gate("models", "verify", "nope", "--json")
    assert answer.code == 69
    assert "nope" in answer.json["error"]
    assert answer.json["fix"]


def test_a_reader_that_goes_away_is_no_error(state_dir: Path) -> None:
    command = f"'{PROGRAM}' config show --config '{ROOT}/config/gate.example.toml'"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | true; {command} | head -c 1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "{"


def test_ctrl_c_ends_with_130_and_no_traceback(state_dir: Path) -> None:
    # An agent that takes the question and never answers: the command waits until the signal.
    state_dir.mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(state_dir / "control.sock"))
        silent.listen()
        silent.settimeout(20)
        with subprocess.Popen(
            [str(PROGRAM), "status"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell starts what runs in its background with the signal ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
        ) as process:
            asked, _ = silent.accept()
            with asked:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "error: interrupted\n")
