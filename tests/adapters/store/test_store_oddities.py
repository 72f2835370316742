"""Values in the stores that no agent wrote: told as damage, and never met by the controller."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.sqlite import CorruptError


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount == 1


@pytest.mark.parametrize("value", ["'2030-01-01T00:00:00'", "'soon'", "7", "x'ff'"])
@pytest.mark.parametrize("column", ["valid_from", "valid_until"])
def test_a_validity_that_cannot_be_compared_is_damage(tmp_path, column, value):
    """A moment without an offset would stop the controller at the holder's next visit."""
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    registry.put(holder(), by=BY, now=NOW)
    change(path, f"UPDATE holder SET {column} = {value}")
    with pytest.raises(CorruptError):
        registry.holders()


def test_a_registry_without_its_revision_is_damage(tmp_path):
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    change(path, "DELETE FROM revision")
    with pytest.raises(CorruptError):
        registry.revision()


@pytest.mark.parametrize("value", ["2030-01-01T00:00:00", "soon"])
def test_a_trusted_time_that_is_none_is_damage(tmp_path, value):
    path = tmp_path / "passes.sqlite"
    with closing(SqlitePassLedger(path)) as ledger:
        ledger.note_trusted(datetime(2026, 1, 1, tzinfo=UTC))
        change(path, f"UPDATE trusted_time SET utc = '{value}'")
        with pytest.raises(CorruptError):
            ledger.latest_trusted()
