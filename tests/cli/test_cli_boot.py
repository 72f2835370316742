"""``config adopt``, ``config report`` and ``config render``: what they say, and to whom."""

import json
from pathlib import Path

import pytest
from gate_command import Gate

from agent.app.gate.parts import config_fault
from agent.config import load_config
from agent.domain.access.part import PartKind
from agent.operations.config.boot_status import Told, boot_folder, status_lines

GATE = """\
[kiosk]
community = "lakeside"
grid = "g1"
id = "{kiosk}"

[[camera]]
id = "front"
kind = "opencv"

[[door]]
id = "gate"
kind = "gpio"
pin = {pin}
active_high = true
pin_factory = "mock"

[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"

[[rule]]
categories = ["resident"]
factors = ["pass"]
"""
PLAIN = GATE.format(kiosk="north-1", pin=17)
TEMPLATE = GATE.format(kiosk="${kiosk}", pin="${relay_pin}")


@pytest.fixture
def card(tmp_path: Path, state_dir: Path) -> Path:
    """A card with a right config; the kiosk's own folder lies beside it."""
    made = tmp_path / "card"
    made.mkdir()
    (tmp_path / "own").mkdir()
    (made / "gate.toml").write_text(PLAIN)
    return made


def own(card: Path) -> Path:
    return card.parent / "own" / "gate.toml"


def status(card: Path) -> str:
    raw = (card / "gate-status.txt").read_bytes()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 5
    return raw.decode()


def test_a_card_is_adopted_and_says_so(card: Path, gate: Gate) -> None:
    words = ("config", "adopt", "--from", card, "--config", own(card))
    first = gate(*words, "--json")
    assert first.code == 0
    assert first.json | {"from": "", "config": ""} == {
        "from": "",
        "config": "",
        "outcome": "adopted",
        "moved": [],
        "notes": [],
        "findings": [],
    }
    assert own(card).read_text() == PLAIN
    assert "gate.toml on this card was taken over" in status(card)
    before = (card / "gate-status.txt").stat().st_mtime_ns
    assert gate(*words).out == "the same gate.toml as before: nothing changed\n"
    assert (card / "gate-status.txt").stat().st_mtime_ns == before


def test_a_wrong_one_is_told_on_the_card_and_as_the_agents_fault(card: Path, gate: Gate) -> None:
    words = ("config", "adopt", "--from", card, "--config", own(card))
    gate(*words)
    (card / "gate.toml").write_text(PLAIN.replace("pin = 17", "pin = 99 # \u674e"))
    answer = gate(*words)
    assert answer.code == 78
    assert f"{card / 'gate.toml'}:13:7" in answer.err
    said = status(card)
    assert "IS WRONG and was not taken over" in said
    assert "1. line 13, column 7: door[0].pin: should be a whole number from 0 to 27" in said
    faults = config_fault(load_config(own(card)))
    assert list(faults) == [PartKind.CONFIG.part()]
    assert "an older config is used: line 13" in faults[PartKind.CONFIG.part()]
    checks = gate("doctor", "--config", own(card), "--json").json["checks"]
    (check,) = [one for one in checks if one["name"] == "card's config"]
    assert not check["ok"]
    assert "gate-status.txt" in check["fix"]


def test_a_report_has_the_doctor_and_is_written_only_where_it_differs(
    card: Path, gate: Gate
) -> None:
    gate("config", "adopt", "--from", card, "--config", own(card))
    looked = card.parent / "doctor.json"
    checks = [
        {"name": "disk", "ok": True, "detail": "9 GB"},
        {"name": "camera front", "ok": False, "detail": "no \u674e picture", "fix": "plug it in"},
    ]
    looked.write_text(json.dumps({"checks": checks}))
    words = ("config", "report", "--from", card, "--config", own(card), "--doctor", looked)
    assert gate(*words, "--json").json["written"]
    said = status(card)
    assert "Doctor:  1 of 2 checks passed" in said
    assert "FAIL camera front: no \\u674e picture" in said
    assert "Fix: plug it in" in said
    assert "Gate:    no agent answers" in said
    assert not gate(*words, "--json").json["written"]
    looked.write_text("no JSON")
    assert gate(*words, "--json").json["written"]
    assert "has not looked" in status(card)


