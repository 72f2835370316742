"""One suite for every ``ports.HolderStore``."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.domain.access.tombstone import tombstone_hash
from agent.domain.credential.holder import Consent, HolderId
from agent.errors import RefusedError
from agent.ports import HolderStore


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HolderStore]:
    assert request.param == "sqlite"
    registry = open_registry(tmp_path / "registry.sqlite")
    yield registry
    registry.close()


def test_it_begins_with_nobody(store: HolderStore) -> None:
    assert list(store.holders()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"enabled": False},
        {"name": '欧阳 "O\'Neil"; DROP TABLE holder'},
        {"valid_from": datetime(2026, 1, 1, tzinfo=UTC)},
        {"valid_until": datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)},
        {"consent": Consent("2026-1", datetime(2026, 11, 1, tzinfo=UTC))},
    ],
)
def test_a_holder_comes_back_as_put(store: HolderStore, changes) -> None:
    store.put(holder(**changes), by=BY, now=NOW)
    assert list(store.holders()) == [holder(**changes)]


def test_people_and_damage_are_told_by_one_look(store: HolderStore) -> None:
    for name in ("bob", "ann"):
        store.put(holder(name), by=BY, now=NOW)
        people, damage = store.people()
        assert (list(people), damage) == (list(store.readable_holders()), store.damage())


def test_a_picture_is_of_everybody_whatever_it_follows(store: HolderStore) -> None:
    store.put(holder("ann"), by=BY, now=NOW)
    first = store.picture()
    assert (dict(first.holders), first.changed) == ({"ann": holder("ann")}, None)
    store.put(holder("bob", enabled=False), by=BY, now=NOW)
    store.remove(HolderId("ann"), by=BY, now=NOW)
    for before in (first, replace(first, place=None), None):
        found = store.picture(before)
        assert found.holders == {"bob": holder("bob", enabled=False)}
        assert [*found.removed.at] == [tombstone_hash(found.removed.key, HolderId("ann"))]
        assert found.changed is None or {"ann", "bob"} <= found.changed
    assert first.holders == {"ann": holder("ann")}


def test_holders_come_by_id(store: HolderStore) -> None:
    for name in ("c", "a", "b"):
        store.put(holder(name), by=BY, now=NOW)
    assert [one.id for one in store.holders()] == ["a", "b", "c"]


def test_a_second_put_changes_the_holder(store: HolderStore) -> None:
    store.put(holder(), by=BY, now=NOW)
    store.put(holder(enabled=False, category="staff"), by=BY, now=NOW)
    assert list(store.holders()) == [holder(enabled=False, category="staff")]


def test_removing_forgets_one_and_says_whether_there_was_one(store: HolderStore) -> None:
    store.put(holder("a"), by=BY, now=NOW)
    store.put(holder("b"), by=BY, now=NOW)
    assert store.remove(HolderId("a"), by=BY, now=NOW)
    assert not store.remove(HolderId("a"), by=BY, now=NOW)
    assert [one.id for one in store.holders()] == ["b"]


def test_a_change_is_refused_where_what_it_builds_on_has_changed(store: HolderStore) -> None:
    before = holder()
    store.put(before, by=BY, now=NOW, if_still=lambda stored: stored is None)
    store.put(replace(before, enabled=False), by="elsewhere", now=NOW)
    renamed = replace(before, name="Another")
    with pytest.raises(RefusedError) as refused:
        store.put(renamed, by=BY, now=NOW, if_still=lambda stored: stored == before)
    assert refused.value.reason == "changed_meanwhile"
    (left,) = store.holders()
    assert (left.name, left.enabled) == (before.name, False)
