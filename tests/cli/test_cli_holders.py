"""Holders and events through the commands, on real databases."""

import json
import os
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from gate_command import PROGRAM, Gate

ANN = {
    "id": "ann",
    "name": "王小明 [bold]",
    "category": "resident",
    "enabled": True,
    "valid_from": None,
    "valid_until": "2026-12-31T16:00:00.000Z",
}
BOB = {**ANN, "id": "bob", "name": "Bob", "category": "staff", "valid_until": None}


def write(path: Path, *holders: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(holder) + "\n" for holder in holders))
    return path


@pytest.fixture
def people(gate: Gate, keyed: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """Two holders without faces."""
    answer = gate("holders", "import", write(tmp_path / "people.jsonl", ANN, BOB), "--json")
    assert (answer.code, answer.json["holders"], answer.json["changed"]) == (0, 2, 2)
    return [ANN, BOB]


def shown(gate: Gate, holder: str) -> Any:
    return gate("holders", "show", holder, "--json").json


def test_list_and_show_have_exactly_the_promised_keys(
    people: list[dict[str, Any]], gate: Gate
) -> None:
    assert gate("holders", "list", "--json").json == [
        {**one, "references": {}, "consent": None} for one in people
    ]
    assert shown(gate, "ann") == {**ANN, "references": {}, "consent": None}
    assert gate("holders", "list", "--category", "staff", "--json").json[0]["id"] == "bob"


def test_a_name_is_printed_as_it_is(people: list[dict[str, Any]], gate: Gate) -> None:
    assert "王小明 [bold]" in gate("holders", "list").out
    assert "王小明 [bold]" in gate("holders", "show", "ann").out


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["disable", "bob"], "enabled", False),
        (["set", "bob", "--name", "Robert"], "name", "Robert"),
        (["set", "bob", "--category", "guest"], "category", "guest"),
        (["set", "bob", "--valid-until", "2027-01-01"], "valid_until", "2027-01-02T00:00:00.000Z"),
        (
            ["set", "bob", "--valid-from", "2027-01-01T08:00+08:00"],
            "valid_from",
            "2027-01-01T00:00:00.000Z",
        ),
    ],
)
def test_a_change_is_made_once_and_told(
    words: list[str], key: str, value: object, people: list[dict[str, Any]], gate: Gate
) -> None:
    assert gate("holders", *words, "--json").json == {
        **BOB, "references": {}, "consent": None, key: value, "changed": True,
    }  # fmt: skip
    assert gate("holders", *words, "--json").json["changed"] is False
    assert shown(gate, "bob")[key] == value
    assert shown(gate, "ann") == {**ANN, "references": {}, "consent": None}
    events = gate("events", "list", "--type", "holder", "--json").lines
    assert events[-1]["type"] == "gate.holder.changed"
    assert (events[-1]["data"]["holder"], events[-1]["data"]["fields"]) == ("bob", [key])
    assert events[-1]["data"]["by"].startswith(f"uid:{os.getuid()}")
    # Two imports and one change: what changed nothing is no event.
    assert len(events) == 3


def test_a_bound_is_taken_away(people: list[dict[str, Any]], gate: Gate) -> None:
    assert gate("holders", "set", "ann", "--valid-until", "none").code == 0
    assert shown(gate, "ann")["valid_until"] is None


def test_enable_undoes_disable(people: list[dict[str, Any]], gate: Gate) -> None:
    gate("holders", "disable", "ann")
    assert gate("holders", "enable", "ann", "--json").json["enabled"] is True


def test_removed_is_gone_and_told(people: list[dict[str, Any]], gate: Gate) -> None:
    assert gate("holders", "remove", "ann", "--json").json == {
        "id": "ann", "removed": True, "erased": True,
    }  # fmt: skip
    again = gate("holders", "remove", "ann", "--json")
    assert (again.code, again.json["reason"]) == (1, "no_such_holder")
    assert gate("events", "list", "--json").lines[-1]["type"] == "gate.holder.removed"


@pytest.mark.parametrize("command", ["show", "enable", "disable", "remove"])
def test_an_unknown_holder_is_1(command: str, gate: Gate) -> None:
    answer = gate("holders", command, "nobody", "--json")
    assert (answer.code, answer.json["reason"]) == (1, "no_such_holder")


def test_no_event_or_log_holds_a_name(people: list[dict[str, Any]], gate: Gate) -> None:
    gate("holders", "set", "bob", "--name", "Robert")
    said = gate("events", "export", "-").out
    assert "bob" in said
    assert not any(name in said for name in ("Robert", "Bob", "王小明", "\\u738b"))


# --- export and import --------------------------------------------------------------------------


