"""Holders by one look at each row: what reads the same is not judged again, what does not is."""

import sqlite3
from dataclasses import replace

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.adapters.store.people.rows import holder_rows

NAMES = [f"h{number:02}" for number in range(20)]


@pytest.fixture
def registry(tmp_path):
    made = open_registry(tmp_path / "registry.sqlite")
    made.put_all([holder(name) for name in NAMES], by=BY, now=NOW)
    return made


@pytest.fixture
def judged(monkeypatch):
    """Whose rows were judged."""
    found = []
    judge = holder_rows.holder_of_row

    def counted(row, *name_of):
        found.append(row.values["id"])
        return judge(row, *name_of)

    monkeypatch.setattr(holder_rows, "holder_of_row", counted)
    return found


def test_only_what_changed_is_judged_again(registry, judged) -> None:
    before, damage = registry.people()
    assert [one.id for one in before] == NAMES
    assert (judged, damage.rows) == (NAMES, {})
    judged.clear()
    again, _ = registry.people()
    assert (judged, again) == ([], before)
    registry.put(replace(before[7], enabled=False), by=BY, now=NOW)
    registry.put(holder("a-new-one"), by=BY, now=NOW)
    registry.remove(before[3].id, by=BY, now=NOW)
    after, _ = registry.people()
    assert sorted(judged) == ["a-new-one", "h07"]
    assert after == registry.readable_holders()
    assert [one.enabled for one in after if one.id == "h07"] == [False]
    assert all(new is old for new, old in zip(after[1:4], before[:3], strict=True))


@pytest.mark.parametrize("column", ["enabled", "category", "valid_until", "mark", "id"])
def test_a_value_that_flips_under_the_same_revision_is_seen(registry, tmp_path, column) -> None:
    registry.people()
    value = 0 if column == "enabled" else "flipped"
    with sqlite3.connect(tmp_path / "registry.sqlite") as other:
        other.execute(f"UPDATE holder SET {column} = ? WHERE id = 'h05'", (value,))
    other.close()
    found, damage = registry.people()
    assert len(found) == len(NAMES) - 1
    assert damage.rows == {"holders": 1}
    assert "h05" in damage.holders
    assert (found, damage) == (registry.readable_holders(), registry.damage())


def test_an_id_that_is_no_longer_whole_is_nobodys(registry, tmp_path) -> None:
    registry.people()
    with sqlite3.connect(tmp_path / "registry.sqlite") as other:
        other.execute("UPDATE holder SET id = 'h06' || char(0) WHERE id = 'h07'")
    other.close()
    found, damage = registry.people()
    assert len(found) == len(NAMES) - 1
    assert damage.rows == {"holders": 1}
    assert (found, damage) == (registry.readable_holders(), registry.damage())


def test_a_name_that_was_closed_is_read_once_its_key_is_there(registry, tmp_path) -> None:
    closed = open_registry(tmp_path / "registry.sqlite", None)
    found, _ = closed.people()
    assert {one.name for one in found} == {None}
    closed._sealer = registry._sealer
    found, _ = closed.people()
    assert {one.name for one in found} == {"Lin Yu"}
