"""A wrong config as people and machines read it: the line, the mark, the fix; JSON; the schema."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from gate_command import Gate
from places import ROOT

from agent.cli.terminal.excerpt import Screen, shown
from agent.config.json_schema import json_schema
from agent.errors import ConfigError, Fault

PLAIN = Screen(120, seen=False, encoding="utf-8")
KEYS = {"line", "column", "key", "found", "message", "fix"}


def change(path: Path, *changes: tuple[str, str]) -> str:
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return text


WRONG = [
    ("pin = 17", 'pin = "17"'),
    ('"entry"', '"in"'),
    ('camera = "front"', 'camera = "frnt"'),
    ("[[rule]]", "[[rule]]\nchalenge = true"),
]
SHOWN = """\
error: the config is wrong

door[0].pin: should be a whole number from 0 to 27
  --> {file}:16:7
   |
16 | pin = "17"
   |       ^^^^
Fix: write 17

access_point[0].direction: should be "entry" or "exit"
  --> {file}:22:13
   |
22 | direction = "in"
   |             ^^^^

access_point[0].camera: there is no 'frnt'
  --> {file}:23:10
   |
23 | camera = "frnt"
   |          ^^^^^^
Fix: did you mean 'front'?

rule[0].chalenge: is no known key
  --> {file}:27:1
   |
27 | chalenge = true
   | ^^^^^^^^
