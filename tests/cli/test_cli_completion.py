"""What the shell offers where a name is asked for, asked as a shell asks."""

import json
import re
import shlex
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from gate_command import Gate

from agent.app.open.files.state import REGISTRY
from agent.cli import main as cli_main
from agent.cli.main import main

HOLDERS = """id,name,category
r-1042,[bold]王小明,resident
r-1043,Ann [/x],staff
v-77,Bob,visitor
"""
Ask = Callable[..., list[str]]


@pytest.fixture
def offered(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """What is offered behind these words, the last of which is begun; a line each."""

    # A machine that does much beside the tests is no fault of what is offered.
    monkeypatch.setattr("agent.cli.completion._WAIT_S", 20.0)

    def ask(*words: object, shell: str = "bash") -> list[str]:
        line = shlex.join(["gate-agent", *map(str, words)])
        with monkeypatch.context() as asked:
            asked.setenv("_GATE_AGENT_COMPLETE", f"complete_{shell}")
            asked.setenv("COMP_WORDS", line)
            asked.setenv("COMP_CWORD", str(len(words)))
            asked.setenv("_TYPER_COMPLETE_ARGS", line.removesuffix("''"))
            asked.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
            capsys.readouterr()
            # To be asked by a shell changes the commands of a process, which ends with it.
            cli_main.program.cache_clear()
            assert main([]) == 0
        cli_main.program.cache_clear()
        said = capsys.readouterr()
        assert said.err == ""
        return [line for line in said.out.splitlines() if line]

    return ask


@pytest.fixture
def people(gate: Gate, keyed: Path, tmp_path: Path) -> Path:
    """Three holders; the state folder."""
    file = tmp_path / "people.csv"
    file.write_text(HOLDERS)
    made = gate("holders", "import", file)
    assert made.code == 0, made.err
    return keyed.parent


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_holders_are_offered_by_their_beginning_and_nothing_is_made(
    people: Path, offered: Ask
) -> None:
    before = files_of(people)
    assert offered("holders", "show", "r-") == ["r-1042", "r-1043"]
    assert offered("pass", "issue", "") == ["r-1042", "r-1043", "v-77"]
    assert offered("passback", "forgive", "v") == ["v-77"]
    assert files_of(people) == before


def test_what_was_written_a_moment_ago_is_offered_while_the_registry_is_in_use(
    people: Path, gate: Gate, offered: Ask, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(REGISTRY.at(people))) as agent:
        agent.execute("SELECT count(*) FROM holder").fetchone()
        file = tmp_path / "more.csv"
        file.write_text("id,name,category\nr-2000,Cat,resident\n")
        assert gate("holders", "import", file).code == 0
        before = files_of(people)
        assert offered("holders", "show", "r-2") == ["r-2000"]
        assert files_of(people) == before


def test_a_shell_that_shows_more_gets_the_names_whose_key_is_there(
    people: Path, keyed: Path, offered: Ask
) -> None:
    assert offered("holders", "show", "r-", shell="fish") == [
        "r-1042\t(bold)王小明",
        "r-1043\tAnn (/x)",
    ]
    keyed.rename(keyed.with_name("away"))
    assert offered("holders", "show", "r-", shell="fish") == ["r-1042", "r-1043"]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_an_offer_waits_for_nothing_heavy(people: Path, program: Gate, shell: str) -> None:
    line = "gate-agent holders show r-"
    asked = program(
        _GATE_AGENT_COMPLETE=f"complete_{shell}", COMP_WORDS=line, COMP_CWORD="3",
        _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="get-args",
        PYTHONPROFILEIMPORTTIME="1",
    )  # fmt: skip
    assert "r-1042" in asked.out
    imported = set(re.findall(r"\|\s+([a-z0-9_.]+)$", asked.err, flags=re.MULTILINE))
    assert "sqlite3" in imported
    heavy = {"numpy", "cv2", "pydantic", "rich", "agent.operations.voice.texts"}
    assert not imported & heavy


def test_the_places_on_the_line_count_before_the_variables(
    people: Path, offered: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_file: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert offered("holders", "show", "--state-dir", elsewhere, "") == []
    monkeypatch.setenv("GATE_AGENT_STATE_DIR", str(elsewhere))
    assert offered("holders", "show", "") == []
    assert offered("holders", "show", "--state-dir", people, "v") == ["v-77"]
    assert not elsewhere.exists()
    assert offered("door", "release", "") == []
    assert offered("door", "release", "--config", config_file, "") == ["north-entry"]
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(config_file))
    assert offered("door", "release", "") == ["north-entry"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("pass issue x --category", {"resident", "staff", "visitor"}),
        ("pass issue x --community", {"lakeside"}),
        ("pass issue x --kiosk", {"g3/north-1"}),
        ("pass issue x --access-point", {"north-entry"}),
        ("door lockdown", {"north-entry"}),
        ("doctor --pulse", {"turnstile"}),
        ("config schedule", {"office-hours"}),
        ("events list --type", {"access", "access.granted", "door.forced"}),
        ("models install", {"dlib", "retail"}),
        ("voice list --language", {"en", "zh"}),
        ("voice say", {"granted"}),
        ("state accept", {REGISTRY.name}),
        ("evaluate thermal --", {"--people", "--json"}),
    ],
)
def test_each_name_is_offered(
    words: str, wanted: set[str], people: Path, config_file: Path, offered: Ask
) -> None:
    with config_file.open("a") as file:
        file.write('[[schedule]]\nid = "office-hours"\n')
    first, *rest = words.split(" --")
    said = offered(*first.split(), "--config", config_file, *[f"--{one}" for one in rest], "")
    if words.endswith("--"):
        said = offered(*words.split())
    assert wanted <= set(said)


