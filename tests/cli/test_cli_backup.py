"""``backup``, ``restore`` and ``replace`` as a person and a script give them."""

import json
import os
import pty
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from backup_parts import CHEAP, WORDS
from gate_command import Answer, Gate

from agent.app.open.files.running import held
from agent.cli.main import main
from agent.errors import UnavailableError
from agent.operations.care import vault

HOLDERS = "id,name,category\nr-1,Ann,resident\nr-2,Bob,resident\n"
CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "{name}"
[[camera]]
id = "front"
kind = "opencv"
source = 0
[[door]]
id = "turnstile"
kind = "gpio"
pin = 17
active_high = true
pulse_s = 3
pin_factory = "simulated"
pins_file = "pins.bin"
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "turnstile"
[[rule]]
categories = ["resident"]
[face]
accept_no_pad = true
"""


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try of a passphrase costs little here."""
    monkeypatch.setattr(vault, "Cost", lambda: CHEAP)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    (tmp_path / "words").write_text(f"{WORDS}\n")
    return tmp_path / "words"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(CONFIG.format(name="north-1"))
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(path))
    return path


@pytest.fixture
def backup(gate: Gate, keyed: Path, config: Path, words: Path, tmp_path: Path) -> Path:
    """Of two people."""
    assert keyed.is_file()
    assert config.is_file()
    (tmp_path / "people.csv").write_text(HOLDERS)
    assert gate("holders", "import", tmp_path / "people.csv").code == 0
    made = gate("backup", tmp_path / "a.gate", "--passphrase-file", words, "--json")
    assert made.code == 0, made.err
    assert made.json["kiosk"] == "lakeside/g3/north-1"
    assert made.json["left_out"] == []
    return tmp_path / "a.gate"


def ids(gate: Gate, *more: object) -> list[str]:
    listed = gate("holders", "list", "--json", *more)
    assert listed.code == 0, listed.err
    return [one["id"] for one in listed.json]


def test_put_back_into_another_folder_the_same_people_are_there(
    gate: Gate, backup: Path, words: Path, tmp_path: Path
) -> None:
    there = ("--state-dir", tmp_path / "other")
    dry = gate("restore", backup, "--passphrase-file", words, "--dry-run", "--json", *there)
    assert dry.code == 0, dry.err
    assert not (tmp_path / "other").exists()
    done = gate("restore", backup, "--passphrase-file", words, "--json", *there)
    assert done.code == 0, done.err
    same = ("kiosk", "made", "files", "bytes", "successor")
    assert {key: done.json[key] for key in same} == {key: dry.json[key] for key in same}
    assert done.json["doubted"] == ["passes.sqlite"]
    assert ids(gate, *there) == ["r-1", "r-2"]
    shown = gate("state", "show", "--json", *there).json["files"]
    assert [one["file"] for one in shown if one["fault"]] == ["passes.sqlite"]
    accepted = gate("state", "accept", "passes.sqlite", "--reason", "nobody had one", *there)
    assert accepted.code == 0, accepted.err


def test_what_it_means_is_said_to_a_person(gate: Gate, backup: Path, words: Path) -> None:
    # What happened since goes with the journal that was there.
    assert gate("holders", "disable", "r-1").code == 0
    said = gate("restore", backup, "--passphrase-file", words)
    assert said.code == 0
    assert "gate-agent state accept passes.sqlite --reason TEXT" in said.out
    assert "of lakeside/g3/north-1, as of 20" in said.out
    assert "event" in said.err
    assert "the broker does not have" in said.err
    assert WORDS not in said.out + said.err


def refused(answer: Answer, code: int = 1) -> tuple[str, str | None]:
    assert answer.code == code, answer.out + answer.err
    told = json.loads(answer.out.splitlines()[-1])
    return told["reason"], told["fix"]