def test_a_machine_without_a_boot_partition_is_left_alone(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    lines = ["/dev/sda1 / ext4 rw 0 0", "/dev/sda2 /boot ext4 rw 0 0"]
    mounts.write_text("\n".join(lines))
    assert boot_folder(mounts) is None
    mounts.write_text("\n".join([*lines, "/dev/mmcblk0p1 /boot/firmware vfat rw 0 0"]))
    assert boot_folder(mounts) == Path("/boot/firmware")


def test_a_template_makes_one_config_or_many(tmp_path: Path, gate: Gate) -> None:
    template, table = tmp_path / "fleet.toml", tmp_path / "kiosks.csv"
    template.write_text(TEMPLATE)
    one = gate("config", "render", template, "--set", "kiosk=north-1", "--set", "relay_pin=17")
    assert (one.code, one.out) == (0, PLAIN)
    table.write_bytes(b"\xef\xbb\xbfkiosk;relay_pin\r\nnorth-1;17\r\nnorth-2;22\r\n")
    words = ("config", "render", template, "--csv", table, "--out", tmp_path / "made", "--json")
    made = gate(*words)
    assert [entry["kiosk"] for entry in made.json] == ["lakeside/g1/north-1", "lakeside/g1/north-2"]
    assert (tmp_path / "made" / "g1-north-1.toml").read_text() == PLAIN
    assert gate(*words).code == 0  # the same again
    (tmp_path / "made" / "g1-north-2.toml").write_text("mine")
    assert gate(*words).code == 1
    assert (tmp_path / "made" / "g1-north-2.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("kiosk=n",), 78, "has no value"),
        (("kiosk=n", "relay_pn=1", "relay_pin=17"), 1, "no variable relay_pn; did you mean"),
        (("kiosk=n", "relay_pin=99"), 78, "should be a whole number from 0 to 27"),
        (('kiosk=n"\nx', "relay_pin=17"), 78, "would break out of its place"),
        (("kiosk", "relay_pin=17"), 2, "NAME=VALUE"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(
    tmp_path: Path, gate: Gate, words: tuple[str, ...], code: int, said: str
) -> None:
    template = tmp_path / "fleet.toml"
    template.write_text(TEMPLATE)
    given = [part for word in words for part in ("--set", word)]
    answer = gate("config", "render", template, *given, "--out", tmp_path / "gate.toml")
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert not (tmp_path / "gate.toml").exists()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("kiosk,relay_pin,colour\nn,17,red\n", "column 'colour' is not known"),
        ("kiosk,relay_pin,signing_key\nn,17,0\n", "'signing_key' looks like a secret"),
        ("kiosk,relay_pin,broker password\nn,17,0\n", "'broker password' looks like a secret"),
        ("kiosk,relay_pin\n=1+1,17\n", "line 2, column 'kiosk': is a formula"),
        ("kiosk,relay_pin\nn,17\nn,22\n", "line 3: the kiosk g1/n stands in line 2"),
        ("kiosk,relay_pin\nn\n", "line 2: has 1 cells"),
        ("kiosk,kiosk\nn,m\n", "'kiosk' is there twice"),
        ("kiosk,relay_pin\n-----BEGIN PRIVATE KEY-----,17\n", "holds a private key"),
        ("kiosk,relay_pin\n", "no row below its head"),
    ],
)
def test_a_table_that_is_none_of_kiosks_is_refused_whole(
    tmp_path: Path, gate: Gate, table: str, said: str
) -> None:
    template, file = tmp_path / "fleet.toml", tmp_path / "kiosks.csv"
    template.write_text(TEMPLATE)
    file.write_text(table)
    answer = gate("config", "render", template, "--csv", file, "--out", tmp_path / "made")
    assert (answer.code, said in answer.err) == (1, True), answer.err
    assert not (tmp_path / "made").exists()


def test_a_running_gate_says_what_it_does() -> None:
    agent = {
        "faults": {"camera:front": "no frame"},
        "access_points": {"entry": "closed"},
        "modes": {"entry": "normal"},
    }
    said = "\n".join(status_lines(Told({"outcome": "adopted"}, "gate-1", (), agent)))
    assert "Gate:    in service, 1 fault\n  FAULT camera:front: no frame\n" in said
    assert "  entry: closed, mode normal\n" in said
    assert "Address: none: no network yet" in said
