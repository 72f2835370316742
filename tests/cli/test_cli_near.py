"""Whoever mistypes a name reads the one that was meant, and the command that lists them."""

from pathlib import Path

import pytest
from gate_command import Gate

SCHEDULE = """
[[schedule]]
id = "office-hours"
spans = [{ days = ["tue"], from = "08:00", until = "18:00" }]
"""
HOLDERS = "id,name,category\nr-1042,Ann,resident\nr-2077,Bob,staff\n"


@pytest.fixture
def people(gate: Gate, keyed: Path, tmp_path: Path) -> Path:
    """Two holders; the state folder."""
    file = tmp_path / "people.csv"
    file.write_text(HOLDERS)
    assert gate("holders", "import", file).code == 0
    return keyed.parent


@pytest.mark.parametrize(
    ("words", "meant", "fix"),
    [
        ("hodlers", "holders", "gate-agent --help"),
        ("holders lsit", "list", "gate-agent holders --help"),
        ("pass isue", "issue", "gate-agent pass --help"),
        ("holders list --catgory x", "--category", "gate-agent holders list --help"),
        ("bench --peer opncv", "opencv", "gate-agent bench --help"),
        ("holders show r-1024", "r-1042", "gate-agent holders list"),
        ("holders disable R-1042", "r-1042", "gate-agent holders list"),
        ("holders remove r-1024", "r-1042", "gate-agent holders list"),
        ("models show retial", "retail", "gate-agent models list"),
        ("models choose retial", "retail", "gate-agent models list"),
        ("events list --type acess.granted", "access.granted", "one of access.granted, "),
        ("voice say grantd", "granted", "gate-agent voice list"),
        ("voice list --language enn", "en", "use one of en, zh"),
        ("state accept registri.sqlite --reason x", "registry.sqlite", "gate-agent state show"),
        ("health distrust eu-2026-06", "eu-2026-05", "gate-agent health issuers"),
    ],
)
def test_the_name_that_was_meant_is_said(
    words: str, meant: str, fix: str, people: Path, gate: Gate
) -> None:
    (people / "trust").mkdir(exist_ok=True)
    (people / "trust" / "eu-2026-05.trust").write_text("{}")
    answer = gate(*words.split())
    assert answer.code in (1, 2, 69)
    assert not meant or f"id you mean {meant!r}?" in answer.err
    assert f"\nFix: {fix}" in answer.err


@pytest.mark.parametrize(
    ("words", "meant", "fix"),
    [
        ("config schedule ofice-hours", "office-hours", "gate-agent config schedule"),
        ("doctor --pulse turnstil", "turnstile", "one of turnstile"),
    ],
)
def test_so_it_is_with_what_the_config_names(
    words: str, meant: str, fix: str, config_file: Path, gate: Gate
) -> None:
    with config_file.open("a") as file:
        file.write(SCHEDULE)
    answer = gate(*words.split(), "--config", config_file)
    assert f"did you mean {meant!r}?" in answer.err
    assert f"\nFix: {fix}" in answer.err


def test_an_old_spelling_is_never_what_was_meant(gate: Gate) -> None:
    assert "Did you mean" not in gate("trst").err


def test_what_was_typed_for_a_holder_is_not_said_again(people: Path, gate: Gate) -> None:
    answer = gate("holders", "show", "110101199003072316", "--json")
    assert "110101199003072316" not in answer.err + answer.out
    assert answer.json["reason"] == "no_such_holder"


def test_a_category_that_nobody_has_is_doubted(people: Path, gate: Gate) -> None:
    answer = gate("holders", "list", "--category", "stff", "--json")
    assert (answer.code, answer.json) == (0, [])
    assert answer.err == "warning: nobody has the category 'stff'; did you mean 'staff'?\n"