def test_packs_and_trust_lists_are_those_installed(
    people: Path, offered: Ask, tmp_path: Path
) -> None:
    assert offered("models", "choose", "") == []
    (people / "models" / "retail").mkdir(parents=True)
    assert offered("models", "choose", "") == offered("identify", "--pack", "r") == ["retail"]
    (people / "trust").mkdir(exist_ok=True)
    (people / "trust" / "eu-2026-05.trust").write_text("{}")
    assert offered("health", "distrust", "") == offered("trust", "remove", "") == ["eu-2026-05"]


def test_issuers_and_their_keys_are_those_trusted(
    people: Path, gate: Gate, offered: Ask, tmp_path: Path
) -> None:
    key = gate("pass", "keygen", tmp_path / "office.pem", "--json").json
    assert gate("pass", "trust", key["public"], "--issuer", "office").code == 0
    assert offered("pass", "distrust", "") == [key["key_id"]]
    assert offered("pass", "issue", "r-1042", "--issuer", "") == ["office"]


def test_faults_are_those_of_the_agent_that_answers(people: Path, offered: Ask) -> None:
    assert offered("clear-fault", "") == []
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(people / "control.sock"))
        agent.listen()

        def answer() -> None:
            asked, _ = agent.accept()
            with asked:
                asked.recv(4096)
                faults = {"camera:front": "silent", "door:gate": "stuck"}
                asked.sendall(json.dumps({"ok": True, "status": {"faults": faults}}).encode())
                asked.sendall(b"\n")

        answering = threading.Thread(target=answer)
        answering.start()
        assert offered("clear-fault", "cam") == ["camera:front"]
        answering.join(10)


def test_an_agent_that_never_answers_is_not_waited_for(people: Path, offered: Ask) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(people / "control.sock"))
        silent.listen()
        assert offered("clear-fault", "") == []


@pytest.mark.parametrize("content", [b"", b"no database", b"[kiosk\n", b"\xff\xfe", b"id = 3\n"])
def test_whatever_stands_in_the_files_the_shell_sees_no_fault(
    content: bytes, people: Path, offered: Ask, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(content)
    REGISTRY.at(people).write_bytes(content)
    for words in ("holders show", "door release", "pass distrust", "voice say", "doctor --pulse"):
        offered(*words.split(), "")
        name, _, option = words.partition(" --")
        said = offered(*name.split(), "--config", broken, *([f"--{option}"] if option else []), "")
        assert said == [] or words == "voice say"


def test_old_spellings_are_not_offered(offered: Ask) -> None:
    assert offered("tr") == []
    assert offered("ver") == ["version"]
    assert offered("hea") == ["health"]
    assert offered("health", "") == ["verify", "trust", "issuers", "distrust"]


def test_what_an_option_is_for_is_told_with_its_brackets(offered: Ask) -> None:
    said = " ".join(offered("config", "schedule", "--", shell="zsh"))
    assert '"--days":"So many days (default\\\\: 7; with --at none)."' in said
