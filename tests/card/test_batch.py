"""Forty kiosks from one table: a folder each, checked as a kiosk would, and their labels."""

import json
from pathlib import Path
from typing import Any

import pytest
from card.batch import make_batch
from card.commands import main
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.config import load_config

HEAD = "community,grid,kiosk,camera,relay-level,relay-pin,contact-pin,broker,command-key,rule"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    key = Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "office.pub").write_bytes(pem)
    return tmp_path


def table(office: Path, *rows: str, head: str = HEAD) -> Path:
    file = office / "kiosks.csv"
    file.write_text("\n".join([head, *rows]) + "\n")
    return file


def row(number: int, pin: int = 17) -> str:
    name = f"north-{number}"
    return f"lakeside,g1,{name},picamera2,high,{pin},none,broker.example,office.pub,pass"


def test_each_row_makes_a_kiosk_and_a_label(office: Path, capsys: Any) -> None:
    file = table(office, *(row(number) for number in range(12)))
    out = office / "kiosks"
    words = ["--batch", str(file), "--out", str(out), "--json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["kiosks"]) == 12
    made = load_config(out / "g1-north-7" / "gate.toml").config
    assert (made.kiosk.id, made.door[0].pin, made.door[0].pin_factory) == ("north-7", 17, "lgpio")
    assert [str(one.file) for one in made.command_key] == ["office.pub"]
    assert (out / "g1-north-7" / "office.pub").read_bytes() == (office / "office.pub").read_bytes()
    assert {one.name for one in (out / "g1-north-7").iterdir()} == {"gate.toml", "office.pub"}
    pdf = (out / "labels.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") == 2
    # The same again changes nothing; another one is not written over.
    assert main(words) == 0
    (out / "g1-north-7" / "gate.toml").write_text("mine")
    capsys.readouterr()
    assert main(words) == 1
    assert (out / "g1-north-7" / "gate.toml").read_text() == "mine"


def test_a_template_has_what_the_questions_do_not(office: Path) -> None:
    template = office / "fleet.toml"
    template.write_text(
        """\
[kiosk]
community = "lakeside"
grid = "g1"
id = "${kiosk}"
[[camera]]
id = "front"
kind = "picamera2"
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"
[[command_key]]
id = "office"
file = "office.pub"
verbs = ["lockdown"]
[broker]
host = "${broker}"
"""
    )
    file = table(office, "a;b.example", "b;c.example", head="kiosk;broker")
    made = make_batch(file, template, office / "out")
    assert [kiosk for kiosk, _ in made] == ["lakeside/g1/a", "lakeside/g1/b"]
    assert (office / "out" / "g1-b" / "office.pub").is_file()
    assert {one.name for one in office.iterdir()} == {
        *("office.pub", "fleet.toml", "kiosks.csv", "out"),
    }


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        (HEAD, (row(1), row(2), row(1)), "line 4: the kiosk g1/north-1 stands in line 2"),
        (HEAD, (row(1), row(1, 22)), "line 3: the kiosk g1/north-1 stands in line 2"),
        (HEAD, (row(1, 4),), "line 2: column relay-pin"),
        (HEAD, (row(1, 28),), "there is no BCM 28"),
        (HEAD, (row(1).replace("office.pub", "gone.pub"),), "gone.pub; a PEM file"),
        (HEAD, (row(1).replace("north-1", '"=cmd()"'),), "is a formula"),
        (HEAD.replace("rule", "rules"), (row(1),), "column 'rules' is not known; did you mean"),
        (HEAD.replace("rule", "private-key"), (row(1),), "looks like a secret"),
        (HEAD.replace("rule", "key-file"), (row(1),), "is not known"),
        (HEAD.replace("rule", "broker-password"), (row(1),), "looks like a secret"),
        (HEAD, (row(1).replace(",high,", ",,"),), "relay-level"),
        (HEAD, (), "no row below its head"),
    ],
)
def test_a_wrong_table_writes_nothing(
    office: Path, head: str, rows: tuple[str, ...], said: str, capsys: Any
) -> None:
    file = table(office, *rows, head=head)
    assert main(["--batch", str(file), "--out", str(office / "out")]) == 1
    err = capsys.readouterr().err
    assert said in err, err
    assert not (office / "out").exists()


def test_it_goes_with_no_image(office: Path, capsys: Any) -> None:
    for words in (["--batch", "x.csv"], ["image.img", "card.img"], []):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "--out DIR" in capsys.readouterr().err
