"""What becomes of a command whose standard streams are closed, full or gone."""

import os
import subprocess
from pathlib import Path

import pytest
from gate_command import PROGRAM, Answer


def shell(words: str) -> Answer:
    """``words`` behind the program, by a shell, with its redirections."""
    done = subprocess.run(
        ["bash", "-c", f"'{PROGRAM}' {words}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("words", ["version", "holders list", "events list --json", "--help"])
def test_a_closed_stdout_is_no_defect(words: str, state_dir: Path) -> None:
    assert shell(f"{words} >&-") == Answer(0, "", "")


def test_a_closed_stderr_hides_the_message_only(state_dir: Path) -> None:
    answer = shell("holders show nobody --json 2>&-")
    assert answer.code == 1
    assert answer.json["reason"] == "no_such_holder"


def test_a_closed_stdin_is_an_empty_one(state_dir: Path) -> None:
    answer = shell("holders import --json - <&-")
    assert (answer.code, answer.json["holders"]) == (0, 0)


def test_stdin_that_is_no_text_is_refused_at_once(state_dir: Path) -> None:
    answer = shell("holders import - <<< $'\\xff'")
    assert answer.code == 69
    assert answer.err == "error: stdin is no text (UTF-8) at byte 0\n"


def test_with_all_streams_closed_no_file_takes_their_place(state_dir: Path) -> None:
    assert shell("key init <&- >&- 2>&-") == Answer(0, "", "")
    key = (state_dir / "gallery.key").read_text()
    assert len(key.strip()) == 64
    assert "Keep a copy" not in key


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110 - a device
@pytest.mark.parametrize(
    "words", ["version", "--help", "holders list --json", "config show --config '{config}'"]
)
def test_a_full_disk_behind_stdout_is_told_as_that(
    words: str, state_dir: Path, config_file: Path
) -> None:
    answer = shell(f"{words.format(config=config_file)} >/dev/full")
    assert answer.code == 69
    assert answer.err.startswith("error: writing failed: No space left on device\nFix: ")
