"""One suite for every ``ports.BoundMemory``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_parts import open_registry

from agent.ports import BoundMemory


@pytest.fixture(params=["sqlite"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BoundMemory]:
    assert request.param == "sqlite"
    registry = open_registry(tmp_path / "registry.sqlite")
    yield registry
    registry.close()


def test_it_begins_empty(memory: BoundMemory) -> None:
    assert memory.site_bound("retail", "1") is None


def test_the_last_one_comes_back_to_the_bit_by_pack(memory: BoundMemory) -> None:
    memory.keep_site_bound("retail", "1", (0.1, 0.3))
    memory.keep_site_bound("retail", "1", (0.1 + 0.2, 2.0**-40))
    memory.keep_site_bound("retail", "2", (0.5,))
    assert memory.site_bound("retail", "1") == (0.1 + 0.2, 2.0**-40)
    assert memory.site_bound("retail", "2") == (0.5,)
    assert memory.site_bound("dlib", "1") is None
