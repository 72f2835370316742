"""The configuration reference has every key that the config has, and nothing else."""

import re
import tomllib

import pytest
from places import ROOT

from agent.config.json_schema import json_schema
from agent.lab.config_page import page, reference

PAGE = ROOT / "docs" / "config.md"


def keys_by_table() -> dict[str, set[str]]:
    """What the page has, by the table's name as a path."""
    found: dict[str, set[str]] = {}
    for part in reference().split("\n### ")[0:]:
        name = re.match(r"(?:### )?\[+([a-z_.]+)\]+", part)
        assert name is not None
        rows = re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE)
        found.setdefault(name[1], set()).update(rows)
    return found


def test_the_page_is_written_from_the_code() -> None:
    assert page(PAGE.read_text()) == PAGE.read_text(), "run scripts/draw"


def test_every_table_of_the_config_and_every_key_of_the_example_is_there() -> None:
    told = keys_by_table()
    assert json_schema()["properties"].keys() == {name for name in told if "." not in name}

    def looked_through(name: str, value: object) -> None:
        for row in value if isinstance(value, list) else [value]:
            if isinstance(row, dict):
                assert row.keys() <= told[name], name
                for key, inner in row.items():
                    if isinstance(inner, dict) or (inner and isinstance(inner, list)):
                        looked_through(f"{name}.{key}", inner)

    example = tomllib.loads((ROOT / "config" / "gate.example.toml").read_text())
    for name, value in example.items():
        looked_through(name, value)


@pytest.mark.parametrize(
    "row",
    [
        '| `timezone` | `"UTC"` | text | IANA name, for schedules: Asia/Shanghai |',
        "| `fps` | `15.0` | number, more than 0, at most 120 | frames a second |",
        '| `protocol` | `"5"` | `"5"`, `"3.1.1"` |',
        '| `zone` | `{"x": 0.0,',
        "| `id` | needed | text |",
    ],
)
def test_a_row_says_default_range_and_meaning(row: str) -> None:
    assert row in reference()


def test_no_cell_is_torn() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks of the config"):
        page("# Nothing here\n")
