"""The boot partition's gate.toml: taken over whole, secrets moved, a wrong one told, any cut."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boot_parts import LOGIN, PASSWORD, SAVES, TEXT, Kiosk, kiosk_at

from agent.config import load_config
from agent.operations.config.boot_adopt import (
    ABSENT,
    ADOPTED,
    NOTE,
    REFUSED,
    UNCHANGED,
    Adoption,
    boot_fault,
)
from agent.operations.config.boot_file import KEPT
from agent.operations.config.boot_status import Told, status_lines


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return kiosk_at(tmp_path)


def faults(found: Adoption) -> list[tuple[str | None, int | None, str]]:
    return [(one.key, one.line, one.message) for one in found.faults]


@pytest.mark.parametrize("save", SAVES, ids=["plain", "windows"])
def test_it_is_taken_over_and_its_secrets_leave_the_card(
    kiosk: Kiosk, save: Callable[[str], bytes]
) -> None:
    card = kiosk.card / "gate.toml"
    card.write_bytes(save(TEXT))
    found = kiosk.boot()
    assert (found.outcome, found.moved) == (ADOPTED, ("camera-front.source", "broker.password"))
    assert found.notes == ("quotes of a word processor were read as plain ones: line 2, 31",)
    adopted = load_config(kiosk.config)
    broker = adopted.config.broker
    assert broker is not None
    assert broker.password_file is not None
    kept = adopted.resolve(broker.password_file)
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (PASSWORD, 0o600)
    assert adopted.config.camera[0].source == LOGIN
    assert adopted.config.kiosk.community == "lakeside"
    assert (kiosk.own / "office.pub").read_bytes() == (kiosk.card / "office.pub").read_bytes()
    # The card says the same as before, but for the secrets, mark, line ends and quotes included.
    left = TEXT.replace(f"\u201c{PASSWORD}\u201d", f'"{KEPT}"').replace(LOGIN, KEPT)
    assert card.read_bytes() == save(left)
    assert PASSWORD not in (kiosk.own / NOTE).read_text()


def test_the_same_file_changes_nothing_and_neither_does_a_removed_one(kiosk: Kiosk) -> None:
    kiosk.boot()
    by_hand = kiosk.config.read_text() + "# changed by a technician\n"
    kiosk.config.write_text(by_hand)
    before = (kiosk.own / NOTE).stat().st_mtime_ns
    assert kiosk.boot().outcome == UNCHANGED
    (kiosk.card / "gate.toml").unlink()
    assert kiosk.boot().outcome == ABSENT
    assert kiosk.config.read_text() == by_hand
    assert (kiosk.own / NOTE).stat().st_mtime_ns == before


def test_a_blanked_file_may_be_edited_and_its_secrets_still_hold(kiosk: Kiosk) -> None:
    kiosk.boot()
    kiosk.edit("broker.example", "other.example")
    assert kiosk.boot().outcome == ADOPTED
    broker = load_config(kiosk.config).config.broker
    assert broker is not None
    assert (broker.host, str(broker.password_file)) == ("other.example", "broker.password")
    assert load_config(kiosk.config).config.camera[0].source == LOGIN
    kiosk.edit(f'password = "{KEPT}"', 'password = "another"')
    kiosk.boot()
    assert (kiosk.own / "broker.password").read_text() == "another"
    assert b"another" not in (kiosk.card / "gate.toml").read_bytes()


def test_a_wrong_one_leaves_the_last_good_config_and_its_secret(kiosk: Kiosk) -> None:
    kiosk.boot()
    good = kiosk.config.read_bytes()
    kiosk.edit("pin = 17", "pin = 99")
    kiosk.edit(f'password = "{KEPT}"', "password = \u201cnew one\u201d")
    wrong = (kiosk.card / "gate.toml").read_bytes()
    found = kiosk.boot()
    assert found.outcome == REFUSED
    assert faults(found) == [("door[0].pin", 14, "should be a whole number from 0 to 27")]
    assert (kiosk.config.read_bytes(), (kiosk.card / "gate.toml").read_bytes()) == (good, wrong)
    assert (kiosk.own / "broker.password").read_text() == PASSWORD
    said = boot_fault(kiosk.config)
    assert said is not None
    assert "line 14, door[0].pin" in said
    kiosk.edit("pin = 99", "pin = 17")
    assert kiosk.boot().outcome == ADOPTED
    assert boot_fault(kiosk.config) is None
    assert (kiosk.own / "broker.password").read_text() == "new one"


@pytest.mark.parametrize("back", ["as it was", "away"])
def test_the_fault_ends_where_the_wrong_file_goes(kiosk: Kiosk, back: str) -> None:
    kiosk.boot()
    good, config = (kiosk.card / "gate.toml").read_bytes(), kiosk.config.read_bytes()
    (kiosk.card / "gate.toml").write_bytes(b"nothing = [")
    assert kiosk.boot().outcome == REFUSED
    assert boot_fault(kiosk.config) is not None
    if back == "away":
        (kiosk.card / "gate.toml").unlink()
    else:
        (kiosk.card / "gate.toml").write_bytes(good)
    assert kiosk.boot().outcome == (ABSENT if back == "away" else UNCHANGED)
    assert boot_fault(kiosk.config) is None
    assert kiosk.config.read_bytes() == config


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (f"\u201c{PASSWORD}\u201d", "7", ("broker.password", 31, "is no password")),
        (
            f"\u201c{PASSWORD}\u201d",
            f'"{KEPT}"',
            ("broker.password", 31, "was kept on another kiosk, and not on this"),
        ),
        (
            '"office.pub"',
            '"gone.pub"',
            ("command_key[0].file", 35, "is neither on this card nor on the kiosk"),
        ),
        ('"office.pub"', '"gate.toml"', ("command_key[0].file", 35, "holds no public key")),
        (
            "username =",
            'ca_file = "office.pub"\nusername =',
            ("broker.ca_file", 30, "holds no certificate of an authority"),
        ),
        (
            "username =",
            'password_file = "x"\nusername =',
            ("broker.password", 32, "password and password_file stand both here"),
        ),
    ],
)
def test_what_would_not_start_is_refused_with_its_line(
    kiosk: Kiosk, old: str, new: str, fault: tuple[str, int, str]
) -> None:
    kiosk.write(lambda text: text.replace(old, new))
    found = kiosk.boot()
    assert (found.outcome, faults(found)) == (REFUSED, [fault])
    assert not kiosk.config.exists()
    assert found.config is None


def test_a_private_key_is_moved_and_found_again(kiosk: Kiosk) -> None:
    kiosk.write(
        lambda text: text.replace(
            "username", 'ca_file = "/ca.pem"\ncert_file = "/c.pem"\nkey_file = "c.key"\nusername'
        )
    )
    (kiosk.card / "c.key").write_bytes(b"a private key")
    assert "c.key" in kiosk.boot().moved
    assert not (kiosk.card / "c.key").exists()
    kept = kiosk.own / "c.key"
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (b"a private key", 0o600)
    assert kiosk.boot().outcome == UNCHANGED
    kiosk.edit("broker.example", "other.example")
    assert kiosk.boot().outcome == ADOPTED
    assert kept.read_bytes() == b"a private key"


def test_a_path_out_of_the_card_is_nothing_that_lies_on_it(kiosk: Kiosk) -> None:
    (kiosk.card.parent / "outside.pub").write_bytes((kiosk.card / "office.pub").read_bytes())
    kiosk.write(lambda text: text.replace('"office.pub"', '"../outside.pub"'))
    assert kiosk.boot().outcome == ADOPTED
    assert not (kiosk.own / "outside.pub").exists()


def test_a_card_that_cannot_be_written_says_that_the_secret_is_still_there(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def refuses(source: Any, target: Any) -> None:
        if str(target).startswith(str(kiosk.card)):
            raise OSError(30, "Read-only file system")
        real(source, target)

    monkeypatch.setattr(os, "replace", refuses)
    found = kiosk.boot()
    assert found.outcome == ADOPTED
    assert "STILL ON THE CARD" in found.notes[-1]
    assert PASSWORD.encode() in (kiosk.card / "gate.toml").read_bytes()
    monkeypatch.undo()
    assert kiosk.boot().outcome == ADOPTED
    assert PASSWORD.encode() not in (kiosk.card / "gate.toml").read_bytes()


@pytest.mark.parametrize("name", ["gate.toml.txt", "Gate.toml.TXT", "gate.txt"])
def test_a_file_that_an_editor_called_otherwise_is_named(kiosk: Kiosk, name: str) -> None:
    (kiosk.card / "gate.toml").rename(kiosk.card / name)
    found = kiosk.boot()
    assert found.outcome == ABSENT
    assert found.notes[0].startswith(f"{name} is not read: call it gate.toml")


@pytest.mark.parametrize("raw", [TEXT.encode("utf-16"), TEXT.encode("cp936"), b"\xff", b"\0" * 99])
def test_what_is_no_utf_8_or_no_toml_is_refused_whole(kiosk: Kiosk, raw: bytes) -> None:
    (kiosk.card / "gate.toml").write_bytes(raw)
    found = kiosk.boot()
    assert found.outcome == REFUSED
    assert found.faults
    assert not kiosk.config.exists()


@pytest.mark.parametrize("name", ["cmdline.txt", "CMDLINE.TXT", "gate/first-boot.sh", "a.dtb"])
def test_what_the_machine_starts_from_is_never_moved(kiosk: Kiosk, name: str) -> None:
    (kiosk.card / name).parent.mkdir(exist_ok=True)
    (kiosk.card / name).write_text("console=tty1")
    kiosk.write(
        lambda text: text.replace("password = ", f'password_file = "{name}"\nold = ').replace(
            f"old = \u201c{PASSWORD}\u201d", ""
        )
    )
    found = kiosk.boot()
    assert (found.outcome, faults(found)) == (
        REFUSED,
        [("broker.password_file", 31, "belongs to the card itself")],
    )
    assert (kiosk.card / name).read_text() == "console=tty1"


@pytest.mark.parametrize("spoilt", ["\nhost = [", "\n= 3", "\nusername = 7"])
def test_no_secret_of_a_wrong_file_is_told(kiosk: Kiosk, spoilt: str) -> None:
    kiosk.write(lambda text: text.replace("\u201d  # of the office", f"\u201d{spoilt}"))
    found = kiosk.boot()
    assert found.outcome == REFUSED
    said = json.dumps(found.as_json()) + str(kiosk.said())
    told = "".join(status_lines(Told(found.as_json(), "h", ())))
    assert "s3cret" not in said + told
    assert "hunter2" not in said + told
    kiosk.write(lambda text: text.replace(f"\u201c{PASSWORD}\u201d", f'"{PASSWORD}'))
    assert "s3cret" not in json.dumps(kiosk.boot().as_json())
