"""Cards through the commands: bound, moved, lost, listed, from a table, and never told."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate

CARD, OTHER = "h10301:17:4711", "h10301:17:4712"
Typed = Callable[..., Any]


@pytest.fixture
def people(gate: Gate, tmp_path: Path) -> Gate:
    file = tmp_path / "people.jsonl"
    lines = [{"id": name, "name": name, "category": "resident"} for name in ("ann", "bob")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert gate("key", "init").code == 0
    assert gate("holders", "import", file).code == 0
    return gate


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, people: Gate) -> Typed:
    """``cards`` with what is typed as its first argument."""

    def run(text: str, *more: object) -> Any:
        stream = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape")), "utf-8")
        monkeypatch.setattr("sys.stdin", stream)
        found = people("cards", *more, "--json")
        assert "4711" not in found.out + found.err
        return found

    return run


def listed(people: Gate) -> list[tuple[str, str]]:
    return [(one["id"], one["card"]) for one in people("cards", "list", "--json").json]


def test_a_card_is_bound_in_whatever_writing(typed: Typed, people: Gate) -> None:
    made = typed(CARD + "\n", "bind", "ann", "--stdin").json
    assert (made["id"], made["changed"]) == ("ann", True)
    for text in (" H10301:017:04711 ", f"{CARD}\nsecond line"):
        assert typed(text, "bind", "ann", "--stdin").json == {**made, "changed": False}
    assert listed(people) == [("ann", made["card"])]
    told = people("events", "list", "--type", "holder.changed", "--json").lines
    changed = [one["data"]["fields"] for one in told if "name" not in one["data"]["fields"]]
    assert changed == [["card"]]
    assert made["card"] not in json.dumps(told)


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("4711", ("ann",), "card_number"),
        ("h10301:4711:4711", ("ann",), "card_number"),
        ("h10301:4711", ("ann",), "card_number"),
        ("\udcff\udcfe", ("ann",), "card_number"),
        ("", ("ann",), "card_number"),
        (CARD, ("nobody",), "no_such_holder"),
        (CARD, ("ann", "--valid-until", "soon"), "validity"),
        (CARD, ("ann", "--valid-from", "2027-01-02", "--valid-until", "2027-01-01"), "validity"),
    ],
)
def test_what_is_refused_binds_nothing(
    text: str, more: tuple[str, ...], reason: str, typed: Typed, people: Gate
) -> None:
    refused = typed(text, "bind", *more, "--stdin")
    assert (refused.code, refused.json["reason"]) == (1, reason)
    assert listed(people) == []


def test_a_card_of_another_is_taken_only_by_force(typed: Typed, people: Gate) -> None:
    tag = typed(CARD, "bind", "ann", "--stdin").json["card"]
    refused = typed(CARD, "bind", "bob", "--stdin")
    assert (refused.code, refused.json["reason"]) == (1, "card_taken")
    assert typed(CARD, "bind", "bob", "--stdin", "--force").json["changed"]
    assert listed(people) == [("bob", tag)]


def test_a_lost_card_goes_by_its_tag_by_its_number_or_with_all(typed: Typed, people: Gate) -> None:
    tag = typed(CARD, "bind", "ann", "--stdin").json["card"]
    other = typed(OTHER, "bind", "ann", "--stdin").json["card"]
    assert people("cards", "unbind", "ann", "--card", "ffff", "--json").json["reason"] == (
        "no_such_card"
    )
    (gone,) = people("cards", "unbind", "ann", "--card", tag, "--json").json
    assert gone == {"id": "ann", "card": tag, "changed": True}
    assert listed(people) == [("ann", other)]
    (gone,) = typed(OTHER, "unbind", "--stdin").json
    assert gone["id"] == "ann"
    assert typed(OTHER, "unbind", "--stdin").json["reason"] == "no_such_card"
    typed(CARD, "bind", "ann", "--stdin")
    typed(OTHER, "bind", "ann", "--stdin")
    assert len(people("cards", "unbind", "ann", "--json").json) == 2
    assert listed(people) == []
    assert people("cards", "unbind", "--json").json["reason"] == "no_card"


TABLE = """holder,card,valid_from,valid_until
ann,h10301:17:4711,,2026-12-31
bob,h10302:99,2026-01-01,
"""


def test_a_table_is_bound_whole_and_a_second_time_nothing(
    typed: Typed, people: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "cards.csv"
    file.write_text(TABLE)
    told = {"file": str(file), "cards": 2, "changed": 2}
    assert typed("", "import", file, "--dry-run").json == {**told, "dry_run": True}
    assert listed(people) == []
    assert typed("", "import", file).json == {**told, "dry_run": False}
    assert typed("", "import", file).json["changed"] == 0
    (ann, _) = people("cards", "list", "--json").json
    assert ann["valid_until"] == "2027-01-01T00:00:00.000Z"
    assert people("cards", "list", "ann", "--csv").out.splitlines()[0] == (
        "id,card,valid_from,valid_until"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ann,h10301:17:4711,,", "the same card as line 2"),
        ("nobody,h10301:1:1,,", "no such holder"),
        ("ann,h10301:1:70000,,", "0 to 65535"),
        ("ann,4711,,", "FORMAT"),
        ("ann,h10301:1:1,,soon", "no date"),
        ("ann,h10301:1:1,2027-01-01,2026-01-01", "before it begins"),
        ("ann", "fewer cells"),
        ("ann,h10301:1:1,,,,", "more cells"),
        ('ann,"h10301:1:1', "unexpected end"),
    ],
)
def test_one_broken_row_binds_nothing_and_is_named(
    row: str, said: str, typed: Typed, people: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "cards.csv"
    file.write_text(f"{TABLE}{row}\n")
    refused = typed("", "import", file)
    assert (refused.code, refused.json["reason"]) == (1, "import")
    assert said in refused.json["error"]
    assert listed(people) == []


@pytest.mark.parametrize("head", ["holder,number", "holder", "", "holder,card,card", "\ufeffx"])
def test_a_table_without_its_head_says_what_lacks(
    head: str, typed: Typed, people: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "cards.csv"
    file.write_text(f"{head}\nann,h10301:1:1\n")
    refused = typed("", "import", file)
    assert (refused.code, refused.json["reason"]) == (1, "import")
    assert listed(people) == []
