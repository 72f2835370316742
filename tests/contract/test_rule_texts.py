"""One suite for every ``ports.RuleTexts``, and what a damaged row of one costs."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_parts import NOW, open_journal, open_registry

from agent.adapters.store.people.registry import SqliteRegistry
from agent.domain.record.events import EventType
from agent.ports import RuleTexts

PASSES, FACES = '[{"factors": ["pass"]}]', '[{"factors": ["face"]}]'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "registry.sqlite"


@pytest.fixture
def registry(file: Path) -> Iterator[SqliteRegistry]:
    made = open_registry(file)
    yield made
    made.close()


@pytest.fixture(params=["sqlite"])
def texts(request: pytest.FixtureRequest, registry: SqliteRegistry) -> RuleTexts:
    assert request.param == "sqlite"
    return registry


def test_it_begins_empty(texts: RuleTexts) -> None:
    assert texts.said_rules() == ({}, False)


def test_the_last_word_holds_until_it_is_taken_back(registry: SqliteRegistry) -> None:
    assert registry.say_rules("courier", FACES, by="office", now=NOW)
    revision = registry.revision()
    assert registry.say_rules("courier", PASSES, by="office", now=NOW)
    assert registry.revision() > revision
    assert not registry.say_rules("courier", PASSES, by="office", now=NOW)
    said, lost = registry.said_rules()
    assert {one: (words.text, words.by) for one, words in said.items()} == {
        "courier": (PASSES, "office")
    }
    assert not lost
    assert registry.say_rules("courier", None, by="office", now=NOW)
    assert not registry.say_rules("courier", None, by="office", now=NOW)
    assert registry.said_rules() == ({}, False)


def test_each_change_comes_with_its_event(registry: SqliteRegistry, tmp_path: Path) -> None:
    registry.say_rules("courier", FACES, by="office", now=NOW)
    registry.say_rules("courier", FACES, by="office", now=NOW)
    registry.say_rules("courier", None, by="office", now=NOW)
    journal = open_journal(tmp_path / "journal.sqlite")
    registry.transfer_changes(journal)
    told = [one.event for one in journal.read()]
    journal.close()
    assert [one.type for one in told] == [EventType.RULES_CHANGED] * 2
    assert [one.data["sha256"] is None for one in told] == [False, True]
    assert FACES not in str(told)


@pytest.mark.parametrize("column", ["rules", "said_by", "mark"])
def test_a_damaged_row_says_so_and_costs_no_other(
    registry: SqliteRegistry, file: Path, column: str
) -> None:
    registry.say_rules("courier", FACES, by="office", now=NOW)
    registry.say_rules("visitor", PASSES, by="office", now=NOW)
    spoil(file, f"UPDATE category_rule SET {column} = 'x' WHERE category = 'courier'")
    said, lost = registry.said_rules()
    assert (said["courier"].text, said["visitor"].text, lost) == (None, PASSES, False)
    assert registry.damage().rows == {"rules": 1}
    registry.say_rules("courier", FACES, by="office", now=NOW)
    assert registry.said_rules()[0]["courier"].text == FACES
    assert registry.damage().rows == {}


def test_of_one_that_nobody_can_name_it_says_that_it_is_lost(
    registry: SqliteRegistry, file: Path
) -> None:
    registry.say_rules("courier", FACES, by="office", now=NOW)
    spoil(file, "UPDATE category_rule SET category = x'ff', mark = x'ff'")
    assert registry.said_rules() == ({}, True)
    assert registry.drop_lost_rules(by="office", now=NOW) == 1
    assert registry.said_rules() == ({}, False)
    assert registry.drop_lost_rules(by="office", now=NOW) == 0


def spoil(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()
