"""``gate-agent init`` for a card, the community's keys, and the kiosk's label."""

import json
from pathlib import Path

import pytest
import zxingcpp
from gate_command import Gate
from PIL import Image

from agent.config import load_config

CAMERA = ("--camera", "picamera2", "--relay-level", "high", "--kiosk", "north-1")


@pytest.fixture
def office(tmp_path: Path, state_dir: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what an office has: certificates, and the keys of commands and registry."""
    made = tmp_path / "office"
    (made / "card").mkdir(parents=True)
    monkeypatch.chdir(made)
    for name in ("ca.pem", "kiosk.pem", "kiosk.key"):
        (made / name).write_text(f"{name}, not read here\n")
    for name in ("commands", "registry"):
        assert gate("command", "keygen", name).code == 0
    return made


def words(office: Path) -> tuple[str, ...]:
    return (
        *("--broker", "127.0.0.1", "--broker-port", "1", "--broker-ca", "ca.pem"),
        *("--broker-cert", "kiosk.pem", "--broker-key", "kiosk.key"),
        *("--command-key", "commands.pub", "--command-verbs", "lockdown,unlock"),
        *("--registry-key", str(office / "registry.pub")),
    )


def test_a_card_gets_all_that_its_config_names(office: Path, gate: Gate) -> None:
    made = gate("init", "--json", "--boot", "card", *CAMERA, *words(office), "--label", "n.pdf")
    assert made.code == 0, made.err
    card = office / "card"
    beside = {"ca.pem", "kiosk.pem", "kiosk.key", "commands.pub", "registry.pub"}
    assert {one.name for one in card.iterdir()} == {"gate.toml", *beside}
    assert set(made.json["files"]) == {str(card / one) for one in beside}
    config = load_config(card / "gate.toml").config
    assert config.broker is not None
    assert config.registry is not None
    assert str(config.broker.key_file) == "kiosk.key"
    assert [one.verbs for one in config.command_key] == [("lockdown", "unlock")]
    assert [str(one) for one in config.registry.key_files] == ["registry.pub"]
    assert config.store.key_file is None
    assert config.door[0].pin_factory == "lgpio"
    # No key of the kiosk was made here.
    assert made.json["key"] is None
    assert not (office / "gallery.key").exists()
    assert made.json["label"]["keys"] is None
    assert (office / "n.pdf").read_bytes().startswith(b"%PDF")
    again = gate("init", "--json", "--boot", "card", *CAMERA)
    assert (again.code, again.json["reason"]) == (1, "file_exists")


def test_a_kiosk_prints_its_label_with_its_public_keys(office: Path, gate: Gate) -> None:
    made = gate("init", "--json", *CAMERA, "--pins", "mock", "--label", "label.png")
    assert made.code == 0, made.err
    (code,) = zxingcpp.read_barcodes(Image.open(office / "label.png"))
    keys = gate("key", "show", "--config", "gate.toml", "--json").json
    assert json.loads(code.text) == keys == made.json["label"]["keys"]
    assert f"signing key {keys['signing']['key_id']}" in made.json["label"]["lines"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--broker-cert", "kiosk.pem"), "--broker-cert goes with --broker-ca"),
        (("--broker", "b", "--command-key", "ca.pem"), "holds no public key"),
        (("--boot", "card", "--enrol", "r-1", "--enrol-name", "A"), "--boot goes without"),
        (("--boot", "nowhere"), "--boot: there is no folder"),
    ],
)
def test_what_does_not_go_together_is_said(
    office: Path, gate: Gate, given: tuple[str, ...], said: str
) -> None:
    answer = gate("init", "--yes", *CAMERA, *given)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert not list((office / "card").iterdir())


def test_a_label_of_another_kind_of_file_is_refused_before_anything(
    office: Path, gate: Gate
) -> None:
    answer = gate("init", "--json", *CAMERA, "--label", "label.txt")
    assert (answer.code, answer.json["reason"]) == (1, "file_type")
    assert not (office / "gate.toml").exists()
