"""The config goes into a backup and comes back, over nothing that is there."""

import shutil
from pathlib import Path

import pytest
from backup_parts import CHEAP, WORDS
from gate_command import Gate
from test_cli_backup import CONFIG

from agent.app.open.files.running import held
from agent.errors import UnavailableError
from agent.operations.care import vault

PASSWORD = "hunter2-of-the-broker"
BROKER = '[broker]\nhost = "127.0.0.1"\nusername = "n"\npassword_file = "broker.password"\n'


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "Cost", lambda: CHEAP)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    (tmp_path / "words").write_text(f"{WORDS}\n")
    return tmp_path / "words"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "broker.password").write_text(PASSWORD)
    (folder / "broker.password").chmod(0o600)
    store = '[store]\nkey_file = "disk/gallery.key"\n'
    (folder / "gate.toml").write_text(CONFIG.format(name="north-1") + BROKER + store)
    (folder / "disk").mkdir()
    return folder / "gate.toml"


@pytest.fixture
def backup(gate: Gate, keyed: Path, config: Path, words: Path, tmp_path: Path) -> Path:
    shutil.move(keyed, config.parent / "disk" / "gallery.key")
    (tmp_path / "people.csv").write_text("id,name,category\nr-1,Ann,resident\n")
    added = gate("holders", "import", tmp_path / "people.csv", "--config", config)
    assert added.code == 0, added.err
    file = tmp_path / "a.gate"
    made = gate("backup", file, "--passphrase-file", words, "--config", config, "--json")
    assert made.code == 0, made.err
    assert made.json["left_out"] == []
    assert PASSWORD.encode() not in file.read_bytes()
    return file


def test_with_nothing_left_but_a_backup_the_kiosk_is_back(
    gate: Gate, backup: Path, words: Path, config: Path, tmp_path: Path
) -> None:
    text = config.read_text()
    there = ("--state-dir", tmp_path / "other", "--config", config, "--passphrase-file", words)
    shutil.rmtree(config.parent)
    (config.parent / "disk").mkdir(parents=True)
    dry = gate("restore", backup, *there, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert not config.exists()
    done = gate("restore", backup, *there, "--json")
    assert done.code == 0, done.err
    assert done.json["config"] == dry.json["config"]
    assert {one["of"]: one["outcome"] for one in done.json["config"]} == {
        "broker.password_file": "placed",
        "gate.toml": "placed",
    }
    assert config.read_text() == text
    # The key went where the config that came along says.
    assert (config.parent / "disk" / "gallery.key").exists()
    listed = gate("holders", "list", "--json", *there[:4])
    assert [one["id"] for one in listed.json] == ["r-1"]
    again = gate("restore", backup, *there)
    assert again.code == 0, again.err
    assert "gate.toml" not in again.out + again.err


def test_another_config_stays_and_that_is_said(
    gate: Gate, backup: Path, words: Path, config: Path, state_dir: Path
) -> None:
    mine = config.read_text() + "# a person's\n"
    config.write_text(mine)
    more = ("--passphrase-file", words, "--config", config)
    with held(state_dir, UnavailableError("held")):  # as a running agent holds it
        said = gate("restore", "--config-only", backup, *more)
    assert said.code == 0, said.err
    assert config.read_text() == mine
    (beside,) = config.parent.glob("gate.toml.of-*")
    assert f"another one is there; it lies at {beside}" in " ".join(said.err.split())
    assert "broker.password_file is at" in said.out
    assert PASSWORD not in said.out + said.err
    (config.parent / "broker.password").unlink()
    back = gate("restore", "--config-only", backup, *more, "--json")
    outcomes = {one["of"]: one["outcome"] for one in back.json["config"]}
    assert outcomes == {"broker.password_file": "placed", "gate.toml": "beside"}
    assert (config.parent / "broker.password").read_text() == PASSWORD


def test_a_successor_takes_the_config_and_not_the_dead_ones_password(
    gate: Gate, backup: Path, words: Path, config: Path, tmp_path: Path
) -> None:
    label = gate("key", "show", "--json", "--config", config).out.strip()
    place = tmp_path / "new" / "gate.toml"
    where = ("--config", place, "--state-dir", tmp_path / "other", "--passphrase-file", words)
    (place.parent / "disk").mkdir(parents=True)
    other = gate("replace", backup, "--label", label.replace("north-1", "south-2"), *where)
    assert other.code == 1
    assert not place.exists()
    said = gate("replace", backup, "--label", label, *where)
    assert said.code == 0, said.err
    assert place.read_text() == config.read_text()
    assert not (place.parent / "broker.password").exists()
    assert f"Lay this one's own there: {place.parent / 'broker.password'}" in said.out


def test_a_backup_without_a_config_has_none_to_give(
    gate: Gate, keyed: Path, words: Path, tmp_path: Path
) -> None:
    assert keyed.is_file()
    assert gate("backup", tmp_path / "b.gate", "--passphrase-file", words).code == 0
    told = gate(
        "restore", "--config-only", tmp_path / "b.gate", "--passphrase-file", words, "--json"
    )
    assert (told.code, told.json["reason"]) == (1, "no_config")
    both = gate("restore", "--config-only", "--dry-run", tmp_path / "b.gate")
    assert both.code == 2


def test_without_a_file_it_goes_where_the_config_says(
    gate: Gate, backup: Path, words: Path, config: Path, tmp_path: Path
) -> None:
    assert backup.exists()
    none = gate("backup", "--config", config, "--json")
    assert (none.code, none.json["reason"]) == (1, "no_folder")
    (tmp_path / "stick").mkdir()
    more = f'[store.backup]\nfolder = "{tmp_path}/stick"\npassphrase_file = "{words}"\n'
    config.write_text(config.read_text() + more + "same_disk = true\n")
    dry = gate("backup", "--config", config, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert list((tmp_path / "stick").iterdir()) == []
    done = gate("backup", "--config", config, "--json")
    assert done.code == 0, done.err
    (file,) = (tmp_path / "stick").iterdir()
    assert (done.json["file"], done.json["removed"]) == (str(file), [])
    assert gate("restore", file, "--dry-run", "--passphrase-file", words).code == 0
    odd = gate("backup", "--config", config, "--without-models")
    assert odd.code == 2
