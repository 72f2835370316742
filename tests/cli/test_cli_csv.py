"""Lists as sheets: a header of stable names, as many rows as the JSON has objects."""

import csv
import io
from pathlib import Path

import pytest
from gate_command import Gate

LISTS = ("holders list", "models list", "pass issuers", "health issuers", "voice list")


@pytest.fixture
def people(gate: Gate, tmp_path: Path) -> None:
    """Two holders, one of whom a sheet would take for a formula, and an issuer."""
    file = tmp_path / "people.csv"
    file.write_text('id,name,category\nr-1,李雨,resident\nv-7,"=1+1, Ana",visitor\n')
    assert gate("holders", "import", file).code == 0
    key = tmp_path / "office.pem"
    assert gate("pass", "keygen", key).code == 0
    assert gate("pass", "trust", f"{key}.pub", "--issuer", "office").code == 0


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("words", LISTS)
def test_a_sheet_has_a_row_for_each_object(gate: Gate, words: str) -> None:
    objects = gate(*words.split(), "--json").json
    shown = gate(*words.split(), "--csv")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert (shown.code, len(rows)) == (0, len(objects))
    for row, one in zip(rows, objects, strict=True):
        assert set(row) <= set(one)


@pytest.mark.usefixtures("people")
def test_a_name_is_no_formula_in_a_sheet(gate: Gate) -> None:
    rows = list(csv.DictReader(io.StringIO(gate("holders", "list", "--csv").out)))
    assert [row["name"] for row in rows] == ["李雨", "'=1+1, Ana"]


@pytest.mark.usefixtures("people")
def test_the_files_of_the_state_are_a_sheet(gate: Gate) -> None:
    rows = list(csv.DictReader(io.StringIO(gate("state", "show", "--csv").out)))
    assert {row["file"] for row in rows} >= {"registry.sqlite", "journal.sqlite"}


@pytest.mark.parametrize("words", [*LISTS, "state show", "passback list", "holders references r-1"])
def test_a_sheet_and_json_together_are_wrong_usage(gate: Gate, words: str) -> None:
    assert gate(*words.split(), "--csv", "--json").code == 2
