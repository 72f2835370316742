"""``gate-agent holders import`` and ``verify health`` on text as people save it."""

import json
from pathlib import Path

import pytest
from gate_command import Gate
from places import SHARED

CASES = SHARED / "cases"


def case(name: str) -> Path:
    if not (CASES / name).exists():
        pytest.skip(f"{name} is not beside the project")
    return CASES / name


@pytest.fixture(autouse=True)
def key(gate: Gate) -> None:
    """Names are sealed by it."""
    assert gate("key", "init").code == 0


def names(gate: Gate) -> dict[str, str]:
    return {one["id"]: one["name"] for one in gate("holders", "list", "--json").json}


@pytest.mark.parametrize("name", ["holders_bom.jsonl", "holders_gbk.jsonl"])
def test_a_mark_and_gbk_are_read(gate: Gate, name: str) -> None:
    answer = gate("holders", "import", case(name), "--json")
    assert (answer.code, answer.json["holders"], answer.json["changed"]) == (0, 2, 2)
    assert set(answer.json) == {"file", "holders", "changed"}
    assert names(gate) == {"r-1": "张三", "r-2": "O'Brien"}


def test_csv_as_excel_saves_it_is_read(gate: Gate) -> None:
    answer = gate("holders", "import", case("holders_excel_bom.csv"), "--json")
    assert (answer.code, answer.json["holders"]) == (0, 2)
    assert names(gate) == {"r-1": "张三", "r-2": "O'Brien, Pat"}
    shown = gate("holders", "show", "r-2", "--json").json
    assert shown["valid_from"].startswith("2026-01-01")
    assert shown["valid_until"].startswith("2027-01-01")


def test_names_in_any_script_are_taken(gate: Gate) -> None:
    file = case("names.jsonl")
    assert gate("holders", "import", file, "--json").json["holders"] == 9
    kept = names(gate)
    assert (kept["n-1"], kept["n-2"]) == ("山田 太郎", "Ann Smith")
    written = {one["id"]: one["name"] for one in map(json.loads, file.read_text().splitlines())}
    assert {key: kept[key] for key in kept if key > "n-2"} == {
        key: written[key] for key in written if key > "n-2"
    }
    # And what was exported is taken again as it is.
    assert gate("holders", "export", "-").code == 0


def test_a_table_without_enabled_enables_nobody(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("id,name,category\nr-1,A,resident\n")
    assert gate("holders", "import", file).code == 0
    assert gate("holders", "disable", "r-1").code == 0
    file.write_text("id,name,category\nr-1,B,resident\n")
    assert gate("holders", "import", file).code == 0
    shown = gate("holders", "show", "r-1", "--json").json
    assert (shown["name"], shown["enabled"]) == ("B", False)


def test_latin_1_is_named_with_the_fix(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("id,name,category\nr-1,Müller,resident\n".encode("latin-1"))
    answer = gate("holders", "import", file, "--json")
    assert (answer.code, answer.json["fix"]) == (69, "save it as UTF-8")
    assert "is no text (UTF-8) at byte" in answer.json["error"]


def test_a_code_and_a_list_with_a_mark_are_read(gate: Gate) -> None:
    code, trust = case("dcc_bom.txt"), case("dcc_bom_trust.pem")
    at = ("--at", "2026-05-20T12:00:00Z")
    answer = gate("verify", "health", "--file", code, "--trust", trust, *at, "--json")
    assert (answer.code, answer.json["valid"]) == (0, True)


@pytest.mark.parametrize(
    ("encoding", "end"),
    [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("utf-16", "\r\n"), ("utf-8-sig", "\r")],
)
def test_a_batch_is_read_however_it_was_saved(
    gate: Gate, tmp_path: Path, encoding: str, end: str
) -> None:
    line = json.dumps(
        {
            "text": case("dcc_bom.txt").read_text("utf-8-sig").strip(),
            "trust": case("dcc_bom_trust.pem").read_text(),
            "at": "2026-05-20T12:00:00Z",
        }
    )
    file = tmp_path / "batch.jsonl"
    file.write_bytes((2 * (line + end)).encode(encoding))
    found = gate("verify", "health", "--batch", file).out.splitlines()
    assert [json.loads(one)["valid"] for one in found] == [True, True]


def test_a_workbook_is_told_as_one(gate: Gate, tmp_path: Path) -> None:
    book = tmp_path / "people.xlsx"
    book.write_bytes(b"PK\x03\x04 and what a ZIP has")
    answer = gate("holders", "import", book, "--json")
    assert (answer.code, answer.json["fix"]) == (69, "save the sheet as CSV UTF-8")


def test_what_has_no_head_says_how_a_table_begins(gate: Gate, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("r-1,Ann,resident\n")
    answer = gate("holders", "import", table, "--json")
    assert (answer.code, "id,name,category" in answer.json["error"]) == (1, True)
