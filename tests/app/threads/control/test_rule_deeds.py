"""What a command changes of rules, in a real registry and by a real config."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from places import ROOT
from store_parts import NOW, open_registry

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.people.registry import SqliteRegistry
from agent.app.open.community.rules import RuleReader
from agent.app.threads.control.deeds import Asked, DeedRefused
from agent.app.threads.control.people import PeopleDeeds
from agent.app.threads.control.rules import RuleDeeds
from agent.config.load import config_in
from agent.domain.record.command import CommandReason, Verb

CONFIG = config_in((ROOT / "config/gate.example.toml").read_text(), Path("gate.toml")).config
READER = RuleReader(CONFIG)
PASSES = '[{"factors": ["pass"]}]'


class Board:
    def faults(self) -> list[str]:
        return []


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[SqliteRegistry]:
    with closing(open_registry(tmp_path / "registry.sqlite")) as made:
        yield made


def ask(
    registry: SqliteRegistry,
    *,
    where: frozenset[str] | None = None,
    issued: int | None = None,
    **said: Any,
) -> Any:
    latest = None if issued is None else NOW.utc.timestamp()
    clock = ManualClock(utc=NOW.utc)
    people = PeopleDeeds(registry, Board(), clock, lambda: NOW.utc)  # type: ignore[arg-type] # all that is asked of a board
    deed = RuleDeeds(registry, READER.read, people, clock).deeds()
    return (
        deed[Verb.SET_RULE]
        .plan(Asked(said, "key:office", "id", 0, where, issued=issued, latest_s=latest))
        .run()
    )


def test_a_category_gets_rules_and_gives_them_back(registry: SqliteRegistry) -> None:
    told = ask(registry, category="courier", rules=PASSES)
    assert (told["category"], told["new"], len(told["sha256"])) == ("courier", True, 64)
    assert not ask(registry, category="courier", rules=PASSES)["new"]
    said, lost = registry.said_rules()
    rules, refused = READER.rules(said, lost=lost)
    assert [len(one) for one in rules.by_category.values()] == [1]
    assert not refused
    assert ask(registry, category="courier", rules=None) == {
        "category": "courier",
        "sha256": None,
        "new": True,
    }
    assert registry.said_rules() == ({}, False)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"category": "courier"}, CommandReason.BAD_ARGUMENTS),
        ({"category": 3, "rules": PASSES}, CommandReason.BAD_ARGUMENTS),
        ({"category": "a b", "rules": PASSES}, CommandReason.BAD_ARGUMENTS),
        ({"category": "courier", "rules": b"[]"}, CommandReason.BAD_ARGUMENTS),
        ({"category": "courier", "rules": '[{"door": 1}]'}, CommandReason.BAD_ARGUMENTS),
        (
            {"category": "courier", "rules": PASSES, "where": frozenset({"north-entry"})},
            CommandReason.NOT_PERMITTED,
        ),
    ],
)
def test_what_may_not_be_changes_nothing(
    registry: SqliteRegistry, said: dict[str, Any], word: CommandReason
) -> None:
    with pytest.raises(DeedRefused) as caught:
        ask(registry, **said)
    assert caught.value.word is word
    assert registry.said_rules() == ({}, False)


def test_what_a_changed_config_cannot_keep_lets_nobody_in_and_is_counted(
    registry: SqliteRegistry,
) -> None:
    registry.say_rules("courier", '[{"access_points": ["torn-down"]}]', by="key:office", now=NOW)
    said, lost = registry.said_rules()
    rules, refused = READER.rules(said, lost=lost)
    assert (rules.by_category, refused) == ({"courier": ()}, 1)


def test_what_was_signed_before_somebody_here_took_the_rules_back_is_late(
    registry: SqliteRegistry,
) -> None:
    at = int(NOW.utc.timestamp())
    ask(registry, category="courier", rules=PASSES, issued=at - 9)
    registry.say_rules("courier", None, by="uid:0 root", now=ManualClock(utc=NOW.utc).now())
    with pytest.raises(DeedRefused) as caught:
        ask(registry, category="courier", rules=PASSES, issued=at - 5)
    assert caught.value.word is CommandReason.SUPERSEDED
    assert registry.said_rules() == ({}, False)
    ask(registry, category="visitor", rules=PASSES, issued=at - 5)
    assert [*registry.said_rules()[0]] == ["visitor"]
