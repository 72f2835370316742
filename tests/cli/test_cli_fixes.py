"""A fix that names a command helps where the command that failed was told its places."""

from pathlib import Path

import pytest
from gate_command import Gate

from agent.cli.fixes import fitted
from agent.cli.main import program

PROGRAM = program()


@pytest.mark.parametrize(
    ("fix", "given", "expected"),
    [
        ("gate-agent key init", [], "gate-agent key init"),
        (
            "gate-agent key init",
            ["enrol", "--state-dir", "/s", "--config", "g.toml"],
            "gate-agent key init --config g.toml --state-dir /s",
        ),
        (
            "gate-agent key init",
            ["enrol", "--state-dir=/a b"],
            "gate-agent key init --state-dir '/a b'",
        ),
        # It takes no config.
        (
            "gate-agent models install dlib",
            ["identify", "--state-dir", "s", "--config", "g"],
            "gate-agent models install dlib --state-dir s",
        ),
        (
            "gate-agent key init",
            ["--state-dir", "a", "--state-dir", "b"],
            "gate-agent key init --state-dir b",
        ),
        ("gate-agent key init", ["enrol", "--state-dir"], "gate-agent key init"),
        ("start it with: gate-agent run", ["--state-dir", "s"], "start it with: gate-agent run"),
        ("gate-agent nope", ["--state-dir", "s"], "gate-agent nope"),
        ("chmod 600 x", ["--state-dir", "s"], "chmod 600 x"),
    ],
)
def test_the_places_go_along(fix: str, given: list[str], expected: str) -> None:
    assert fitted(fix, given, PROGRAM) == expected


def test_the_fix_as_printed_helps(gate: Gate, tmp_path: Path) -> None:
    place = tmp_path / "a place"
    failed = gate("key", "show-id", "--state-dir", place, "--json")
    assert failed.code == 69
    fix = failed.json["fix"]
    assert fix == f"gate-agent key init --state-dir '{place}'"
    assert gate("key", "init", "--state-dir", place).code == 0
    assert gate("key", "show-id", "--state-dir", place).code == 0
