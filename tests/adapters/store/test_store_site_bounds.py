"""The bound that is kept beside the people: no change of theirs, nothing where it is damaged."""

import sqlite3
from pathlib import Path

import pytest
from store_parts import open_registry


def test_it_is_no_change_of_who_may_come_in(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    before = registry.revision()
    registry.keep_site_bound("dlib", "1", (0.25, 0.5))
    assert registry.revision() == before
    registry.close()
    again = open_registry(tmp_path / "registry.sqlite")
    assert again.site_bound("dlib", "1") == (0.25, 0.5)
    again.close()


@pytest.mark.parametrize(
    "damaged", ["", "[", "{}", '"0.5"', "[1]", '[0.5, "a"]', "[NaN]", "[1e999]"]
)
def test_what_is_no_list_of_numbers_is_nothing(tmp_path: Path, damaged: str) -> None:
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    registry.keep_site_bound("dlib", "1", (0.25,))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE site_bound SET scores = ?", (damaged,))
    connection.close()
    assert registry.site_bound("dlib", "1") is None
    registry.keep_site_bound("dlib", "1", (0.25,))
    assert registry.site_bound("dlib", "1") == (0.25,)
    registry.close()