def test_wrong_input_is_told_with_its_fix_and_changes_nothing(
    gate: Gate, backup: Path, words: Path, tmp_path: Path, state_dir: Path
) -> None:
    def tried(file: Path, passphrase: Path = words) -> tuple[str, str | None]:
        return refused(gate("restore", file, "--passphrase-file", passphrase, "--json"))

    wrong = tmp_path / "wrong"
    wrong.write_text("correct horse battery stable")
    data = backup.read_bytes()
    assert tried(backup, wrong)[0] == "passphrase"
    for content, reason in (
        (data[:-1], "damaged_backup"),
        (data[:18] + b"\x02" + data[19:], "newer_backup"),
        (b"PK\x03\x04" * 100, "no_backup"),
    ):
        (tmp_path / "b.gate").write_bytes(content)
        assert tried(tmp_path / "b.gate")[0] == reason
    missing = gate("restore", tmp_path / "c.gate", "--passphrase-file", words, "--json")
    assert refused(missing, 69) == ("unavailable", "name the file of the backup")
    nobody = gate("restore", backup, "--json")
    assert "--passphrase-file" in str(refused(nobody, 69)[1])
    wrong.write_text("short")
    short = gate("backup", tmp_path / "d.gate", "--passphrase-file", wrong, "--json")
    assert refused(short)[0] == "passphrase"
    with held(state_dir, UnavailableError("held")):
        runs = gate("restore", backup, "--passphrase-file", words, "--json")
        assert "systemctl stop" in str(refused(runs, 69)[1])
        beside = gate("backup", tmp_path / "d.gate", "--passphrase-file", words)
        assert beside.code == 0
    assert ids(gate) == ["r-1", "r-2"]


def test_a_restore_that_was_cut_short_stops_commands_until_it_is_ended(
    gate: Gate, backup: Path, words: Path, state_dir: Path
) -> None:
    (state_dir / ".restore" / "new").mkdir(parents=True)
    (state_dir / ".restore" / "old").mkdir()
    (state_dir / ".restore" / "ready.json").write_text('{"gone": [], "placed": []}')
    assert "systemctl start" in str(refused(gate("holders", "list", "--json"), 69)[1])
    assert gate("restore", backup, "--passphrase-file", words).code == 0
    assert ids(gate) == ["r-1", "r-2"]


def test_the_next_start_ends_it_before_anything_goes_by_the_folder(
    program: Gate, keyed: Path, config: Path, state_dir: Path
) -> None:
    new = state_dir / ".restore" / "new"
    new.mkdir(parents=True)
    (state_dir / ".restore" / "old").mkdir()
    (new / "pack.json").write_text("{}")
    plan = '{"gone": ["gallery.key"], "placed": ["pack.json"]}'
    (state_dir / ".restore" / "ready.json").write_text(plan)
    config.write_text("[kiosk]")  # which ends the start as soon as it is read
    started = program("run")
    assert started.code == 78, started.err
    assert "restore_ended" in started.err
    assert not keyed.exists()
    assert (state_dir / "pack.json").read_text() == "{}"
    assert not (state_dir / ".restore").exists()


@pytest.fixture
def label(gate: Gate, backup: Path, tmp_path: Path) -> Path:
    """The kiosk's label, as it is printed."""
    assert backup.is_file()
    assert gate("key", "show", "--label", tmp_path / "label.png").code == 0
    return tmp_path / "label.png"


def test_a_dead_kiosk_is_replaced_with_one_command(
    gate: Gate, backup: Path, words: Path, label: Path, tmp_path: Path, state_dir: Path
) -> None:
    old = gate("key", "show", "--json").json
    removed = tmp_path / "removed.jsonl"
    assert gate("holders", "remove", "r-2").code == 0
    assert gate("events", "export", "--type", "holder.removed", removed).code == 0
    there = ("--state-dir", tmp_path / "other")
    said = gate(
        *("replace", backup, "--label", label, "--tombstones", removed),
        *("--passphrase-file", words, *there),
    )
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) <= 10
    new = gate("key", "show", "--json", *there).json
    assert new["signing"] != old["signing"]
    for key_id in (new["signing"]["key_id"], new["sealing"]["key_id"], old["signing"]["key_id"]):
        assert key_id in said.out
    assert ids(gate, *there) == ["r-1"]
    private = {(state_dir / f"kiosk-{one}.key").read_bytes() for one in ("signing", "sealing")}
    assert not private & {one.read_bytes() for one in (tmp_path / "other").iterdir()}