Fix: did you mean 'challenge'?
"""


@pytest.mark.parametrize(
    "words",
    [["config", "check"], ["config", "show"], ["config", "schedule"], ["thermometer", "read"]],
    ids=" ".join,
)
def test_every_command_shows_the_same(gate: Gate, config_file: Path, words: list[str]) -> None:
    change(config_file, *WRONG)
    answer = gate(*words, "--config", config_file)
    assert (answer.code, answer.out) == (78, "")
    assert answer.err == SHOWN.format(file=config_file)


def test_what_has_no_place_names_its_file(gate: Gate, config_file: Path) -> None:
    change(config_file, ("[kiosk]\n", ""))
    err = gate("config", "check", "--config", config_file).err
    assert f"\nkiosk: is missing\n --> {config_file}\nFix: add [kiosk]\n" in err


def test_a_failure_has_its_findings(gate: Gate, config_file: Path) -> None:
    change(config_file, *WRONG)
    answer = gate("config", "check", "--config", config_file, "--json").json
    assert set(answer) == {"error", "reason", "fix", "exit_code", "findings"}
    assert (answer["reason"], answer["fix"], answer["exit_code"]) == ("config", None, 78)
    assert answer["error"].splitlines()[:2] == [
        "the config is wrong",
        f"{config_file}:16:7: door[0].pin: should be a whole number from 0 to 27; write 17",
    ]
    assert answer["findings"][0] == {
        "line": 16,
        "column": 7,
        "key": "door[0].pin",
        "found": '"17"',
        "message": "should be a whole number from 0 to 27",
        "fix": "write 17",
    }
    assert [one["line"] for one in answer["findings"]] == [16, 22, 23, 27]


@pytest.mark.parametrize("text", ["fps = 3,0\n", "", "[kiosk", "id = \u201cx\u201d\n"])
def test_what_is_no_toml_has_one_finding(gate: Gate, config_file: Path, text: str) -> None:
    config_file.write_text(text)
    answer = gate("config", "check", "--config", config_file, "--json")
    (found,) = answer.json["findings"]
    assert set(found) == KEYS
    assert (answer.code, found["line"]) == (78, 1)
    assert f"  |\n1 | {text.strip()}".rstrip() in answer.err


def test_a_missing_file_has_a_finding_without_a_place(gate: Gate, tmp_path: Path) -> None:
    answer = gate("config", "check", "--config", tmp_path / "none.toml", "--json")
    (found,) = answer.json["findings"]
    assert [found[key] for key in ("line", "column", "key", "found")] == [None] * 4
    assert found["message"].startswith("cannot be read")
    assert found["fix"] == answer.json["fix"]
    assert "-->" not in answer.err


def test_a_config_that_passes_has_findings_for_its_warnings(gate: Gate, config_file: Path) -> None:
    answer = gate("config", "check", "--config", config_file, "--json").json
    assert len(answer["findings"]) == len(answer["warnings"]) > 3
    assert all(set(one) == KEYS for one in answer["findings"])
    by_key = {one["key"]: one for one in answer["findings"]}
    lines = config_file.read_text().splitlines()
    assert lines[by_key["face.accept_no_pad"]["line"] - 1] == "accept_no_pad = true"
    assert by_key["camera[0].source"]["found"] == '"rtsp://***@10.0.0.7/stream?***'
    assert by_key[None]["line"] is None


def test_a_warning_shows_its_line_and_no_secret(gate: Gate, config_file: Path) -> None:
    err = gate("config", "check", "--config", config_file).err
    assert '\n11 | source = "rtsp://***@10.0.0.7/stream?***\n   |          ^^^^^^' in err
    assert "hunter2" not in err
    assert "abc" not in err


def test_control_characters_of_a_line_reach_no_terminal(gate: Gate, config_file: Path) -> None:
    change(config_file, ('"front"', '"fr\x1b[2Jont"'), ('direction = "entry"', 'direction =\t"x"'))
    err = gate("config", "check", "--config", config_file).err
    assert "\x1b" not in err
    assert 'id = "fr\\x1b[2Jont"\n' in err


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
@pytest.mark.parametrize(
    ("excerpt", "mark"),
    [
        ("a" * 300 + "BBB" + "c" * 300, (300, 303)),
        ("BBB" + "c" * 300, (0, 3)),
        ("a" * 300 + "BBB", (300, 303)),
        ("\u95e8" * 90 + "BBB" + "\u95e8" * 90, (90, 93)),
        ("a" * 2000 + "B" * 3 + "c" * 2000, (2000, 2003)),
    ],
)
def test_a_long_line_is_cut_around_its_mark(
    width: int, excerpt: str, mark: tuple[int, int]
) -> None:
    fault = Fault("is wrong", line=7, column=1, excerpt=excerpt, mark=mark)
    *_, line, under = shown(fault, "f", Screen(width, seen=True, encoding="utf-8"))
    columns = [char for char in line for _ in range(2 if char == "\u95e8" else 1)]
    assert len(columns) <= width
    assert "".join(columns[i] for i, char in enumerate(under) if char == "^") == "BBB"
    assert "..." in line


@pytest.mark.parametrize(
    ("encoding", "line", "under"),
    [
        ("utf-8", '3 | grid = "\u4e09\u95e8"', "  |        ^^^^^^"),
        ("ascii", r'3 | grid = "\u4e09\u95e8"', "  |        ^^^^^^^^^^^^^^"),
        ("gb18030", '3 | grid = "\u4e09\u95e8"', "  |        ^^^^^^"),
    ],
)
def test_the_mark_lies_under_it_in_columns(encoding: str, line: str, under: str) -> None:
    fault = Fault("no", line=3, column=8, excerpt='grid = "\u4e09\u95e8"', mark=(7, 11))
    *_, told, mark = shown(fault, "f", PLAIN._replace(encoding=encoding))
    assert (told, mark) == (line, under)


def test_a_tab_has_four_columns_and_the_end_of_a_line_has_a_mark() -> None:
    fault = Fault("no", line=3, column=5, excerpt="\tab =", mark=(5, 5))
    *_, told, mark = shown(fault, "f", PLAIN)
    assert (told, mark) == ("3 |     ab =", "  |         ^")


def on_a_terminal(columns: int, config: Path, **environment: str) -> str:
    """What ``config check`` writes where somebody looks at it."""
    program = "import sys; from agent.cli.main import main; sys.exit(main())"
    master, slave = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=slave, check=True, timeout=60)
    ended = subprocess.run(
        [sys.executable, "-c", program, "config", "check", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=slave,
        timeout=60,
        check=False,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
    )
    os.close(slave)
    told = os.read(master, 65_536).decode().replace("\r\n", "\n")
    os.close(master)
    assert (ended.returncode, ended.stdout) == (78, b"")
    return told


def test_a_terminal_has_colours_unless_nobody_wants_them(config_file: Path) -> None:
    change(config_file, ("pin = 17", "pin = 99  # " + "long " * 40))
    told = on_a_terminal(60, config_file)
    assert "\x1b[31m^^\x1b[0m" in told
    plain = on_a_terminal(60, config_file, NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\n16 | pin = 99  # long" in plain
    assert all(len(line) <= 60 for line in plain.splitlines() if str(config_file) not in line)


def test_the_schema_is_what_the_module_makes(gate: Gate) -> None:
    people, machines = gate("config", "schema"), gate("config", "schema", "--json")
    assert json.loads(people.out) == machines.json == json_schema()
    assert len(people.out.splitlines()) > 1000
    assert len(machines.out.splitlines()) == 1


def test_the_first_line_that_editors_read_is_a_comment(gate: Gate, tmp_path: Path) -> None:
    example = (ROOT / "config" / "gate.example.toml").read_text()
    path = tmp_path / "gate.toml"
    path.write_text(f"#:schema ./gate.schema.json\n{example}")
    assert gate("config", "check", "--config", path).code == 0


def test_findings_of_something_else_are_lines(gate: Gate) -> None:
    error = ConfigError(["a.toml:1: x"])
    assert (error.faults, error.source) == ((), None)
