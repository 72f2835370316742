"""Categories through the commands: listed, changed with a reason, and taken back."""

import json
from pathlib import Path

import pytest
from gate_command import Gate
from places import ROOT

PEOPLE = "id,name,category\nann,王小明,resident\n"


@pytest.fixture
def people(gate: Gate, keyed: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    assert gate("holders", "import", file).code == 0


def test_a_change_has_its_reason_and_is_undone_step_by_step(people: None, gate: Gate) -> None:
    refused = gate("holders", "category", "ann", "home_isolation")
    assert (refused.code, "--reason" in refused.err) == (1, True)
    made = gate("holders", "category", "ann", "home_isolation", "--reason", "a trip", "--json")
    assert made.json["category"] == "home_isolation"
    assert made.json["change"]["reason"] == "a trip"
    assert "14 days by its table" in made.err
    gate("holders", "category", "ann", "isolation_ended", "--reason", "day 15")
    event = json.loads(gate("events", "list", "--json").out.splitlines()[-1])
    assert event["data"]["category"] == {"was": "home_isolation", "became": "isolation_ended"}
    assert event["data"]["reason"] == "day 15"
    for became in ("home_isolation", "resident"):
        assert gate("holders", "category", "ann", "--undo", "--json").json["category"] == became
    nothing = gate("holders", "category", "ann", "--undo")
    assert (nothing.code, "no change of category" in nothing.err) == (1, True)
    known = gate("holders", "category", "ann", "--json").json
    assert [(one["became"], one["undoes"]) for one in known] == [
        *(("home_isolation", None), ("isolation_ended", None)),
        *(("home_isolation", 2), ("resident", 1)),
    ]
    assert "day 15" in gate("holders", "category", "ann").out


def test_what_set_and_import_change_is_known_as_well_and_undone(
    people: None, gate: Gate, tmp_path: Path
) -> None:
    gate("holders", "set", "ann", "--category", "tenant")
    said = gate("holders", "category", "ann", "--undo")
    assert said.out == "ann: tenant became resident\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ann", "no such", "--reason", "x"), "A-Z"),
        (("ann", "tenant", "--reason", ""), "reason"),
        (("ann", "tenant", "--reason", "a\nb"), "reason"),
        (("ann", "tenant", "--reason", "x" * 201), "reason"),
        (("ann", "tenant", "--undo"), "--undo"),
        (("anm", "tenant", "--reason", "x"), "did you mean"),
        (("ann", "tenantt", "--reason", "x"), "no archive category is called 'tenantt'"),
    ],
)
def test_wrong_words(people: None, gate: Gate, words: tuple[str, ...], said: str) -> None:
    assert said in gate("holders", "category", *words).err


def test_nobody_is_known_where_there_is_no_registry(gate: Gate, state_dir: Path) -> None:
    assert gate("holders", "category", "ann", "tenant", "--reason", "x").code == 1
    assert not state_dir.exists()


def test_the_categories_are_listed_as_their_tables_say(gate: Gate, tmp_path: Path) -> None:
    found = gate("categories", "--json").json
    assert len(found) == 11
    assert found[5] == {
        "id": "home_isolation",
        "zh": "居家隔离",
        "en": "In home isolation",
        "alternative": "staffed",
        "ledger": "isolation",
        "valid_days": 14,
        "retention_days": 30,
        "passes": None,
    }
    config = tmp_path / "gate.toml"
    text = (ROOT / "config/gate.example.toml").read_text()
    config.write_text(
        text + '[[category]]\nid = "choir"\nalternative = "pass"\nfactors = ["pass"]\n'
    )
    own = gate("categories", "--config", config, "--json").json
    assert [(one["id"], one["passes"]) for one in own[:2]] == [("choir", True), ("resident", True)]
    assert "home_isolation" in gate("categories").out
    assert gate("categories", "--csv").out.splitlines()[0].startswith("id,zh,en")
