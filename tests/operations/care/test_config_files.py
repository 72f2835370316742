"""The config in a backup: what it names comes along, and nothing that is there is overwritten."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import RefusedError, UnavailableError
from agent.operations.care.config_files import MOST_BYTES, Part, checked, gathered, put_back

MADE = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
MOMENT = "of-20261128T123000Z"
TEXT = """
[broker]
host = "b"
password_file = "broker.password"
ca_file = "tls/ca.pem"
[[command_key]]
id = "office"
file = "office.pem.pub"
[registry]
key_files = ["registry.pem.pub"]
[store]
key_file = "gallery.key"
[[door]]
pin = 17
"""
FILES = {
    "broker.password": b"hunter2\n",
    "tls/ca.pem": b"-----BEGIN CERTIFICATE-----",
    "office.pem.pub": b"pub",
    "registry.pem.pub": b"reg",
    "gallery.key": b"never",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "tls").mkdir(parents=True)
    (folder / "gate.toml").write_text(TEXT)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder / "gate.toml"


def outcomes(parts: list[Part], place: Path, *, successor: bool = False) -> dict[str, str]:
    placed = put_back(checked(parts), place, MADE, successor=successor)
    return {one.key: one.outcome for one in placed}


def test_into_an_empty_place_all_of_it_goes_but_the_gallerys_key(
    config: Path, tmp_path: Path
) -> None:
    parts, left_out = gathered(config)
    assert left_out == []
    other = tmp_path / "new" / "gate.toml"
    dry = put_back(parts, other, MADE, successor=False, dry_run=True)
    assert not other.parent.exists()
    assert outcomes(parts, other) == {one.key: one.outcome for one in dry}
    names = {str(one.relative_to(other.parent)) for one in other.parent.rglob("*.*")}
    assert names == {"gate.toml", *FILES} - {"gallery.key"}
    assert other.read_text() == TEXT
    for name, mode in (("broker.password", 0o600), ("gate.toml", 0o640), ("tls/ca.pem", 0o644)):
        assert (other.parent / name).read_bytes() == (config.parent / name).read_bytes()
        assert stat.S_IMODE((other.parent / name).stat().st_mode) == mode
    assert set(outcomes(parts, other).values()) == {"same"}


def test_another_one_stays_and_the_backups_lies_beside_it(config: Path) -> None:
    parts, _ = gathered(config)
    config.write_text("[kiosk]\n")
    (config.parent / "office.pem.pub").unlink()
    (config.parent / "office.pem.pub").symlink_to(config.parent / "nowhere")
    done = outcomes(parts, config)
    assert (done["gate.toml"], done["command_key.0.file"]) == ("beside", "beside")
    assert config.read_text() == "[kiosk]\n"
    beside = config.with_name(f"gate.toml.{MOMENT}")
    assert beside.read_text() == TEXT
    assert not (config.parent / "nowhere").exists()
    # Once more it is the same one; a person's own under that name stays as well.
    assert outcomes(parts, config)["gate.toml"] == "beside"
    beside.write_text("a person's")
    assert outcomes(parts, config)["gate.toml"] == "unwritten"
    assert beside.read_text() == "a person's"


def test_a_successor_is_not_the_dead_kiosk_to_the_broker(config: Path, tmp_path: Path) -> None:
    parts, _ = gathered(config)
    other = tmp_path / "new" / "gate.toml"
    assert outcomes(parts, other, successor=True)["broker.password_file"] == "left_out"
    assert not (other.parent / "broker.password").exists()
    assert (other.parent / "tls" / "ca.pem").exists()


def test_what_belongs_elsewhere_is_laid_beside_the_config(config: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "secret").write_bytes(b"s")
    (config.parent / "out").symlink_to(tmp_path / "run")
    elsewhere = {"a": str(tmp_path / "run" / "secret"), "b": "../run/secret", "c": "out/secret"}
    for said in elsewhere.values():
        config.write_text(f'[broker]\npassword_file = "{said}"\n')
        parts, left_out = gathered(config)
        assert (len(parts), left_out) == (2, [])
        assert outcomes(parts, config)["broker.password_file"] == "same"
        (tmp_path / "run" / "secret").unlink()
        assert outcomes(parts, config)["broker.password_file"] == "beside"
        assert not (tmp_path / "run" / "secret").exists()
        assert (config.parent / f"broker.password_file.{MOMENT}").read_bytes() == b"s"
        (tmp_path / "run" / "secret").write_bytes(b"s")


def test_what_cannot_be_read_is_named_and_the_rest_comes_along(config: Path) -> None:
    (config.parent / "broker.password").unlink()
    os.mkfifo(config.parent / "broker.password")
    (config.parent / "registry.pem.pub").unlink()
    (config.parent / "office.pem.pub").write_bytes(bytes(MOST_BYTES + 1))
    parts, left_out = gathered(config)
    assert [one.partition(":")[0] for one in left_out] == [
        "broker.password_file",
        "command_key.0.file",
        "registry.key_files.0",
    ]
    assert [one.key for one in parts] == ["gate.toml", "broker.ca_file"]
    config.unlink()
    with pytest.raises(UnavailableError):
        gathered(config)


@pytest.mark.parametrize(
    "parts",
    [
        [Part("broker.password_file", b"x")],
        [Part("gate.toml", b"[broker]"), Part("broker.password_file", b"x")],
        [Part("gate.toml", b"no TOML ["), Part("broker.password_file", b"x")],
        [Part("gate.toml", b'["../x"]\nfile = "y"\n'), Part("../x.file", b"x")],
        [Part("gate.toml", b'[store]\nkey_file = "y"\n'), Part("store.key_file", b"x")],
    ],
)
def test_what_no_config_names_is_no_backup_of_an_agent(parts: list[Part]) -> None:
    with pytest.raises(RefusedError) as refused:
        checked(parts)
    assert refused.value.reason == "odd_backup"


def test_where_nothing_can_be_written_it_says_so(config: Path, tmp_path: Path) -> None:
    parts, _ = gathered(config)
    (tmp_path / "file").write_text("in the place of the folder")
    assert set(outcomes(parts, tmp_path / "file" / "gate.toml").values()) == {"unwritten"}