def test_label_config_and_backup_speak_of_the_same_kiosk(
    gate: Gate, backup: Path, words: Path, label: Path, tmp_path: Path, config: Path
) -> None:
    shown = gate("key", "show", "--json").out
    (tmp_path / "north-1.json").write_text(shown)

    def tried(word: object, *more: object) -> Answer:
        where = ("--passphrase-file", words, "--state-dir", tmp_path / "other", "--json")
        return gate("replace", backup, "--label", word, *where, *more)

    for word in (shown.strip(), tmp_path / "north-1.json", label):
        assert tried(word, "--dry-run").code == 0
    other = shown.replace("north-1", "south-2")
    assert refused(tried(other))[0] == "other_kiosk"
    config.write_text(CONFIG.format(name="south-2"))
    assert refused(tried(label))[0] == "other_kiosk"
    assert "not of lakeside/g3/south-2" in tried(other).json["error"]
    for word in ("{}", '{"kiosk": "a/b"}', tmp_path / "gate.toml"):
        assert refused(tried(word))[0] == "label"
    assert not (tmp_path / "other").exists()


def typed(answers: list[tuple[bytes, str]], arguments: list[Any]) -> tuple[int, str]:
    """Run it at a pseudo-terminal where each answer is typed once its question stands there."""
    ours, its = pty.openpty()
    said = bytearray()

    def type_in() -> None:
        for question, answer in answers:
            while question not in said:
                said.extend(os.read(ours, 65536))
            del said[: said.index(question) + len(question)]
            os.write(ours, answer.encode())

    typist = threading.Thread(target=type_in)
    typist.start()
    before = sys.stdin, sys.stderr
    try:
        with (
            open(its, encoding="utf-8", closefd=False) as stdin,
            open(its, "w", encoding="utf-8", closefd=False) as stderr,
        ):
            sys.stdin, sys.stderr = stdin, stderr
            code = main([str(one) for one in arguments])
    finally:
        sys.stdin, sys.stderr = before
    typist.join()
    os.write(its, b"--end--")
    while b"--end--" not in said:
        said.extend(os.read(ours, 65536))
    os.close(ours)
    os.close(its)
    return code, said.decode()


@pytest.fixture
def no_tty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase is typed where stdin is: a test's own terminal is nobody's."""
    real = os.open

    def opened(path: Any, *words: Any, **more: Any) -> int:
        if path == "/dev/tty":
            raise OSError(6, "no such device")
        return real(path, *words, **more)

    monkeypatch.setattr(os, "open", opened)


@pytest.mark.usefixtures("backup", "no_tty")
def test_a_person_types_it_twice_and_once_more_to_put_it_back(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "typed.gate"
    twice = [(b"Passphrase: ", f"{WORDS}\n"), (b"again: ", f"{WORDS}\n")]
    code, said = typed(twice, ["backup", file])
    assert code == 0, said
    assert WORDS not in said
    differ = [(b"Passphrase: ", f"{WORDS}\n"), (b"again: ", "another\n")]
    code, said = typed(differ, ["backup", tmp_path / "no.gate"])
    assert code == 1
    assert "the two differ" in said
    assert not (tmp_path / "no.gate").exists()
    no = [(b"Passphrase: ", f"{WORDS}\n"), (b"goes. [y/N] ", "n\n")]
    code, said = typed(no, ["restore", file])
    assert code == 1
    assert "nothing was changed" in said
    yes = [(b"Passphrase: ", f"{WORDS}\n"), (b"goes. [y/N] ", "y\n")]
    assert typed(yes, ["restore", file])[0] == 0
    assert ids(gate) == ["r-1", "r-2"]
