"""What this user may not read, or what is damaged, is told with its fix; never as a defect."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from forked import Forked, forked
from gate_command import Answer, Gate

from agent.cli.main import program


@pytest.fixture(scope="module")
def _without_rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("setpriv, which takes root's rights away, is not installed")
    drop = [] if os.getuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    with forked(tmp_path_factory.mktemp("said"), drop) as run:
        yield run


@pytest.fixture
def as_stranger(_without_rights: Forked) -> Gate:
    """The program without the rights by which root reads everything."""

    def run(*words: object) -> Answer:
        done = _without_rights(*words, environment=os.environ)
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def closed_state(state_dir: Path) -> Iterator[Path]:
    """A state directory that nobody may read."""
    state_dir.mkdir()
    state_dir.chmod(0)
    yield state_dir
    state_dir.chmod(0o700)


@pytest.mark.parametrize(
    "words",
    [
        "holders list",
        "holders disable r-1",
        "holders export -",
        "events list",
        "events tail",
        "gallery check",
        "key show-id",
        "key init",
        "models list",
        "models verify dlib",
        "models remove dlib",
        "trust list",
        "pass issuers",
        "identify a.jpg",
        "scan a.png",
        "bench",
        "demo",
        "status",
    ],
)
def test_a_state_that_is_somebody_elses_is_told_as_that(
    words: str, as_stranger: Gate, closed_state: Path
) -> None:
    answer = as_stranger(*words.split())
    assert answer.code == 69, answer.err
    assert answer.out == ""
    assert str(closed_state) in answer.err


def test_outputs_are_secured_though_the_state_cannot_be_read(
    as_stranger: Gate, closed_state: Path, config_file: Path
) -> None:
    answer = as_stranger("secure-outputs", "--config", config_file, "--state-dir", closed_state)
    assert (answer.code, answer.out) == (0, "")
    assert "outputs_record_unreadable" in answer.err


def test_no_path_is_refused_before_the_command_sees_it() -> None:
    # Typer's own check answers 2 and stops secure-outputs before it has secured what it can.
    def walk(group):
        for command in getattr(group, "commands", {}).values():
            yield from walk(command)
        yield from group.params

    paths = [
        info
        for parameter in walk(program())
        for info in [parameter.type_descriptor]
        if info.annotation is Path
    ]
    assert len(paths) > 20
    assert [info for info in paths if info.parameter_info.readable] == []


def test_a_file_that_cannot_be_opened_is_no_defect(as_stranger: Gate, closed_state: Path) -> None:
    closed_state.chmod(0o700)
    (closed_state / "registry.sqlite").touch(0)
    answer = as_stranger("holders", "list")
    assert answer.code == 69
    assert "registry.sqlite" in answer.err
    assert f"Fix: run as the user who owns {closed_state}" in answer.err


def test_a_state_that_is_a_file_is_no_folder(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for words in (["holders", "list"], ["holders", "remove", "x"], ["events", "tail"]):
        answer = gate(*words, "--state-dir", file)
        assert answer.code == 69
        assert "File exists" not in answer.err
        assert "--state-dir" in answer.err
    assert file.read_bytes() == b""


@pytest.mark.parametrize("damage", ["garbage", "cut"])
def test_a_damaged_registry_says_what_to_do(damage: str, gate: Gate, state_dir: Path) -> None:
    state_dir.mkdir()
    file = state_dir / "registry.sqlite"
    if damage == "garbage":
        file.write_bytes(b"garbage" * 1000)
    else:
        with closing(sqlite3.connect(file)) as registry, registry:
            registry.execute("CREATE TABLE t AS SELECT hex(randomblob(20000))")
        file.write_bytes(file.read_bytes()[:9000])
    before = file.read_bytes()
    answer = gate("holders", "list", "--json")
    assert answer.code == 69
    assert "damaged" in answer.json["error"]
    assert str(file) in answer.json["fix"]
    assert file.read_bytes() == before


def test_a_pass_is_drawn_for_its_owner_only_and_over_no_folder(
    gate: Gate, state_dir: Path, tmp_path: Path
) -> None:
    key, png, card = tmp_path / "office.pem", tmp_path / "pass.png", tmp_path / "card.pdf"
    assert gate("pass", "keygen", key).code == 0
    begin = ("pass", "issue", "r-1", "--key", key, "--issuer", "office", "--category", "resident")
    words = (*begin, "--community", "lakeside", "--valid-until", "2099-01-01", "--json", "--png")
    issued = gate(*words, png)
    assert issued.code == 0, issued.err
    assert gate("pass", "print", "--text", issued.json["text"], "--out", card).code == 0
    assert [file.stat().st_mode & 0o777 for file in (png, card)] == [0o600, 0o600]
    for refused in (
        gate(*words, tmp_path),
        gate("pass", "print", "--json", "--text", issued.json["text"], "--out", tmp_path),
    ):
        assert refused.code == 69
        assert str(tmp_path) in refused.json["error"]
