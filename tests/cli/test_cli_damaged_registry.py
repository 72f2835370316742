"""A registry with rows that cannot be read, at the desk: told, named, mended, in nobody's way."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate

NAMES = ("ann", "bob")


@pytest.fixture
def damaged(gate: Gate, keyed: Path, tmp_path: Path, state_dir: Path) -> Path:
    """Two holders, one of them without a category that reads as it was written."""
    lines = [json.dumps({"id": name, "name": name, "category": "resident"}) for name in NAMES]
    (tmp_path / "people.jsonl").write_text("\n".join(lines))
    assert gate("holders", "import", tmp_path / "people.jsonl").code == 0
    path = state_dir / "registry.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE holder SET category = 'residenu' WHERE id = 'ann'")
    return path


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer.json]


def test_list_shows_the_others_and_names_who_is_refused(damaged: Path, gate: Gate) -> None:
    told = gate("holders", "list", "--json")
    assert (told.code, ids(told)) == (0, ["bob"])
    assert "rows of the registry that cannot be read: holders 1" in told.err
    assert "ann is refused until removed, and enrolled again" in told.err


@pytest.mark.parametrize("command", ["show", "enable", "disable"])
def test_who_cannot_be_read_cannot_be_changed(command: str, damaged: Path, gate: Gate) -> None:
    answer = gate("holders", command, "ann", "--json")
    assert (answer.code, answer.json["reason"]) == (1, "holder_unreadable")
    assert "gate-agent holders remove ann" in json.dumps(answer.json)
    assert gate("holders", "disable", "bob").code == 0


def test_removed_and_entered_again_all_is_well(damaged: Path, gate: Gate, tmp_path: Path) -> None:
    assert gate("holders", "remove", "ann").code == 0
    assert gate("holders", "import", tmp_path / "people.jsonl").code == 0
    told = gate("holders", "list", "--json")
    assert (ids(told), told.err) == (["ann", "bob"], "")


def test_what_does_not_go_along_is_told(damaged: Path, gate: Gate) -> None:
    told = gate("holders", "export", "-")
    assert (told.code, [json.loads(line)["id"] for line in told.out.splitlines()]) == (0, ["bob"])
    assert "not everything goes along" in told.err


def test_removing_makes_the_key_of_tombstones_and_tells_no_id(damaged: Path, gate: Gate) -> None:
    key = damaged.with_name("tombstone.key")
    assert gate("holders", "remove", "nobody").code == 1
    assert not key.exists()
    assert gate("holders", "remove", "bob").code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(damaged)) as connection:
        (row,) = connection.execute("SELECT * FROM tombstone").fetchall()
    assert "bob" not in repr(row)