def test_what_is_exported_is_imported_elsewhere(
    people: list[dict[str, Any]], gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "holders.jsonl"
    answer = gate("holders", "export", file, "--json")
    assert answer.json == {"file": str(file), "holders": 2}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [json.loads(line) for line in file.read_text().splitlines()] == people
    other = ("--state-dir", tmp_path / "other")
    first = gate("holders", "import", file, "--json", *other)
    assert (first.code, first.json["changed"]) == (0, 2)
    made = tmp_path / "other" / "gallery.key"
    assert (
        first.err
        == f"warning: made {made}, by which names are sealed; keep a copy in a safe place\n"
    )
    assert gate("holders", "import", file, "--json", *other).json["changed"] == 0
    assert gate("holders", "list", "--json", *other).json == [
        {**one, "references": {}, "consent": None} for one in people
    ]


def test_a_key_that_is_gone_is_not_made_anew(
    people: list[dict[str, Any]], gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "holders.jsonl"
    gate("holders", "export", file)
    (tmp_path / "state" / "gallery.key").unlink()
    answer = gate("holders", "import", file, "--json")
    assert (answer.code, answer.json["fix"]) == (69, "gate-agent key init")


def test_export_to_stdout_is_nothing_but_lines(people: list[dict[str, Any]], gate: Gate) -> None:
    assert gate("holders", "export", "-").lines == people


def test_an_import_with_a_fault_changes_nothing(
    people: list[dict[str, Any]], gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(
        "\n".join(
            [
                json.dumps({**BOB, "id": "carl"}),
                "no json",
                json.dumps({**BOB, "id": "11010519491231002X"}),
                json.dumps({**BOB, "id": "carl"}),
                json.dumps({**BOB, "id": "dora", "nickname": "D"}),
                json.dumps({**BOB, "id": "eve", "enabled": "yes"}),
                json.dumps({**BOB, "id": "fay", "valid_until": "2026-01-01T00:00:00"}),
                json.dumps({**BOB, "id": "gus", "references": [{"pack": "dlib"}]}),
                "[]",
            ]
        )
    )
    answer = gate("holders", "import", file, "--json")
    assert (answer.code, answer.json["reason"]) == (1, "import")
    assert [f"{file}:{number}: " in answer.json["error"] for number in range(1, 10)] == [
        False, *[True] * 8,
    ]  # fmt: skip
    assert "11010519491231002X" not in answer.json["error"]
    assert [one["id"] for one in gate("holders", "list", "--json").json] == ["ann", "bob"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_is_no_text_is_refused(
    content: bytes | None, gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl"
    if content is not None:
        file.write_bytes(content)
    assert gate("holders", "import", file).code == 69


def test_references_travel_sealed_and_only_to_the_same_key(
    key_state: Path, faces: Path, gate: Gate, tmp_path: Path
) -> None:
    image = faces / "gallery" / "obama.jpg"
    assert gate("enrol", "o", "--name", "O", "--category", "resident", image).code == 0
    file = tmp_path / "holders.jsonl"
    assert gate("holders", "export", "--references", file).code == 0
    [line] = [json.loads(line) for line in file.read_text().splitlines()]
    assert [set(one) for one in line["references"]] == [{"pack", "pack_version", "sealed"}]

    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (other / "models").symlink_to(key_state / "models")
    place = ("--state-dir", other)
    without = gate("holders", "import", file, "--json", *place)
    assert (without.code, "key init" in without.json["error"]) == (1, True)
    assert gate("key", "init", *place).code == 0
    wrong = gate("holders", "import", file, "--json", *place)
    assert (wrong.code, "another key" in wrong.json["error"]) == (1, True)
    assert gate("holders", "list", "--json", *place).json == []

    (other / "gallery.key").unlink()
    (key_state / "gallery.key").rename(other / "gallery.key")
    assert gate("holders", "import", file, *place).code == 0
    [found] = gate("identify", "--json", image, *place).lines
    assert found["faces"][0]["holder"] == "o"
    # Bound to its holder: under another id the same reference does not open.
    file.write_text(json.dumps({**line, "id": "thief"}) + "\n")
    stolen = gate("holders", "import", file, "--json", *place)
    assert (stolen.code, "altered" in stolen.json["error"]) == (1, True)


# --- key ----------------------------------------------------------------------------------------


def test_a_key_is_made_once(gate: Gate, state_dir: Path) -> None:
    made = gate("key", "init", "--json")
    assert made.json["file"] == str(state_dir / "gallery.key")
    assert stat.S_IMODE((state_dir / "gallery.key").stat().st_mode) == 0o600
    assert gate("key", "show-id", "--json").json == {"key_id": made.json["key_id"]}
    before = (state_dir / "gallery.key").read_bytes()
    assert made.json["key_id"] not in before.decode()
    again = gate("key", "init", "--json")
    assert (again.code, again.json["reason"]) == (1, "key_exists")
    assert (state_dir / "gallery.key").read_bytes() == before


def test_a_key_open_to_others_is_refused(gate: Gate, state_dir: Path) -> None:
    gate("key", "init")
    (state_dir / "gallery.key").chmod(0o644)
    answer = gate("key", "show-id", "--json")
    assert (answer.code, "chmod 600" in answer.json["fix"]) == (69, True)


def test_without_a_key_there_is_no_id(gate: Gate) -> None:
    answer = gate("key", "show-id", "--json")
    assert (answer.code, answer.json["fix"]) == (69, "gate-agent key init")


# --- events -------------------------------------------------------------------------------------


def test_events_are_filtered_and_limited(people: list[dict[str, Any]], gate: Gate) -> None:
    gate("holders", "remove", "bob")
    every = gate("events", "list", "--json").lines
    assert [event["type"] for event in every] == [
        "gate.holder.changed", "gate.holder.changed", "gate.holder.removed",
    ]  # fmt: skip
    assert [int(event["sequence"]) for event in every] == [1, 2, 3]
    assert gate("events", "list", "--limit", "1", "--json").lines == every[-1:]
    removed = gate("events", "list", "--type", "holder.removed", "--json").lines
    assert removed == every[-1:]
    both = ("--type", "holder.removed", "--type", "gate.holder.changed")
    assert gate("events", "list", *both, "--limit", "2", "--json").lines == every[-2:]
    assert gate("events", "list", "--type", "access", "--json").lines == []
    assert gate("events", "list", "--since", "1h", "--json").lines == every
    assert gate("events", "list", "--since", "2999-01-01", "--json").lines == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["--type", "nope"], "event_type"), (["--since", "yesterday"], "validity")],
)
def test_a_filter_that_is_none_is_refused(words: list[str], reason: str, gate: Gate) -> None:
    answer = gate("events", "list", "--json", *words)
    assert (answer.code, answer.json["reason"]) == (1, reason)


def test_the_source_is_the_kiosk_of_the_config(
    people: list[dict[str, Any]], gate: Gate, config_file: Path
) -> None:
    [event, *_] = gate("events", "list", "--json", "--config", config_file).lines
    assert event["source"] == "/gate/lakeside/g3/north-1"


def test_an_export_is_whole_or_not_there(
    people: list[dict[str, Any]], gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    assert gate("events", "export", file, "--json").json == {"file": str(file), "events": 2}
    assert [json.loads(line) for line in file.read_text().splitlines()] == gate(
        "events", "export", "-"
    ).lines
    missing = tmp_path / "none" / "events.jsonl"
    assert gate("events", "export", missing).code == 69
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_tail_shows_what_comes(people: list[dict[str, Any]], gate: Gate) -> None:
    command = [str(PROGRAM), "events", "tail", "--lines", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = json.loads(process.stdout.readline())
            assert first["data"]["holder"] == "bob"
            gate("holders", "remove", "ann")
            assert json.loads(process.stdout.readline())["type"] == "gate.holder.removed"
            process.send_signal(2)
            assert process.wait(timeout=30) == 0
            assert process.stderr.read() == b""
        finally:
            process.kill()


def test_a_damaged_journal_is_left_where_it_is(
    people: list[dict[str, Any]], gate: Gate, state_dir: Path
) -> None:
    journal = state_dir / "journal.sqlite"
    for suffix in ("-wal", "-shm"):
        journal.with_name(journal.name + suffix).unlink(missing_ok=True)
    journal.write_bytes(b"\0" * 8192)
    answer = gate("events", "list", "--json")
    assert answer.code == 69
    assert "restart the agent" in answer.json["fix"]
    assert journal.read_bytes() == b"\0" * 8192
    # The change is kept all the same, and so is its event, until a journal takes it.
    assert gate("holders", "disable", "ann").code == 0
    with closing(sqlite3.connect(state_dir / "registry.sqlite")) as registry:
        assert registry.execute("SELECT count(*) FROM change_log").fetchone() == (1,)


# --- what is not there --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [["holders", "list"], ["events", "list"], ["key", "init"], ["models", "install", "dlib"]],
    ids=" ".join,
)
def test_a_state_directory_that_is_none_is_69(
    words: list[str], gate: Gate, state_dir: Path
) -> None:
    # Root writes everywhere: a file in the folder's place keeps it out too.
    state_dir.write_text("no folder")
    answer = gate(*words, "--json")
    assert answer.code == 69
    assert answer.json["fix"]


@pytest.mark.parametrize(
    "words",
    ["holders list", "events list", "events list --json", "gallery check", "holders export -"],
)
def test_looking_makes_no_file(gate: Gate, tmp_path: Path, words: str) -> None:
    state = tmp_path / "state"
    answer = gate(*words.split(), "--state-dir", str(state))
    assert answer.code == 0
    assert not state.exists()
