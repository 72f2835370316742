"""``gate-agent rules``: whose rules hold, shown and taken back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from places import ROOT
from store_parts import NOW, open_registry

CONFIG = ROOT / "config" / "gate.example.toml"


@pytest.fixture
def rules(gate: Gate) -> Callable[..., Any]:
    return lambda *words: gate("rules", *words, "--config", CONFIG)


@pytest.fixture
def said(state_dir: Path) -> Path:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = state_dir / "registry.sqlite"
    registry = open_registry(file)
    registry.say_rules("resident", '[{"factors": ["pass"]}, {}]', by="key:office", now=NOW)
    registry.say_rules("courier", "[]", by="registry", now=NOW)
    registry.say_rules("visitor", '[{"access_points": ["moon"]}]', by="registry", now=NOW)
    registry.close()
    return file


def test_without_a_word_of_the_community_the_configs_hold(rules) -> None:
    shown = rules("list", "--json").json
    assert {one["category"] for one in shown} == {"resident", "staff"}
    assert {one["source"] for one in shown} == {"config"}
    assert "resident" in rules("list").out


def test_the_communitys_are_shown_in_the_place_of_the_configs(rules, said: Path) -> None:
    shown = rules("list", "--json").json
    found = [(one["category"], one["by"], one["rule"] and one["rule"]["factors"]) for one in shown]
    assert found[:3] == [
        ("courier", "registry", None),
        ("resident", "key:office", ["pass"]),
        ("resident", "key:office", ["face", "pass+face"]),
    ]
    (visitor,) = (one for one in shown if one["category"] == "visitor")
    assert "moon" in visitor["problem"]
    told = rules("list").out
    assert "nobody passes" in told
    assert "moon" in told
    assert rules("list", "--csv").out.startswith("category,source,by,")


def test_the_configs_come_back(rules, said: Path) -> None:
    assert rules("reset", "resident", "--yes", "--json").json == {
        "category": "resident",
        "changed": True,
    }
    assert not rules("reset", "resident", "--yes", "--json").json["changed"]
    shown = rules("list", "--json").json
    assert {one["source"] for one in shown if one["category"] == "resident"} == {"config"}


def test_lost_ones_are_told_and_dropped(rules, said: Path) -> None:
    connection = sqlite3.connect(said)
    with connection:
        connection.execute(
            "UPDATE category_rule SET category = x'ff', mark = x'ff' WHERE category = 'courier'"
        )
    connection.close()
    (staff,) = (one for one in rules("list", "--json").json if one["category"] == "staff")
    assert "nobody can name" in staff["problem"]
    assert rules("reset", "--lost", "--yes", "--json").json["changed"]
    (staff,) = (one for one in rules("list", "--json").json if one["category"] == "staff")
    assert staff["problem"] is None


@pytest.mark.parametrize("words", [(), ("resident", "--lost")])
def test_it_wants_to_know_of_which(rules, words: tuple[str, ...]) -> None:
    told = rules("reset", *words, "--yes", "--json")
    assert (told.code, told.json["reason"]) == (1, "category")
