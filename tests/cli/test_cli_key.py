"""``gate-agent key rotate``, and what is said of where the key lies."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
import zxingcpp
from gate_command import Gate

from agent.adapters.store.keys import init_next_key, load_key
from agent.app.open.files import key_place
from agent.app.open.files.key_place import KeyPlace

LINE = '{"id": "ann", "name": "Ann Zaphod", "category": "resident"}\n'


@pytest.fixture
def people(gate: Gate, keyed: Path, tmp_path: Path) -> Path:
    """A kiosk with a key and a holder; the key's file."""
    (tmp_path / "people.jsonl").write_text(LINE)
    assert gate("holders", "import", tmp_path / "people.jsonl").code == 0
    return keyed


def test_a_key_is_changed_and_names_open_by_the_new_one(gate: Gate, people: Path) -> None:
    old, was = load_key(people), gate("key", "show-id", "--json").json["key_id"]
    made = gate("key", "rotate", "--json")
    assert made.json == {
        "old_key_id": was,
        "key_id": gate("key", "show-id", "--json").json["key_id"],
        "file": str(people),
        "resealed": 1,
        "unreadable": 0,
        "resumed": False,
    }
    assert (made.json["key_id"] != was, load_key(people) != old) == (True, True)
    assert gate("holders", "list", "--json").json[0]["name"] == "Ann Zaphod"


def test_people_are_told_to_keep_a_copy(gate: Gate, people: Path) -> None:
    said = gate("key", "rotate")
    assert (said.code, "1 value sealed anew" in said.out, "Keep a copy" in said.out) == (0, 1, 1)


def test_what_was_begun_is_ended(gate: Gate, people: Path) -> None:
    init_next_key(people)
    assert gate("key", "rotate", "--json").json["resumed"] is True


def test_a_key_that_systemd_hands_over_is_named(gate: Gate, people: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "gallery.key"
    people.rename(elsewhere)
    refused = gate("key", "rotate", "--json")
    assert (refused.code, refused.json["fix"]) == (69, "gate-agent key init")
    made = gate("key", "rotate", "--key-file", elsewhere, "--json")
    assert (made.json["file"], made.json["resealed"]) == (str(elsewhere), 1)
    assert "systemctl restart gate-agent" in made.err


def test_without_the_key_ids_are_listed_and_the_fix_is_said(gate: Gate, people: Path) -> None:
    people.unlink()
    for words in (("list",), ("show", "ann")):
        answer = gate("holders", *words)
        assert (answer.code, "ann" in answer.out, "Zaphod" in answer.out) == (0, True, False)
        assert ("a name is sealed" in answer.err, "put the key back" in answer.err) == (True, True)
    assert gate("holders", "show", "ann", "--json").json["name"] is None
    assert gate("holders", "disable", "ann", "--json").json["enabled"] is False
    exported = gate("holders", "export", "-", "--json")
    assert (exported.code, "put the key back" in exported.json["fix"]) == (69, True)


def test_a_removal_says_that_it_erased(gate: Gate, people: Path) -> None:
    answer = gate("holders", "remove", "ann", "--json")
    assert (answer.json["erased"], answer.err) == (True, "")
    files = (file for file in people.parent.rglob("*") if file.is_file())
    assert not any(b"Zaphod" in file.read_bytes() for file in files)


@pytest.mark.parametrize("place", list(KeyPlace))
def test_doctor_and_config_check_say_what_a_stolen_card_tells(
    gate: Gate,
    people: Path,
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: KeyPlace,
) -> None:
    monkeypatch.setattr(key_place, "_place", lambda _site: place)
    told = gate("config", "check", "--config", config_file, "--json").json
    assert place.told in told["summary"]["gallery_key"]
    assert any("[store] key_file" in warning for warning in told["warnings"])
    assert place.told in check(gate, config_file)["detail"]


def check(gate: Gate, config_file: Path) -> dict[str, Any]:
    """The doctor's line about the key."""
    checks = gate("doctor", "--config", config_file, "--json").json["checks"]
    (found,) = (one for one in checks if one["name"] == "gallery key")
    return dict(found)


def test_doctor_says_that_a_rotation_waits(gate: Gate, people: Path, config_file: Path) -> None:
    assert check(gate, config_file)["ok"] is True
    init_next_key(people)
    found = check(gate, config_file)
    assert (found["ok"], found["fix"].startswith("gate-agent key rotate")) == (False, True)


def test_without_its_key_nobody_is_told_to_make_another(
    gate: Gate, people: Path, config_file: Path
) -> None:
    kept = people.rename(people.with_suffix(".kept"))
    refused = gate("holders", "set", "ann", "--name", "B", "--json")
    assert (refused.code, "put the key back" in refused.json["fix"]) == (69, True)
    assert gate("key", "init").code == 0
    checks = gate("doctor", "--config", config_file, "--json").json["checks"]
    (registry,) = (one for one in checks if one["name"] == "registry")
    assert (registry["ok"], "put the key back" in registry["fix"]) == (False, True)
    kept.replace(people)
    assert gate("holders", "list", "--json").json[0]["name"] == "Ann Zaphod"


def test_a_warning_has_its_fix_on_a_line_of_its_own(gate: Gate, people: Path) -> None:
    people.unlink()
    assert (
        gate("holders", "list").err.splitlines()[1].startswith("Fix: --config FILE, where the gate")
    )


def test_init_makes_whichever_key_is_missing(gate: Gate, tmp_path: Path) -> None:
    first = gate("key", "init", "--json").json
    names = [Path(one).name for one in first["made"]]
    assert names == ["gallery.key", "kiosk-signing.key", "kiosk-sealing.key"]
    again = gate("key", "init", "--json")
    assert (again.code, again.json["reason"]) == (1, "key_exists")
    shown = gate("key", "show", "--json").json
    Path(first["made"][1]).unlink()
    said = gate("key", "init", "--json")
    assert (said.code, said.json["key_id"]) == (0, first["key_id"])
    assert [Path(one).name for one in said.json["made"]] == ["kiosk-signing.key"]
    other = gate("key", "show", "--json").json
    assert (other["sealing"], other["signing"] == shown["signing"]) == (shown["sealing"], False)


def test_the_public_halves_are_shown_and_written_as_a_label(
    gate: Gate, keyed: Path, tmp_path: Path
) -> None:
    label = tmp_path / "label.png"
    shown = gate("key", "show", "--json", "--label", label)
    (symbol,) = zxingcpp.read_barcodes(cv2.imread(str(label)))
    assert json.loads(symbol.text) == shown.json
    for_people = gate("key", "show").out
    assert shown.json["signing"]["public"] in for_people
    private = [(keyed.parent / f"kiosk-{one}.key").read_text() for one in ("signing", "sealing")]
    assert not any(one.strip() in shown.out + for_people + symbol.text for one in private)
    refused = gate("key", "show", "--json", "--label", tmp_path / "label.txt")
    assert (refused.code, refused.json["reason"]) == (1, "file_type")


def test_without_them_the_fix_is_said(gate: Gate) -> None:
    answer = gate("key", "show", "--json")
    assert (answer.code, answer.json["fix"]) == (69, "gate-agent key init")
